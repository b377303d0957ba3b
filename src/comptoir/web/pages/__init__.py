"""Owns what pages for operators and for customers share: looks, forms of our own, refusals."""
