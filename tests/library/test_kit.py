"""The test kit that users get: fresh databases, and a clock that stands still."""

from datetime import UTC, datetime, timedelta

import pytest

from comptoir import HoldState, Insufficient, Misuse
from comptoir.sync import Comptoir
from tests.support.postgres import Cluster, Database

NEW_YEAR = datetime(2030, 1, 1, tzinfo=UTC)


def test_time_stands_still_until_it_is_told_to_pass(cluster: Cluster) -> None:
    with cluster.database(at=NEW_YEAR) as database, Comptoir.open(database.url) as books:
        given = books.credits.grant(
            "alice", 100, reason="Trial", expires_at=NEW_YEAR + timedelta(days=30),
            idempotency_key="trial",
        )  # fmt: skip
        assert given.movement.at == NEW_YEAR == database.clock.now
        made = books.credits.hold("alice", 10, ttl_seconds=3600, idempotency_key="hold")
        database.clock.advance(hours=2)
        assert books.credits.get_hold(made.hold.id).state is HoldState.EXPIRED
        assert books.credits.balance("alice").available == 100
        database.clock.advance(days=30)
        with pytest.raises(Insufficient):
            books.credits.spend("alice", 1, idempotency_key="late")
        assert [each.kind for each in books.credits.movements("alice")] == ["expiry", "grant"]
        assert books.credits.movements("alice")[0].at == NEW_YEAR + timedelta(days=30)
        assert books.ledger.verify(full=True).balanced


def test_databases_are_strangers(cluster: Cluster) -> None:
    with cluster.database() as one, cluster.database() as other:
        with Comptoir.open(one.url) as books:
            books.credits.grant("alice", 1, reason="x", idempotency_key="x")
        with Comptoir.open(other.url) as books:
            assert books.credits.balance("alice").version == 0


def test_what_the_clock_refuses(cluster: Cluster, database: Database) -> None:
    with pytest.raises(Misuse, match="clock-not-frozen"):
        database.clock.advance(days=1)
    with cluster.database(at=NEW_YEAR) as frozen, pytest.raises(Misuse, match="time-without-zone"):
        frozen.clock.set(datetime(2030, 1, 1))  # noqa: DTZ001  # what is refused
