"""Owns ids, clock, amounts, errors and actor. Does not import anything of ours."""
