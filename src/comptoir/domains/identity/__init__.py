"""Owns customers, keys and tokens: who somebody is. Does not decide what a route permits."""
