"""The library on a database of its own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from comptoir import Comptoir
from comptoir import sync as waiting
from tests.support.postgres import Database


@pytest.fixture
async def books(database: Database) -> AsyncIterator[Comptoir]:
    """The live book, for programs with an event loop."""
    async with Comptoir.open(database.url) as opened:
        yield opened


@pytest.fixture
def shop(database: Database) -> Iterator[waiting.Comptoir]:
    """The live book, for programs without one."""
    with waiting.Comptoir.open(database.url) as opened:
        yield opened
