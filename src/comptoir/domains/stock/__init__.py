"""Owns what is sold in sizes, and orders. Does not decide what money does to them: flows do."""
