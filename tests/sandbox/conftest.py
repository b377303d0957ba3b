"""One sandbox for the tests of a worker: each makes customers and prices of its own."""

from collections.abc import Iterator

import pytest

from tests.support.sandbox import Provider, provider


@pytest.fixture(scope="session")
def shared() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture
def own() -> Iterator[Provider]:
    """One whose knobs and clock a test may turn."""
    with provider() as running:
        yield running
