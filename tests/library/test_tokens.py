"""The four functions of seed 001, by HTTP and by Python, on one ledger."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from comptoir import Comptoir, Insufficient, Invalid, Kind, Money, NotFound
from comptoir import sync as waiting
from comptoir.flows import tokens
from tests.support.postgres import Database
from tests.support.site import TEST, Site, serving

pytestmark = pytest.mark.pg


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Iterator[Site]:
    with serving(database, tmp_path, TOKEN_UNIT_PRICE="0.02") as running:
        yield running


def stats(site: Site, customer: str = "alice") -> dict[str, Any]:
    """getUserStats."""
    found = site.get(f"/api/tokens/{customer}/stats")
    assert found.status_code == 200, found.text
    return found.json()


def test_the_four_functions_by_http(site: Site) -> None:
    assert stats(site)["token_balance"] == 0
    added = site.post(
        "/api/tokens/alice/add", {"amount": 1000, "reason": "Recharge mensuelle"}, key="add"
    )
    assert added.json()["token_balance"] == 1000, added.text
    done = site.post("/api/tokens/alice/generations", {"cost": 3}, key="article")
    again = site.post("/api/tokens/alice/generations", {"cost": 3}, key="article")
    assert again.json() == done.json()
    assert again.headers["idempotent-replayed"] == "true"
    now = stats(site)
    assert (now["token_balance"], now["tokens_spent"], now["generations"]) == (997, 3, 1)
    assert now["current_period"]["billed"] == {"amount": 6, "currency": "eur"}
    refused = site.post("/api/tokens/alice/generations", {"cost": 998})
    assert (refused.status_code, refused.json()["code"]) == (402, "insufficient-tokens")
    assert (refused.json()["needed"], refused.json()["available"]) == ("998", "997")
    anew = site.post("/api/tokens/alice/reset", who="op").json()
    assert (anew["token_balance"], anew["tokens_spent"], anew["generations"]) == (1000, 0, 0)
    assert site.post("/api/tokens/alice/reset", who="svc").status_code == 403


async def test_the_four_functions_by_python(books: Comptoir) -> None:
    assert (await books.tokens.stats("alice")).token_balance == 0
    added = await books.tokens.add(
        "alice", 1000, reason="Recharge mensuelle", idempotency_key="add"
    )
    assert (added.token_balance, added.replayed) == (1000, False)
    done = await books.tokens.record("alice", 3, idempotency_key="article")
    await books.tokens.record("alice", 7, idempotency_key="longer")
    again = await books.tokens.record("alice", 3, idempotency_key="article")
    assert (done.token_balance, done.tokens_spent, done.generations) == (997, 3, 1)
    assert (again.token_balance, again.generations, again.replayed) == (997, 1, True)
    assert done.current_period.spent == 3
    assert done.current_period.billed == Money(0, "eur")
    assert done.current_period.start < done.current_period.end
    with pytest.raises(Insufficient, match="insufficient-tokens") as refused:
        await books.tokens.record("alice", 998, idempotency_key="dear")
    assert refused.value.figures == {"needed": "998", "available": "990"}
    anew = await books.tokens.reset("alice", idempotency_key="anew")
    assert (anew.token_balance, anew.tokens_spent, anew.generations) == (1000, 0, 0)
    assert [(each.spent, each.generations) for each in anew.history] == [(10, 2)]
    kinds = [each.kind for each in await books.credits.movements("alice", asset="tokens")]
    assert kinds == [Kind.ADJUSTMENT, Kind.SPEND, Kind.SPEND, Kind.GRANT], "the journal stays"


@pytest.mark.parametrize(
    ("environment", "figures"), [("development", (750, 250)), ("other", (100, 0))]
)
async def test_the_test_user_is_there_from_the_start(
    books: Comptoir, environment: str, figures: tuple[int, int]
) -> None:
    """In the test book, once, and never in the live one."""
    for _ in range(2):
        await tokens.seed_test_user(books.app.till, environment)
    async with Comptoir.on(books.app, TEST) as tested:
        there = await tested.tokens.stats("test-user-id")
    assert (there.token_balance, there.tokens_spent) == figures
    assert (await books.tokens.stats("test-user-id")).token_balance == 0


async def test_what_makes_no_sense_is_refused(books: Comptoir) -> None:
    for cost in (0, -1, 1.5, True):
        with pytest.raises(Invalid, match="amount"):
            await books.tokens.record("alice", cost, idempotency_key="k")  # pyright: ignore[reportArgumentType]
    with pytest.raises(NotFound, match="unknown-customer"):
        await books.tokens.reset("nobody", idempotency_key="anew")
    with pytest.raises(Invalid, match="before"):
        await books.tokens.statements("alice", before="November")


def test_both_doors_give_one_answer(site: Site, database: Database) -> None:
    site.post("/api/tokens/alice/add", {"amount": 10, "reason": "Gift"}, key="add")
    with waiting.Comptoir.open(database.app_url) as books:
        repeat = books.tokens.add("alice", 10, reason="Gift", idempotency_key="add")
        assert (repeat.replayed, repeat.token_balance) == (True, 10)
        books.tokens.record("alice", 3, idempotency_key="article")
        sent = site.post("/api/tokens/alice/generations", {"cost": 3}, key="article")
        assert sent.headers["idempotent-replayed"] == "true"
        there, here = stats(site), books.tokens.stats("alice")
    assert there["token_balance"] == here.token_balance == 7
    assert there["history"] == [
        {"month": each.month, "spent": each.spent, "generations": each.generations}
        for each in here.history
    ]


def test_statements_of_months_that_have_ended(site: Site, database: Database) -> None:
    site.post("/api/tokens/alice/add", {"amount": 10, "reason": "Gift"})
    site.sql(
        "INSERT INTO comptoir.statements SELECT 1, a.id, m.month, gen_random_uuid(),"
        " a.customer_id, now(), now(), m.spent, 1, 20000000, 'eur', m.spent * 2, 'none' FROM"
        " comptoir.accounts a, (VALUES (date '2026-08-01', 4), (date '2026-09-01', 5)) m"
        " (month, spent) WHERE a.customer_id IS NOT NULL"
    )
    with waiting.Comptoir.open(database.app_url) as books:
        newest, older = books.tokens.statements("alice")
        assert (newest.month, newest.spent, newest.billed) == ("2026-09", 5, Money(10, "eur"))
        assert books.tokens.statements("alice", before=newest.month) == (older,)
        assert books.tokens.statements("nobody") == ()
