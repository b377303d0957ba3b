"""A shop for each test, and a sandbox for all of a worker's."""

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from tests.support.postgres import Database
from tests.support.reader import Reader, subscriber
from tests.support.sandbox import Provider, provider
from tests.support.shop import Shop
from tests.support.shop import shop as opened


@pytest.fixture
def stripe_here() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture
async def shop(database: Database, tmp_path: Path, stripe_here: Provider) -> AsyncGenerator[Shop]:
    async with opened(database, tmp_path, stripe_here) as found:
        yield found


@pytest.fixture
async def reader(shop: Shop) -> Reader:
    """Somebody at the provider whose time a test moves."""
    return await subscriber(shop)
