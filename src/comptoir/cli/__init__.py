"""Owns the command line. Does not decide anything: it asks the floors below and says it in words.

Exit codes: 0 done, 2 usage, 3 the books do not balance, 4 a dependency is down or refused,
5 the request was refused.
"""

from comptoir.cli.main import main

__all__ = ["main"]
