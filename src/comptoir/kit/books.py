"""The two books that every database has from its first migration on."""

from typing import Final

LIVE: Final = 1
TEST: Final = 2
BOOKS: Final = (LIVE, TEST)
