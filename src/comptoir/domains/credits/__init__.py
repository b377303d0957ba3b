"""Owns what callers may ask of balances, and prices. Does not decide: the ledger does."""
