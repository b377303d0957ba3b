"""Owns pages for customers: what they have, buying more, and what has become of what they paid."""
