"""Comptoir: the back office that answers at once, exactly once, and can prove it.

Owns the public library door. Does not decide anything: every rule lives below.
"""

__version__ = "0.1.0.dev0"
