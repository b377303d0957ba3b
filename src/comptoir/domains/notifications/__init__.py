"""Owns what is said to people by e-mail: the words, the letter, and how it is posted.

Does not decide who is told what, or when: flows do.
"""
