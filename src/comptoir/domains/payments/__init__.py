"""Owns money that comes in and goes back. Does not decide what it is for: flows do."""
