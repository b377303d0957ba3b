"""Every verb of the library does what it says, once, and refuses by an error of its own."""

import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

import comptoir
from comptoir import (
    AlreadyReversed,
    Capture,
    ChainBroken,
    Comptoir,
    ExceedsHold,
    Grant,
    Hold,
    HoldNotFound,
    HoldNotOpen,
    HoldState,
    IdempotencyKeyReused,
    Insufficient,
    Invalid,
    NotFound,
    PartlySpent,
    Release,
    Spend,
    Transfer,
)
from comptoir.ledger.outcomes import Outcome
from comptoir.library.refusals import ERRORS, Refused

NOBODY = "hold_" + "0" * 32


async def rich(books: Comptoir, customer: str = "alice", amount: int = 100) -> None:
    await books.credits.grant(customer, amount, reason="test", idempotency_key=f"rich-{customer}")


async def test_amounts_are_exact_decimals(books: Comptoir) -> None:
    granted = await books.credits.grant(
        "alice", Decimal("100.10"), reason="Welcome", idempotency_key="grant"
    )
    assert granted.movement.amount == Decimal("100.1")
    assert str(granted.movement.amount) == "100.1"
    assert granted.movement.at.tzinfo is UTC
    spent = await books.credits.spend("alice", "0.000001", idempotency_key="spend")
    assert spent.movement.amount == Decimal("-0.000001")
    assert spent.balance.balance == Decimal("100.099999")
    assert spent.balance == await books.credits.balance("alice")


async def test_a_repeat_has_the_same_answer_and_no_effect(books: Comptoir) -> None:
    await rich(books)
    first = await books.credits.spend("alice", 5, idempotency_key="once", reason="A picture")
    again = await books.credits.spend("alice", "5.0", idempotency_key="once", reason="A picture")
    assert (first.replayed, again.replayed) == (False, True)
    assert (first.movement, first.balance) == (again.movement, again.balance)
    with pytest.raises(IdempotencyKeyReused) as other:
        await books.credits.spend("alice", 6, idempotency_key="once", reason="A picture")
    assert other.value.figures["field"] == "amount"
    assert (await books.credits.balance("alice")).balance == 95


async def test_not_enough_says_how_much(books: Comptoir) -> None:
    await rich(books, amount=3)
    with pytest.raises(Insufficient) as refused:
        await books.credits.spend("alice", 5, idempotency_key="too-much")
    assert refused.value.code == "insufficient-credits"
    assert refused.value.figures == {"needed": "5", "available": "3"}
    assert str(refused.value) == "insufficient-credits (needed 5, available 3)"
    assert refused.value.kept
    assert not refused.value.replayed
    await rich(books, "bob")
    await books.credits.transfer("bob", "alice", 50, idempotency_key="help")
    with pytest.raises(Insufficient) as stays:
        await books.credits.spend("alice", 5, idempotency_key="too-much")
    assert stays.value.replayed


async def test_a_hold_from_beginning_to_end(books: Comptoir) -> None:
    await rich(books)
    made = await books.credits.hold("alice", 8, ttl_seconds=600, idempotency_key="hold")
    assert (made.hold.state, made.balance.available) == (HoldState.OPEN, 92)
    part = await books.credits.capture(made.hold.id, 3, final=False, idempotency_key="part")
    assert (part.movement.amount, part.late, part.balance.held) == (-3, False, 5)
    renewed = await books.credits.renew(made.hold.id, ttl_seconds=900, idempotency_key="renew")
    assert renewed.hold.captured == 3
    with pytest.raises(ExceedsHold):
        await books.credits.capture(made.hold.id, 6, idempotency_key="excess")
    released = await books.credits.release(made.hold.id, idempotency_key="release")
    assert (released.hold.state, released.balance.held) == (HoldState.RELEASED, 0)
    with pytest.raises(HoldNotOpen):
        await books.credits.capture(made.hold.id, idempotency_key="gone")
    found = await books.credits.get_hold(made.hold.id)
    assert (found.captured, found.state) == (3, HoldState.RELEASED)
    assert await books.credits.holds("alice") == [found]


@pytest.mark.parametrize("call", [
    lambda c: c.credits.capture(NOBODY, idempotency_key="x"),
    lambda c: c.credits.release("nonsense", idempotency_key="x"),
    lambda c: c.credits.get_hold(NOBODY),
    lambda c: c.credits.get_hold("nonsense"),
], ids=["capture", "release", "get", "get nonsense"])  # fmt: skip
async def test_a_missing_hold_is_one_error(
    books: Comptoir, call: Callable[[Comptoir], Awaitable[Any]]
) -> None:
    with pytest.raises(HoldNotFound) as refused:
        await call(books)
    assert isinstance(refused.value, NotFound)
    assert isinstance(refused.value, Refused)


async def test_reversals(books: Comptoir) -> None:
    given = await books.credits.grant("alice", 10, reason="Gift", idempotency_key="gift")
    await books.credits.spend("alice", 4, idempotency_key="spend")
    with pytest.raises(PartlySpent):
        await books.credits.reverse(given.movement.id, reason="Oops", idempotency_key="refused")
    undone = await books.credits.reverse(
        given.movement.id, reason="Oops", if_spent="debt", idempotency_key="undone"
    )
    assert (undone.movement.amount, undone.balance.debt) == (-10, 4)
    with pytest.raises(AlreadyReversed):
        await books.credits.reverse(given.movement.id, reason="Oops", idempotency_key="twice")


async def test_lists(books: Comptoir) -> None:
    await rich(books)
    for number in range(5):
        await books.credits.spend("alice", 1, idempotency_key=f"s{number}", reference=f"r{number}")
    newest = await books.credits.movements("alice", limit=2)
    assert [each.reference for each in newest] == ["r4", "r3"]
    older = await books.credits.movements("alice", before=newest[-1].seq)
    assert [each.reference for each in older] == ["r2", "r1", "r0", None]
    assert [each.kind for each in await books.credits.movements("alice", kind="grant")] == ["grant"]
    assert await books.credits.movements("alice", since=datetime(9000, 1, 1, tzinfo=UTC)) == []
    [lot] = await books.credits.lots("alice")
    assert (lot.granted, lot.left) == (100, 95)
    assert await books.credits.movements("nobody") == []
    assert (await books.credits.balance("nobody")).version == 0


async def test_stock_accounts_and_other_assets(books: Comptoir) -> None:
    await books.credits.grant("stock:TEE:M", 3, reason="Delivery", idempotency_key="stock")
    assert (await books.credits.balance("stock:TEE:M")).asset == "stock"
    await books.ledger.open_asset("minutes", 2)
    assert (await books.ledger.assets())["minutes"] == 2
    given = await books.credits.grant(
        "alice", "1.25", reason="Trial", asset="minutes", idempotency_key="minutes"
    )
    assert given.balance.balance == Decimal("1.25")
    with pytest.raises(NotFound, match="unknown-asset"):
        await books.credits.spend("alice", 1, asset="nothing", idempotency_key="nothing")


async def test_prices(books: Comptoir) -> None:
    await rich(books)
    with pytest.raises(NotFound, match="unknown-action"):
        await books.prices.get("ai.generate")
    first = await books.prices.set("ai.generate", 5, real_cost="0.04")
    assert (await books.prices.set("ai.generate", "5.0", real_cost=Decimal("0.04"))) == first
    assert (await books.prices.set("ai.generate", 6)).version == 2
    spent = await books.credits.spend(
        "alice", action="ai.generate", quantity=2, idempotency_key="s"
    )
    assert spent.movement.amount == -12


async def test_customers(books: Comptoir) -> None:
    with pytest.raises(NotFound):
        await books.customers.get("alice")
    put = await books.customers.put("alice", email="a@example.com", metadata={"plan": "x"})
    assert await books.customers.get("alice") == put
    changed = await books.customers.put("alice", time_zone="Europe/Paris")
    assert (changed.email, changed.time_zone) == ("a@example.com", "Europe/Paris")


async def test_a_batch_each_for_itself(books: Comptoir) -> None:
    results = await books.ledger.batch([
        Grant(customer="alice", amount=10, reason="x", idempotency_key="1"),
        Spend(customer="alice", amount=50, idempotency_key="2"),
        Hold(customer="alice", amount=2, ttl_seconds=60, idempotency_key="3"),
        Transfer(source="alice", target="bob", amount=1, idempotency_key="4"),
        Capture(hold=NOBODY, idempotency_key="5"),
    ])  # fmt: skip
    assert [type(each.error) for each in results] == [
        type(None), Insufficient, type(None), type(None), HoldNotFound
    ]  # fmt: skip
    held = results[2].hold
    assert held is not None
    [released] = await books.ledger.batch([Release(hold=held.id, idempotency_key="6")])
    assert released.hold is not None
    assert released.hold.state is HoldState.RELEASED


async def test_an_atomic_batch_is_all_or_nothing(books: Comptoir) -> None:
    await rich(books, amount=10)
    chain = [
        Spend(customer="stock:TEE:M", amount=1, idempotency_key="unit"),
        Spend(customer="alice", amount=5, idempotency_key="price"),
    ]
    refused = await books.ledger.batch(chain, atomic=True)
    assert [type(each.error) for each in refused] == [Insufficient, ChainBroken]
    await books.credits.grant("stock:TEE:M", 1, reason="Delivery", idempotency_key="stock")
    again = [
        Spend(customer="stock:TEE:M", amount=1, idempotency_key="unit 2"),
        Spend(customer="alice", amount=5, idempotency_key="price 2"),
    ]
    done = await books.ledger.batch(again, atomic=True)
    assert [each.error for each in done] == [None, None]
    assert (await books.credits.balance("alice")).balance == 5


async def test_the_books_balance(books: Comptoir) -> None:
    await rich(books)
    found = await books.ledger.verify(full=True)
    assert (found.balanced, found.movements) == (True, 1)


BAD = {
    "float": {"amount": 0.1}, "nan": {"amount": Decimal("NaN")}, "inf": {"amount": math.inf},
    "zero": {"amount": 0}, "negative": {"amount": -1}, "true": {"amount": True},
    "seven decimals": {"amount": "1.0000001"}, "exponent": {"amount": "1e3"},
    "both": {"amount": 1, "action": "x"}, "neither": {"amount": None}, "none": {"customer": ""},
    "control": {"customer": "a\x00b"}, "invisible": {"customer": "a\u200bb"},
    "last newline": {"customer": "alice\n"}, "surrogate": {"customer": "\ud800"},
    "long": {"customer": "x" * 129}, "not text": {"customer": 5}, "long key":
    {"idempotency_key": "k" * 256}, "no key": {"idempotency_key": ""}, "long reason":
    {"reason": "r" * 501}, "metadata": {"metadata": {"a": 1}}, "much metadata":
    {"metadata": {str(n): "x" for n in range(21)}}, "list": {"metadata": ["x"]},
    "asset": {"asset": "NOT AN ASSET"}, "cost": {"cost": "-1"}, "float cost": {"cost": 0.5},
    "quantity": {"amount": None, "action": "x", "quantity": 0},
}  # fmt: skip


@pytest.mark.parametrize("wrong", BAD.values(), ids=BAD)
async def test_bad_arguments_change_nothing(books: Comptoir, wrong: dict[str, Any]) -> None:
    await rich(books)
    arguments: dict[str, Any] = {"customer": "alice", "amount": 1, "idempotency_key": "k"} | wrong
    with pytest.raises((Invalid, NotFound)) as refused:
        await books.credits.spend(**arguments)
    if isinstance(refused.value, NotFound):
        assert refused.value.code == "unknown-action"
    assert (await books.credits.balance("alice")).version == 1


@pytest.mark.parametrize("moment", [datetime(2030, 1, 1), "2030-01-01T00:00:00Z"])  # noqa: DTZ001
async def test_a_time_says_its_zone(books: Comptoir, moment: Any) -> None:  # noqa: ANN401
    with pytest.raises(Invalid, match="time-invalid"):
        await books.credits.grant("a", 1, reason="x", idempotency_key="k", expires_at=moment)


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_an_error(outcome: Outcome) -> None:
    error = ERRORS[outcome]
    assert (error is None) == (outcome in {Outcome.CREATED, Outcome.EXISTS})
    assert error is None or issubclass(error, Refused)


def test_no_two_outcomes_share_an_error() -> None:
    errors = [each for each in ERRORS.values() if each]
    assert len(errors) == len(set(errors)) == len(Refused.__subclasses__())


def test_what_is_exported_is_there() -> None:
    assert all(hasattr(comptoir, name) for name in comptoir.__all__)
    assert {each.__name__ for each in ERRORS.values() if each} <= {*comptoir.__all__}
