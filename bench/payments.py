"""Claim: money comes in quickly: webhooks, their effects, and from paid to a balance."""

import asyncio
import statistics
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Final

import aiohttp
import psycopg

from bench import serving
from bench.client import HOST
from bench.database import checkpoint
from bench.measure import Run
from bench.ours import BOOK, check, seed
from bench.scale import QUICK, Scale
from bench.serving import Server, Site
from bench.tables import Table, number, verdict
from bench.webhooks import Pattern, Round, deliver, purchase_id
from comptoir.app import Urls, open_app
from comptoir.app.sandbox import Place
from comptoir.config import Settings
from comptoir.flows.inbox_work import Clerk, Handled

INTAKE: Final = 500
INTAKE_P99: Final = 25.0
EFFECTS: Final = 300
PAID_P95: Final = 300.0
GROWN: Final = 0.85
BACKLOG: Final = 10_000
"""Events, two of each purchase."""

_OPEN_SECONDS: Final = 5
_PAID: Final = 60
_ROWS: Final = 1_000_000
_ENDS_WITHIN: Final = 300.0
_PAUSE: Final = 0.002

_PURCHASES: Final = (
    """
    INSERT INTO comptoir.payments (book_id, id, customer_id, purpose, amount, currency, livemode,
        status, session, details)
    SELECT %(book)s, t.id, c.id, 'pack', 1900, 'eur', false, 'open',
        'cs_test_bench' || lpad(t.number::text, 8, '0'), '{"pack": "100", "adds_tax": false}'
    FROM unnest(%(ids)s::uuid[], %(numbers)s::integer[]) AS t(id, number)
    JOIN comptoir.customers c ON c.book_id = %(book)s
        AND c.customer = 'customer-' || t.number %% 10000""",
    """
    INSERT INTO comptoir.purchases (book_id, id, customer_id, pack, pack_version, asset_id, credits)
    SELECT p.book_id, p.id, p.customer_id, k.pack, k.version, k.asset_id, k.credits
    FROM comptoir.payments p
    JOIN comptoir.packs k ON k.book_id = p.book_id AND k.pack = '100' AND k.version = 1
    WHERE p.book_id = %(book)s AND p.id = ANY(%(ids)s)""",
)

# What a busy year leaves: events that are done, with their effects, and bodies of their own.
_FILL: Final = """
INSERT INTO comptoir.inbox (book_id, source, event_id, type, object_id, livemode, occurred_at,
    received_at, via, state, attempts, due_at, done_at, effects, body)
SELECT i.book_id, i.source, 'evt_old' || n, i.type, 'pi_old' || n / 2, i.livemode,
    i.occurred_at - (%(rows)s - n) * interval '10 seconds',
    i.received_at - (%(rows)s - n) * interval '10 seconds', i.via, i.state, i.attempts, NULL,
    i.done_at - (%(rows)s - n) * interval '10 seconds', i.effects,
    CASE WHEN n > %(rows)s * 3 / 4 THEN replace(i.body, i.event_id, 'evt_old' || n) END
FROM generate_series(1, %(rows)s) n
JOIN (SELECT *, row_number() OVER (ORDER BY event_id) AS no FROM comptoir.inbox LIMIT 2) i
    ON i.no = 1 + n %% 2"""

_EVENTS: Final = """
SELECT event_id, body FROM comptoir.inbox ORDER BY type = 'checkout.session.completed', event_id"""

_OUT_OF_ORDER: Final = """
SELECT count(*) FROM comptoir.inbox a JOIN comptoir.inbox b USING (book_id, source, object_id)
WHERE (a.occurred_at, a.event_id) < (b.occurred_at, b.event_id) AND a.done_at > b.done_at
    AND a.event_id LIKE 'evt_bench%%' AND a.event_id >= %s"""

_NOT_ONCE: Final = """
SELECT count(*) FROM comptoir.payments p WHERE p.session LIKE 'cs_test_bench%' AND (
    SELECT count(*) FROM comptoir.payment_grants g
    WHERE (g.book_id, g.payment_id) = (p.book_id, p.id)) <> 1"""


@dataclass(slots=True)
class Desk:
    """A shop with a sandbox, and what its first purchase looked like.

    Attributes:
        numbers: purchases that no run has used yet.
    """

    url: str
    home: Path
    site: Site
    scale: Scale
    pattern: Pattern | None = None
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def backlog(self) -> int:
        return 4_000 if self.scale == QUICK else BACKLOG

    @property
    def rows(self) -> int:
        return 50_000 if self.scale == QUICK else _ROWS

    def purchases(self, many: int) -> int:
        """So many new ones that wait for their money; the number of the first."""
        numbers = [next(self.numbers) for _ in range(many)]
        ids = [purchase_id(each) for each in numbers]
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in _PURCHASES:
                given = {"book": BOOK, "ids": ids, "numbers": numbers}
                connection.execute(statement.encode(), given)
            connection.execute("VACUUM ANALYZE")
        checkpoint(self.url)
        return numbers[0]

    async def deliver(self, server: Server, events: int, rate: float | None = None) -> Run:
        """Real HTTP, signed, shuffled."""
        place = Place.read(self.home)
        assert place is not None, "the server has a sandbox"
        assert self.pattern is not None, "there was a purchase"
        asked = Round(
            server.port, place.secret, self.pattern, self.purchases(events // 2), events // 2, rate
        )
        return await asyncio.get_running_loop().run_in_executor(self.site.clients, deliver, asked)

    def sql(self, statement: str, *given: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(statement.encode(), given or None).fetchall()


async def measure(url: str, scale: Scale) -> list[Table]:
    await seed(url)
    with TemporaryDirectory(prefix="comptoir-bench-", ignore_cleanup_errors=True) as folder:
        async with serving.site(url) as site:
            desk = Desk(url, Path(folder), site, scale)
            paid = await _paid(desk)
            small = await _turns(desk)
            _fill(desk)
            large = await _turns(desk)
    _right(desk)
    await check(url, full=True)
    return [_table(desk, small, large), paid]


@dataclass(slots=True)
class Found:
    """What the turns with an inbox of one size have seen."""

    intake: list[Run] = field(default_factory=list[Run])
    steady: list[Run] = field(default_factory=list[Run])
    beside: list[Run] = field(default_factory=list[Run])
    effects: list[float] = field(default_factory=list[float])


async def _turns(desk: Desk) -> Found:
    found = Found()
    for _ in range(desk.scale.repetitions):
        steady = INTAKE * _OPEN_SECONDS
        first = next(desk.numbers)
        async with serving.selling(desk.url, desk.home, "--no-worker") as server:
            found.steady.append(await desk.deliver(server, steady, INTAKE))
            found.intake.append(await desk.deliver(server, desk.backlog - steady))
        found.effects.append(await _drained(desk))
        [[out_of_order]] = desk.sql(_OUT_OF_ORDER, f"evt_bench{first:08}")
        assert not out_of_order, f"{out_of_order} events were handled before an older one"
        async with serving.selling(desk.url, desk.home) as server:
            found.beside.append(await desk.deliver(server, steady, INTAKE))
        await _drained(desk)
        print(
            f"intake {found.intake[-1].rate:.0f}/s, p99 {found.steady[-1].percentile(0.99):.1f} ms,"
            f" with the clerk {found.beside[-1].percentile(0.99):.1f} ms,"
            f" effects {found.effects[-1]:.0f}/s",
            flush=True,
        )
    return found


async def _drained(desk: Desk) -> float:
    """Work off everything in this process, as `comptoir worker` does; events a second."""
    waiting = desk.sql("SELECT count(*) FROM comptoir.inbox WHERE due_at IS NOT NULL")[0][0]
    if not waiting:
        return 0.0
    checkpoint(desk.url)
    done = asyncio.Event()
    left = waiting

    def told(handled: Handled, error: Exception | None) -> None:
        nonlocal left
        assert error is None, f"{handled}: {error}"
        left -= handled.state == "done"
        if not left:
            done.set()

    async with _clerk(desk, told) as clerk, asyncio.TaskGroup() as tasks:
        begun = perf_counter()
        task = tasks.create_task(clerk.work())
        async with asyncio.timeout(_ENDS_WITHIN):
            await done.wait()
        seconds = perf_counter() - begun
        task.cancel()
    return waiting / seconds


@asynccontextmanager
async def _clerk(desk: Desk, told: Any) -> AsyncIterator[Clerk]:  # noqa: ANN401
    settings = Settings.model_validate({"DATABASE_URL": desk.url, "COMPTOIR_HOME": desk.home})
    async with open_app(settings, Urls(desk.url, desk.url)) as app:
        yield Clerk(app.till, told)


def _fill(desk: Desk) -> None:
    print(f"writing {desk.rows:,} events", flush=True)
    with psycopg.connect(desk.url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute(_FILL.encode(), {"rows": desk.rows})
        connection.execute("VACUUM ANALYZE")
    checkpoint(desk.url)


def _right(desk: Desk) -> None:
    """Every purchase was granted once."""
    [[not_once]] = desk.sql(_NOT_ONCE)
    assert not not_once, f"{not_once} purchases were not granted once"


async def _paid(desk: Desk) -> Table:
    """From the click on the sandbox's page to a balance that others can read."""
    waits: list[float] = []
    headers = {"Authorization": f"Bearer {desk.site.key}"}
    async with (
        serving.selling(desk.url, desk.home) as server,
        aiohttp.ClientSession(f"http://{HOST}:{server.port}", headers=headers) as shop,
    ):
        first = await _buy(shop, 0)
        await _balance_after(shop, 0, first)
        desk.pattern = _pattern(desk, first)
        for customer in range(1, _PAID + 1):
            page = await _buy(shop, customer)
            waits.append(await _balance_after(shop, customer, page))
    waits.sort()
    p95 = waits[int(len(waits) * 0.95)] * 1_000
    table = Table("From paid at the sandbox to a changed balance, one worker", ("", "ms", "target"))
    table.add("p50", f"{statistics.median(waits) * 1_000:.0f}", "")
    table.add("p95", f"{p95:.0f}", f"{PAID_P95:.0f}: {verdict(p95, PAID_P95, most=True)}")
    return table


async def _buy(shop: aiohttp.ClientSession, customer: int) -> dict[str, str]:
    said = {"customer": f"customer-{customer}", "pack": "100"}
    headers = {"Idempotency-Key": f"bench-{customer}"}
    async with shop.post("/api/credits/buy", json=said, headers=headers) as answer:
        begun = await answer.json()
        assert answer.status == 201, begun
        return begun


async def _balance_after(
    shop: aiohttp.ClientSession, customer: int, begun: dict[str, str]
) -> float:
    """Pay, and ask for the balance until it is another one; the seconds that it took."""
    before = await _balance(shop, customer)
    start = perf_counter()
    said = {"method": "pm_card_visa", "email": "buyer@example.com"}
    async with shop.post(begun["checkout_url"], data=said, allow_redirects=False) as answer:
        assert answer.status == 303, await answer.text()
    while await _balance(shop, customer) == before:
        assert perf_counter() - start < _ENDS_WITHIN, "no balance has changed"
        await asyncio.sleep(_PAUSE)
    return perf_counter() - start


async def _balance(shop: aiohttp.ClientSession, customer: int) -> str:
    async with shop.get(f"/api/credits/balance?customer=customer-{customer}") as answer:
        said = await answer.json()
        assert answer.status == 200, said
        return said["balance"]


def _pattern(desk: Desk, begun: dict[str, str]) -> Pattern:
    rows = desk.sql(_EVENTS)
    [[intent, session, created]] = desk.sql(
        "SELECT p.intent, p.session, (i.body::json->>'created')::bigint"
        " FROM comptoir.payments p, comptoir.inbox i WHERE i.type = 'payment_intent.succeeded'"
    )
    events = tuple(row[0] for row in rows)
    bodies = tuple(row[1] for row in rows)
    assert len(events) == 2, "a purchase has two events"
    return Pattern(bodies, events, begun["purchase"], intent, session, created)


def _table(desk: Desk, small: Found, large: Found) -> Table:
    middle = statistics.median
    table = Table(
        f"Webhooks on one worker, inbox empty and with {desk.rows:,} events",
        ("what", "empty", "grown", "target", "grown / empty"),
    )
    for what, name, least in (
        ("intake, 32 connections, /s", "intake", INTAKE),
        (f"effects, {number(desk.backlog)} events waiting, /s", "effects", EFFECTS),
    ):
        before, after = (
            middle(each if isinstance(each, float) else each.rate for each in getattr(found, name))
            for found in (small, large)
        )
        ratio = after / before
        table.add(
            what, number(before), number(after), f"{least}: {verdict(min(before, after), least)}",
            f"{ratio:.0%}, {GROWN:.0%}: {verdict(ratio, GROWN)}",
        )  # fmt: skip
    for what, name in (
        (f"intake at {INTAKE}/s, p99 ms", "steady"),
        (f"intake at {INTAKE}/s while their effects are applied beside it, p99 ms", "beside"),
    ):
        before, after = (
            middle(run.percentile(0.99) for run in getattr(found, name)) for found in (small, large)
        )
        judged = f"{INTAKE_P99:.0f}: {verdict(max(before, after), INTAKE_P99, most=True)}"
        table.add(what, f"{before:.1f}", f"{after:.1f}", judged, f"{after / before:.0%}")
    return table
