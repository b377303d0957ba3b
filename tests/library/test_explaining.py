"""Explaining from Python: at past times, in pages, with and without an event loop."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from comptoir import Comptoir, Invalid, NotFound
from comptoir import sync as waiting


async def test_a_balance_leads_down_to_its_grant(books: Comptoir) -> None:
    given = await books.credits.grant(
        "alice", 10, reason="gift", reference="order-1", idempotency_key="1"
    )
    held = await books.credits.hold("alice", 4, ttl_seconds=60, idempotency_key="2")
    spent = await books.credits.spend("alice", 3, idempotency_key="3", model="x")
    found = await books.ledger.explain("alice")
    assert found.balance == await books.credits.balance("alice")
    [lot] = found.lots
    assert (lot.left, lot.pinned, lot.reference) == (7, 4, "order-1")
    assert lot.movement == given.movement.id
    [hold] = found.holds
    assert (hold.id, hold.amount, hold.captured) == (held.hold.id, 4, 0)
    newest = found.movements[0]
    assert (newest.id, newest.amount, newest.model) == (spent.movement.id, -3, "x")
    assert [(part.lot, part.amount, part.reason) for part in newest.lots] == [(lot.id, -3, "gift")]
    assert "from the lot of" in newest.text
    french = await books.ledger.explain("alice", language="fr")
    assert french.movements[0].text.startswith("Dépense de 3 crédits (modèle x), sur le lot du ")
    assert (found.opening, found.closing, found.more) == (0, 7, False)


async def test_pages_and_past_moments(books: Comptoir) -> None:
    moments: list[datetime] = []
    for number in range(5):
        done = await books.credits.grant("alice", 1, reason="x", idempotency_key=f"{number}")
        moments.append(done.movement.at)
    first = await books.ledger.explain("alice", limit=2)
    rest = await books.ledger.explain("alice", limit=3, at=first.at, before=first.movements[-1].seq)
    assert [each.seq for each in (*first.movements, *rest.movements)] == [5, 4, 3, 2, 1]
    assert (first.more, rest.more, rest.closing) == (True, False, first.opening)
    assert rest.opening + sum(each.amount for each in rest.movements) == rest.closing == 3
    for number, moment in enumerate(moments):
        then = await books.credits.balance("alice", at=moment)
        assert (then.balance, then.version) == (number + 1, number + 1)
        assert (await books.ledger.explain("alice", at=moment)).balance == then
        earlier = await books.credits.balance("alice", at=moment - timedelta(microseconds=1))
        assert earlier.balance == number
    nobody = await books.ledger.explain("nobody", at=moments[0])
    assert (nobody.balance.balance, nobody.movements) == (Decimal(0), ())


@pytest.mark.parametrize("more", [
    {"at": datetime(2020, 1, 1)},  # noqa: DTZ001
    {"at": datetime(9000, 1, 1, tzinfo=UTC)}, {"at": datetime.max.replace(tzinfo=UTC)},
    {"at": datetime.min.replace(tzinfo=UTC) + timedelta(hours=1), "customer": ""},
    {"at": "2020-01-01T00:00:00Z"}, {"limit": 0}, {"limit": 101}, {"language": "de"},
])  # fmt: skip
async def test_bad_arguments(books: Comptoir, more: dict[str, Any]) -> None:
    await books.credits.grant("alice", 1, reason="x", idempotency_key="1")
    arguments: dict[str, Any] = {"customer": "alice"} | more
    with pytest.raises(Invalid):
        await books.ledger.explain(**arguments)


async def test_an_unknown_asset(books: Comptoir) -> None:
    with pytest.raises(NotFound, match="unknown-asset"):
        await books.ledger.explain("alice", asset="nothing")
    with pytest.raises(NotFound, match="unknown-asset"):
        await books.credits.balance("alice", asset="nothing", at=datetime(2020, 1, 1, tzinfo=UTC))


def test_without_an_event_loop(shop: waiting.Comptoir) -> None:
    done = shop.credits.grant("alice", 2, reason="x", idempotency_key="1")
    assert shop.ledger.explain("alice", at=done.movement.at).closing == 2
    assert shop.credits.balance("alice", at=done.movement.at).balance == 2
