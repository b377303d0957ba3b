"""Owns the business nouns, strangers to each other. Does not know HTTP, nor open transactions."""
