"""Owns the rules of balances, lots and holds. Does not do I/O, read a clock or use chance."""
