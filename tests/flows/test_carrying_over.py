"""What allowances have left at their end is carried over: once, and up to a cap."""

import time
from itertools import permutations

import pytest

from comptoir.flows import carrying_over, stocking
from comptoir.kit.limits import SECOND
from tests.support.reader import Reader, jobs, spend
from tests.support.sandbox import DAY
from tests.support.shop import Shop, together

pytestmark = pytest.mark.pg
M = 1_000_000
OTHERS = ("customer.subscription.created", "customer.subscription.updated")


@pytest.mark.parametrize(("left", "carried"), [(150, 100), (60, 60), (0, 0)])
async def test_what_is_left_is_carried_over_up_to_a_cap(
    shop: Shop, reader: Reader, left: int, carried: int
) -> None:
    await reader.begin()
    await shop.hear()
    await spend(shop, 200 - left)
    reader.go_to_end()
    await shop.hear()
    [job] = jobs(shop, "billing.rollover")
    [(first, second)] = shop.sql("SELECT min(expires_at), max(expires_at) FROM comptoir.lots")
    shop.ahead[0] = int((first.timestamp() - time.time() + 20) * SECOND)
    done = await together(*(carrying_over.carry_over(shop.till, job) for _ in range(3)))
    assert sorted(each["carried"] or 0 for each in done) == [0, 0, carried * M]
    assert shop.balance() == (200 + carried) * M
    assert await reader.allowance() == [200, 200, *([carried] if carried else [])]
    lots = shop.sql("SELECT expires_at FROM comptoir.lots WHERE source = 'rollover'")
    assert lots == ([(second,)] if carried else [])
    await shop.balanced()


async def half_way(reader: Reader) -> None:
    """From the start of a period to its middle."""
    [(starts, ends)] = reader.shop.sql("SELECT starts_at, ends_at FROM comptoir.subscriptions")
    reader.go_on((ends - starts).total_seconds() / DAY / 2)


async def carry(shop: Shop) -> list[int]:
    """Let time pass to the end of the first period, and do what waits, each three times at once."""
    [(first,)] = shop.sql("SELECT min(expires_at) FROM comptoir.lots WHERE source = 'plan'")
    shop.ahead[0] = int((first.timestamp() - time.time() + 20) * SECOND)
    due = jobs(shop, "billing.rollover") * 3
    done = await together(*(carrying_over.carry_over(shop.till, job) for job in due))
    return sorted(each["carried"] // M for each in done if each and each["carried"] is not None)


@pytest.mark.parametrize(("left", "carried"), [(600, 500), (450, 450), (150, 150), (0, 0)])
async def test_after_a_change_what_is_left_of_both_is_carried_over(
    shop: Shop, reader: Reader, left: int, carried: int
) -> None:
    """Two invoices gave 200 and 400 that end together; the second one's plan lets 500 over."""
    await reader.begin()
    await shop.hear()
    await half_way(reader)
    reader.switch("enterprise")
    await shop.hear()
    if left < 600:
        await spend(shop, 600 - left)
    reader.go_to_end()
    await shop.hear(times=2, seed=10)
    assert await carry(shop) == [carried]
    assert await carry(shop) == []
    assert shop.balance() == (1000 + carried) * M
    assert await reader.allowance() == [200, 400, 1000, *([carried] if carried else [])]
    ends = shop.sql("SELECT max(expires_at) FROM comptoir.lots WHERE source = 'plan'")
    lots = shop.sql("SELECT expires_at FROM comptoir.lots WHERE source = 'rollover'")
    assert lots == (ends if carried else [])
    [(noted,)] = shop.sql("SELECT sum(carried) FROM comptoir.allowances WHERE carried IS NOT NULL")
    assert noted == carried * M
    await shop.balanced()


async def test_the_cap_is_that_of_the_plan_at_the_end(shop: Shop, reader: Reader) -> None:
    """A plan that lets nothing over lets nothing over of what another one gave before it."""
    catalogue = stocking.read()
    catalogue.version += 1
    catalogue.plans[1].allowances[0].rollover = None
    await stocking.seed(shop.till, 1, catalogue)
    await reader.begin()
    await shop.hear()
    await half_way(reader)
    reader.switch("enterprise")
    await shop.hear()
    reader.go_to_end()
    await shop.hear()
    assert await carry(shop) == [0]
    assert shop.balance() == 1000 * M


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_it_is_carried_over_once_whatever_invoice_is_heard_of_first(
    shop: Shop, reader: Reader, order: tuple[int, ...]
) -> None:
    await reader.begin()
    await shop.hear(*OTHERS)
    await half_way(reader)
    reader.switch("enterprise")
    reader.go_to_end()
    await shop.hear(*OTHERS)
    paid = shop.events("invoice.paid")
    for number in order:
        await shop.keep([paid[number]])
        await shop.work()
    assert len(paid) == 3
    assert await carry(shop) == [500]
    await shop.keep([each | {"id": f"{each['id']}x"} for each in paid])
    await shop.work()
    assert await carry(shop) == []
    assert sorted(await reader.allowance()) == [200, 400, 500, 1000]
    assert shop.balance() == 1500 * M
    [(reference,)] = shop.sql(
        "SELECT n.reference FROM comptoir.lots l JOIN comptoir.notes n"
        " USING (book_id, account_id, version) WHERE l.source = 'rollover'"
    )
    assert reference == paid[1]["data"]["object"]["id"]
