"""Owns counts and deliveries that come as files: what their lines mean, and what they would change.

All of it is pure. Does not decide whether stock moves: the ledger does.
"""
