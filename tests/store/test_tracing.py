"""Spans of the group commit: what a commit is linked with, and what submits tell of it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from comptoir.kit.errors import ComptoirError, Unavailable
from tests.support.batches import Shop, gather, open_shop, until
from tests.support.postgres import Cluster, Database
from tests.support.telemetry import Heard, listening

pytestmark = pytest.mark.pg


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[Database]:
    """Tests share a database, and have a book each."""
    with cluster.database() as made:
        yield made


@pytest.fixture
async def shop(database: Database) -> AsyncGenerator[Shop]:
    async with open_shop(database) as found:
        yield found


@pytest.fixture
def heard() -> Iterator[Heard]:
    with listening() as found:
        yield found


def told(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def linked(commit: ReadableSpan) -> set[int]:
    return {link.context.span_id for link in commit.links}


def id_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.span_id


async def test_a_commit_is_linked_with_all_that_it_decides(shop: Shop, heard: Heard) -> None:
    account = await shop.account("ada", 100)
    heard.exporter.clear()
    async with shop.batch() as batch:
        await gather(batch, [shop.spend(f"s{n}", account) for n in range(20)])
    commits, submits = heard.named("ledger commit"), heard.named("ledger submit")
    assert len(submits) == 20
    assert len(commits) < 20
    assert sorted(each for commit in commits for each in linked(commit)) == sorted(
        map(id_of, submits)
    )
    for commit in commits:
        assert told(commit)["comptoir.commit.requests"] == len(commit.links)
        assert commit.parent is None
    assert {commit.context.trace_id for commit in commits if commit.context} & {
        submit.context.trace_id for submit in submits if submit.context
    } == set()


async def test_what_waits_for_others_says_so(shop: Shop, heard: Heard) -> None:
    busy, free = await shop.accounts(["ada", "bob"], 10)
    heard.exporter.clear()
    async with shop.batch() as batch:
        with shop.lock(busy):
            stuck = asyncio.ensure_future(batch.submit(shop.spend("stuck", busy)))
            await until(lambda: batch.lanes == 1)
            await batch.submit(shop.spend("free", free))
        await stuck
    by_lane = {told(span)["comptoir.lane"]: span for span in heard.named("ledger submit")}
    assert set(by_lane) == {"writer", "slow"}
    slow = by_lane["slow"]
    assert told(slow)["comptoir.queue_seconds"] > told(by_lane["writer"])["comptoir.queue_seconds"]
    decided_by = [span for span in heard.named("ledger commit") if id_of(slow) in linked(span)]
    assert [told(span)["comptoir.lane"] for span in decided_by] == ["slow"]


async def test_a_commit_that_fails_says_so_by_its_code(shop: Shop, heard: Heard) -> None:
    account = await shop.account("ada", 10)
    shop.run("""
        CREATE FUNCTION break_it() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN RAISE EXCEPTION 'lovelace has 10'; END$$;
        CREATE TRIGGER break_it BEFORE INSERT ON comptoir.movements EXECUTE FUNCTION break_it()""")
    heard.exporter.clear()
    try:
        async with shop.batch() as batch:
            with pytest.raises(ComptoirError, match="internal"):
                await batch.submit(shop.spend("s", account))
    finally:
        shop.run("DROP TRIGGER break_it ON comptoir.movements; DROP FUNCTION break_it")
    for name in ("ledger submit", "ledger commit"):
        span = heard.one(name)
        assert span.status.status_code is StatusCode.ERROR
        assert told(span)["error.type"] == "internal"
        assert "lovelace" not in span.to_json()
    assert linked(heard.one("ledger commit")) == {id_of(heard.one("ledger submit"))}


async def test_a_full_queue_is_an_error_of_the_submit_alone(shop: Shop, heard: Heard) -> None:
    account = await shop.account("ada", 10)
    heard.exporter.clear()
    batch = shop.batch()
    async with batch:
        await batch.submit(shop.spend("s", account))
    with pytest.raises(Unavailable):
        await batch.submit(shop.spend("late", account))
    _, late = heard.named("ledger submit")
    assert told(late)["error.type"] == "shutting-down"
    assert len(heard.named("ledger commit")) == 1


async def test_a_caller_who_has_gone_leaves_no_warning(
    shop: Shop, heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    account = await shop.account("ada", 10)
    heard.exporter.clear()
    async with shop.batch() as batch:
        with shop.lock(account):
            gone = asyncio.ensure_future(batch.submit(shop.spend("gone", account)))
            await until(lambda: batch.lanes == 1)
            gone.cancel()
            await asyncio.wait([gone])
    assert shop.effects("gone") == 1
    [commit] = [span for span in heard.named("ledger commit") if span.links]
    assert linked(commit) == {id_of(heard.one("ledger submit"))}
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []
