"""Tokens by the month: a statement of each, once, however often and by how many it is made."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from comptoir.domains.credits.deciding import decide
from comptoir.domains.credits.model import Ask, Op
from comptoir.flows import tokens
from comptoir.flows.till import Till
from comptoir.jobs.model import Job
from comptoir.kit.errors import Conflict
from comptoir.kit.limits import DAY
from tests.support.shop import Shop, together

pytestmark = pytest.mark.pg


async def move(shop: Shop, op: Op, amount: int | None, key: str, **more: Any) -> Any:  # noqa: ANN401
    async def priced(*_: object) -> Any:  # noqa: ANN401
        raise AssertionError

    asked = Ask(op=op, key=key, customer="alice", asset="tokens", amount=amount, **more)
    return await decide(await shop.app.door(1), priced, asked)


async def months(shop: Shop) -> list[str]:
    """Two months that are over and this one: tokens are spent in each; their first days."""
    today = datetime.now(UTC).date()
    firsts = [today.replace(day=1)]
    for _ in range(2):
        before = firsts[0].toordinal() - 1
        firsts.insert(0, date.fromordinal(before).replace(day=1))
    for number, first in enumerate(firsts):
        shop.ahead[0] = (first.toordinal() + (number < 2) * 9 - today.toordinal()) * DAY
        if number == 2:
            shop.ahead[0] = 0
        if not number:
            await move(shop, Op.GRANT, 1000, "g")
        for each in range(3):
            await move(shop, Op.SPEND, 10 * (number + 1), f"s-{number}-{each}")
    return [first.isoformat() for first in firsts]


def made(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.sql(
        "SELECT month::text, spent, generations, amount, currency, invoice IS NOT NULL"
        " FROM comptoir.statements ORDER BY month"
    )


async def run(till: Till, times: int) -> list[int]:
    job = Job(uuid4(), 1, tokens.TYPE, {}, 1)
    done = await together(*(tokens.make_statements(till, job) for _ in range(times)))
    return [each["statements"] for each in done]


async def test_each_month_has_one_statement(shop: Shop) -> None:
    first, second, _ = await months(shop)
    till = replace(shop.till, terms=replace(shop.till.terms, token_price=2_000_000))
    assert sum(await run(till, 4)) == 2
    assert sum(await run(till, 2)) == 0
    assert made(shop) == [(first, 30, 3, 6, "eur", False), (second, 60, 3, 12, "eur", False)]
    told = shop.sql("SELECT count(*) FROM comptoir.outbox WHERE type = 'statement.made'")
    assert told == [(2,)]


async def test_a_statement_is_billed_once(shop: Shop) -> None:
    await months(shop)
    billed = replace(shop.till.terms, token_price=100_000_000, token_billing="stripe_invoice")
    till = replace(shop.till, terms=billed)
    await run(till, 3)
    await run(till, 1)
    invoices = shop.provider.v1.invoices.list().data
    assert sorted(each.total for each in invoices) == [300, 600]
    assert len(shop.provider.v1.invoice_items.list().data) == 2
    assert [row[-1] for row in made(shop)] == [True, True]


async def test_figures_by_month_and_a_new_beginning(shop: Shop) -> None:
    first, second, third = await months(shop)
    found = await tokens.stats(shop.till, 1, "alice")
    assert (found.balance, found.counted.spent, found.counted.generations) == (820, 180, 9)
    history = [(str(each.month), each.spent) for each in found.counted.months]
    assert history == [(first, 30), (second, 60), (third, 90)]
    for repeated in (False, True):
        again, replayed = await tokens.reset(shop.till, 1, "alice", "reset")
        assert (again.balance, again.counted.spent, replayed) == (1000, 0, repeated)
    await move(shop, Op.SPEND, 5, "after")
    again = await tokens.stats(shop.till, 1, "alice")
    assert (again.balance, again.counted.spent, again.counted.generations) == (995, 5, 1)
    await shop.balanced()


async def test_a_reset_that_changed_nothing_is_not_done_by_its_repeat(shop: Shop) -> None:
    await months(shop)
    for key in ("first", "nothing to change"):
        await tokens.reset(shop.till, 1, "alice", key)
    await move(shop, Op.SPEND, 5, "after")
    again, replayed = await tokens.reset(shop.till, 1, "alice", "nothing to change")
    assert (again.balance, again.counted.spent, replayed) == (995, 5, True)
    with pytest.raises(Conflict, match="idempotency-key-reused"):
        await tokens.reset(shop.till, 1, "bob", "first")
