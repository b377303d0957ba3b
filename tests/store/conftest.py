"""Books that are copied, in a database of their own for each module that changes none of them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.busy import copied, fill
from tests.support.copies import empty_database, taken
from tests.support.postgres import Cluster, Database


@pytest.fixture(scope="module")
def busy(cluster: Cluster) -> Iterator[Database]:
    with cluster.database() as database:
        asyncio.run(fill(database))
        yield database


@pytest.fixture
def book(busy: Database) -> Iterator[Database]:
    with copied(busy) as database:
        yield database


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[Database]:
    with empty_database(cluster) as database:
        yield database


@pytest.fixture(scope="module")
def taken_once(busy: Database, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("backup") / "books.zip"
    taken(busy, path)
    return path
