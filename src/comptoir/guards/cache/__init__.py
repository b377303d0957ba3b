"""Owns what is remembered so that it need not be worked out again: in this process, or in a Redis.

Does not decide anything: whatever is in here may be gone, and nothing that costs money is read
from it.
"""
