"""Owns the way to a Redis: whether there is one, whether it answers, and what it runs.

Does not decide anything that costs money: whatever a Redis holds may be lost.
"""
