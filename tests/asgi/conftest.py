"""Books for applications of the tests' own."""

from collections.abc import AsyncGenerator

import pytest

from comptoir import Comptoir
from tests.support.postgres import Database


@pytest.fixture
async def books(database: Database) -> AsyncGenerator[Comptoir]:
    async with Comptoir.open(database.app_url) as opened:
        await opened.prices.set("ai.generate", 5)
        yield opened
