"""Owns how many calls go through in a window: one algorithm, on memory and on PostgreSQL.

Does not decide whose calls those are, or what they may cost.
"""
