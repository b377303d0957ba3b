"""Buyers who all want the last units, of ours and of django-oscar, on one PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import count
from time import perf_counter
from typing import Any, Final

import aiohttp
import psycopg

from bench import ours, serving, stock
from bench.client import HOST
from bench.race_env import PROCESSES, THREADS, NotHere, Shop, python
from bench.scale import Scale
from bench.stock_load import PATH, SIZE
from bench.tables import Table

BUYERS: Final = 20
UNITS: Final = 5
RUNS: Final = 3
_ATTRIBUTE = "csrftoken"
_NO = count(1)

_PLACED: Final = """
SELECT r.num_in_stock, coalesce(r.num_allocated, 0),
    (SELECT coalesce(sum(l.quantity), 0) FROM order_line l
        JOIN order_order o ON o.id = l.order_id WHERE l.stockrecord_id = r.id)
FROM partner_stockrecord r WHERE r.product_id = %s"""

Buy = Callable[[], Awaitable[bool]]
"""The last step of a purchase; whether the buyer was told that it is his."""

Open = Callable[[int, str], Awaitable[Sequence[Buy]]]


@dataclass(frozen=True, slots=True)
class Found:
    """What one race has brought.

    Attributes:
        told: buyers who were told that they have it.
        booked: units that the database has given away, by raw SQL.
    """

    told: int
    booked: int
    seconds: float

    @property
    def oversold(self) -> int:
        return max(0, self.booked - UNITS)


@dataclass(slots=True)
class Party:
    """One of those who race.

    Attributes:
        how: what its buyers ask, in a few words.
        stage: puts so many units on sale under a name, and leads buyers up to the last step.
        booked: units of that name that are given away.
    """

    name: str
    how: str
    stage: Callable[[str], Awaitable[list[Buy]]]
    booked: Callable[[str], int]

    async def race(self, *, at_once: bool) -> Found:
        """All buyers take the last step: one after the other, or at once."""
        name = f"RACE-{next(_NO)}"
        buyers = await self.stage(name)
        begun = perf_counter()
        told = await (_at_once(buyers) if at_once else _in_turn(buyers))
        return Found(told, self.booked(name), perf_counter() - begun)


async def _in_turn(buyers: Sequence[Buy]) -> int:
    return sum([await buy() for buy in buyers])


async def _at_once(buyers: Sequence[Buy]) -> int:
    start = asyncio.Event()

    async def wait(buy: Buy) -> bool:
        await start.wait()
        return await buy()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(wait(buy)) for buy in buyers]
        await asyncio.sleep(0)
        start.set()
    return sum(task.result() for task in tasks)


async def measure(url: str, _scale: Scale) -> list[Table]:
    table = Table(
        f"{BUYERS} buyers, {UNITS} units, {datetime.now(UTC):%Y-%m-%d}",
        ("who", "asked", "in turn", "at once", "oversold", "ms at once"),
    )
    await _add_ours(url, table)
    try:
        found = await asyncio.to_thread(python)
    except NotHere as error:
        print(f"\n!!! django-oscar CANNOT BE INSTALLED HERE; no figures of it !!!\n{error}\n")
        table.add("django-oscar", "could not be installed on this machine", "", "", "", "")
        return [table]
    async with _oscar(Shop(url, found)) as party:
        await _add(table, party)
    return [table]


async def _add_ours(url: str, table: Table) -> None:
    stock.seed(url)
    async with _comptoir(url) as party:
        await _add(table, party)
    await ours.check(url, full=True)


async def _add(table: Table, party: Party) -> None:
    controls = [await party.race(at_once=False) for _ in range(RUNS)]
    for control in controls:
        if (control.told, control.booked) != (UNITS, UNITS):
            raise SystemExit(f"{party.name} is set up wrong: {control} one after the other")
    races = [await party.race(at_once=True) for _ in range(RUNS)]
    table.add(
        party.name, party.how, _listed(each.booked for each in controls),
        _listed(each.booked for each in races), _listed(each.oversold for each in races),
        _listed(f"{each.seconds * 1000:.0f}" for each in races),
    )  # fmt: skip
    print(" | ".join(table.rows[-1]), [each.told for each in races], flush=True)


def _listed(values: Any) -> str:  # noqa: ANN401  # whatever can be written
    return ", ".join(map(str, values))


@asynccontextmanager
async def _comptoir(url: str) -> AsyncIterator[Party]:
    """Two processes of `comptoir serve`; half of the buyers ask each."""
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(serving.site(url))
        servers = [await stack.enter_async_context(serving.ours(url, 1)) for _ in range(PROCESSES)]
        shop = await stack.enter_async_context(aiohttp.ClientSession())

        async def stage(name: str) -> list[Buy]:
            await stock.put(url, name, UNITS)
            return [buyer(name, number) for number in range(BUYERS)]

        def buyer(name: str, number: int) -> Buy:
            server = servers[number % PROCESSES]
            asked = {
                "items": [{"product": name, "size": SIZE, "quantity": 1}],
                "reference": f"{name}-{number}",
            }
            headers = {
                "Authorization": f"Bearer {site.key}", "Idempotency-Key": f"{name}-{number}",
            }  # fmt: skip

            async def buy() -> bool:
                address = f"http://{HOST}:{server.port}{PATH}"
                async with shop.post(address, json=asked, headers=headers) as answer:
                    said = await answer.json(content_type=None)
                    if answer.status == 400 and said["code"] == "insufficient-stock":
                        return False
                    assert answer.status == 201, said
                    return True

            return buy

        def booked(name: str) -> int:
            return stock.set_aside(url, name)

        how = f"POST {PATH}, {PROCESSES} processes of `comptoir serve`"
        yield Party(f"Comptoir {version('comptoir')}", how, stage, booked)


@asynccontextmanager
async def _oscar(peer: Shop) -> AsyncIterator[Party]:
    """Its own pages, from the basket to the order, by as many threads as buyers."""
    await asyncio.to_thread(peer.prepare)
    ids: dict[str, int] = {}
    async with peer.serving(), AsyncExitStack() as stack:

        async def stage(name: str) -> list[Buy]:
            ids[name] = await asyncio.to_thread(peer.put, name, UNITS)
            return [await buyer(name, number) for number in range(BUYERS)]

        async def buyer(name: str, number: int) -> Buy:
            jar = aiohttp.CookieJar(unsafe=True)  # which takes cookies of an address in figures
            session = aiohttp.ClientSession(f"http://{HOST}:{peer.port}", cookie_jar=jar)
            browser = Browser(await stack.enter_async_context(session))
            await browser.fill_basket(ids[name], f"buyer-{number}@example.com")
            return browser.place_order

        def booked(name: str) -> int:
            with psycopg.connect(peer.url, autocommit=True) as connection:
                row = connection.execute(_PLACED, (ids[name],)).fetchone()
            assert row is not None, "it is sold"
            in_stock, allocated, ordered = row
            assert in_stock == UNITS, "nothing was sent yet"
            assert allocated == ordered, f"{allocated} allocated, {ordered} ordered"
            return ordered

        how = f"its checkout, gunicorn with {PROCESSES} processes of {THREADS} threads"
        yield Party(peer.versions, how, stage, booked)


class Browser:
    """One buyer at django-oscar's own pages."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._token = ""

    async def fill_basket(self, product: int, email: str) -> None:
        """Everything up to the page on which the order is placed."""
        async with self._session.get("/basket/") as page:
            assert page.status == 200, await page.text()
            self._token = page.cookies[_ATTRIBUTE].value
        await self._post(f"/basket/add/{product}/", quantity="1")
        to = await self._post("/checkout/", username=email, options="anonymous")
        assert to.endswith("/shipping-address/"), to
        address = {
            "first_name": "A", "last_name": "Buyer", "line1": "1 rue Haute", "line4": "Paris",
            "postcode": "75001", "phone_number": "", "notes": "",
        }  # fmt: skip
        to = await self._post("/checkout/shipping-address/", **address)
        assert to.endswith("/shipping-method/"), to
        for step in ("shipping-method", "payment-method"):
            async with self._session.get(f"/checkout/{step}/", allow_redirects=False) as page:
                assert page.status == 302, await page.text()

    async def place_order(self) -> bool:
        """The last step: whether there was a page that says thank you."""
        to = await self._post("/checkout/preview/", action="place_order")
        return to.endswith("/thank-you/")

    async def _post(self, path: str, **fields: str) -> str:
        """Send a form; where it leads to."""
        form = {"csrfmiddlewaretoken": self._token, **fields}
        async with self._session.post(path, data=form, allow_redirects=False) as page:
            assert page.status == 302, f"{path}: {page.status} {(await page.text())[:2000]}"
            return page.headers["Location"]
