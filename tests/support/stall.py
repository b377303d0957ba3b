"""A stall of a shop for tests: products in sizes, orders, and one check of every stock figure."""

import re
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx2

from comptoir.app import App
from comptoir.domains.stock import commands, queries
from comptoir.domains.stock.commands import SizeTerms, Terms
from comptoir.domains.stock.counts.cells import unescaped
from comptoir.domains.stock.model import Item, MovementType, OnRefund, Order, OrderStatus
from comptoir.flows import checkout, counting, reserving, restocking
from comptoir.flows.charging import Page
from comptoir.flows.checkout import Begun, Wanted
from comptoir.flows.restocking import Wanted as Move
from comptoir.jobs.worker import Crew, Worker
from comptoir.store.pool import begin
from comptoir.web.server import create_app
from tests.support.shop import LIVE, Shop

_NUMBERS = count()
VISA = "pm_card_visa"
DECLINED = "pm_card_visa_chargeDeclined"


async def put(
    shop: Shop,
    product: str = "TEE",
    sizes: Mapping[str, int] | None = None,
    *,
    amount: int = 2500,
    low_at: int = 0,
    on_refund: OnRefund = OnRefund.RESTOCK,
) -> None:
    """Sell a product, with so many of each size."""
    wanted = {"M": 5} if sizes is None else sizes
    asset = await shop.till.directory.asset(LIVE, "stock")
    terms = [SizeTerms(size, low_at) for size in wanted]
    async with begin(shop.till.pool) as tx:
        said = Terms(product, product.title(), amount, "eur", on_refund, terms)
        await commands.put_product(tx, LIVE, asset.id, said)
    shop.till.shelf.forget()
    for size, quantity in wanted.items():
        if quantity:
            await move(shop, quantity, product=product, size=size)


async def move(
    shop: Shop,
    quantity: int,
    type_: MovementType = MovementType.RESTOCK,
    *,
    product: str = "TEE",
    size: str = "M",
    key: str | None = None,
) -> Any:  # noqa: ANN401
    key = key or f"move-{next(_NUMBERS)}"
    wanted = Move(product, size, type_, quantity, "as delivered", None, key)
    return await restocking.move(shop.till, LIVE, wanted)


async def order(
    shop: Shop,
    *items: tuple[str, str, int],
    customer: str | None = "alice",
    key: str | None = None,
    page: Page | None = None,
    cancels: bool = False,
) -> Begun:
    """Begin a checkout: of one TEE in M by default."""
    wanted = [Item(*each) for each in items or [("TEE", "M", 1)]]
    key = key or f"order-{next(_NUMBERS)}"
    said = Wanted(items=wanted, customer=customer, key=key, page=page, cancels=cancels)
    return await checkout.start(shop.till, LIVE, said)


def pay(shop: Shop, begun: Begun, method: str = VISA) -> Any:  # noqa: ANN401
    """What a buyer's browser does; a card that is declined is no error here."""
    if begun.checkout_url is not None:
        return shop.pay(begun, method)  # pyright: ignore[reportArgumentType]  # it has the same page
    try:
        said = {"payment_method": method, "return_url": "http://shop.test/"}
        return shop.provider.v1.payment_intents.confirm(begun.intent, said)
    except Exception as error:  # the SDK's
        if type(error).__name__ != "CardError":
            raise
        return shop.provider.v1.payment_intents.retrieve(begun.intent)


async def found(shop: Shop, begun: Begun) -> Order:
    async with begin(shop.till.pool) as tx:
        return await queries.order(tx, LIVE, begun.order)


async def status(shop: Shop, begun: Begun) -> OrderStatus:
    return (await found(shop, begun)).status


async def figures(shop: Shop, product: str = "TEE", size: str = "M") -> tuple[int, int, int]:
    """Stock, reserved and available."""
    async with begin(shop.till.pool) as tx:
        of = await queries.size(tx, LIVE, product, size)
    return of.stock, of.reserved, of.available


async def given_up(shop: Shop, begun: Begun) -> None:
    """What must never happen, and did to somebody who restored a backup."""
    async with begin(shop.till.pool) as tx:
        lost = await queries.lock(tx, LIVE, begun.order)
        await reserving.give_up(tx, shop.till, lost, OrderStatus.EXPIRED)


def money_back(shop: Shop) -> list[int]:
    return [each.amount for each in shop.provider.v1.refunds.list().data]


async def jobs(shop: Shop) -> int:
    """Work off the jobs that wait."""
    app = shop.app
    worker = Worker(app.worker_url, app.pool, Crew(app.duties, chance=app.chance))
    done = 0
    for queue in ("default", "email"):
        done += await worker.work_off(queue, 100)
    return done


async def agreed(shop: Shop) -> None:
    """Every figure of stock is what raw sums over the journal say, and the books balance."""
    rows = shop.sql(
        """SELECT s.product, s.size, a.posted, a.held,
            (SELECT coalesce(sum(m.amount), 0) FROM comptoir.movements m
                WHERE m.book_id = s.book_id AND m.account_id = s.account_id)::bigint,
            (SELECT coalesce(sum(l.quantity), 0) FROM comptoir.orders o
                JOIN comptoir.order_lines l ON l.book_id = o.book_id AND l.order_id = o.id
                WHERE o.book_id = s.book_id AND o.status = 'reserved'
                    AND l.account_id = s.account_id)::bigint,
            (SELECT coalesce(sum(CASE WHEN o.number IS NULL THEN 0 ELSE l.quantity END), 0)
                FROM comptoir.orders o
                JOIN comptoir.order_lines l ON l.book_id = o.book_id AND l.order_id = o.id
                WHERE o.book_id = s.book_id AND l.account_id = s.account_id)::bigint,
            (SELECT coalesce(-sum(m.amount), 0) FROM comptoir.movements m
                WHERE m.book_id = s.book_id AND m.account_id = s.account_id
                    AND m.kind IN ('capture', 'spend'))::bigint
        FROM comptoir.sizes s
        JOIN comptoir.accounts a ON a.book_id = s.book_id AND a.id = s.account_id
        ORDER BY 1, 2"""
    )
    shown, exported = await over_http(shop), await in_a_file(shop)
    for product, size, posted, held, journal, reserved, ordered, sold in rows:
        place = f"{product} {size}"
        assert posted == journal, place
        assert held == reserved, place
        assert sold == ordered, place
        assert 0 <= held <= posted, place
        there = (posted, held, posted - held)
        assert await figures(shop, product, size) == there, place
        if (product, size) in exported:  # what is sold no more is shown nowhere
            assert exported[product, size] == there, place
        assert shown.sizes.get((product, size)) == exported.get((product, size)), place
    wanted: Counter[str] = Counter()
    for product, _, _, held, *_ in rows:
        wanted[product] += held
    assert shown.units == +wanted
    [(active,)] = shop.sql(
        "SELECT count(*) FROM comptoir.orders WHERE book_id = 1 AND status = 'reserved'"
    )
    assert shown.active == active
    await shop.balanced()


@dataclass(frozen=True, slots=True)
class Shown:
    """What anybody sees over HTTP: figures of each size, and those of Prometheus."""

    sizes: dict[tuple[str, str], tuple[int, int, int]]
    units: Counter[str]
    active: int


async def over_http(shop: Shop) -> Shown:
    @asynccontextmanager
    async def make() -> AsyncGenerator[App]:
        yield shop.app

    counter = create_app(make)
    number = next(_NUMBERS)  # strangers, each from an address of his own: none calls too often
    transport = httpx2.ASGITransport(counter, client=(f"10.0.{number // 250}.{number % 250}", 1))
    async with (
        counter.router.lifespan_context(counter),
        httpx2.AsyncClient(transport=transport, base_url="http://shop.test") as http,
    ):
        products = (await http.get("/api/stock/products", params={"limit": 100})).json()["items"]
        metrics = (await http.get("/metrics")).text
    sizes = {
        (each["product"], of["size"]): (
            of["stock"], of["reserved_stock"], of["available_stock"],
        )
        for each in products
        for of in each["sizes"]
    }  # fmt: skip
    units = re.findall(
        r'^comptoir_reserved_units\{book="1",product="(.*)"\} (\d+)', metrics, re.MULTILINE
    )
    [active] = re.findall(r'^comptoir_reservations_active\{book="1"\} (\d+)', metrics, re.MULTILINE)
    return Shown(sizes, Counter({name: int(count) for name, count in units}), int(active))


async def in_a_file(shop: Shop) -> dict[tuple[str, str], tuple[int, int, int]]:
    """What the file of all that is sold says."""
    rows = [row async for page in counting.export(shop.till, LIVE) for row in page]
    return {(row[0], unescaped(row[1])): (int(row[6]), int(row[7]), int(row[8])) for row in rows}
