"""Owns the pages for operators. Does not decide anything: they ask what the API asks."""
