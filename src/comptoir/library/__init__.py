"""Owns the Python library: the verbs of the API as functions. Does not decide: the ledger does."""
