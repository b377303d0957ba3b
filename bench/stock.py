"""Claim: a flash sale sells what there is and no more, at five times the rate of a locked row."""

import asyncio
import statistics
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import psycopg

from bench import ours, serving, stock_peers
from bench.database import checkpoint
from bench.measure import Run, median_ratio
from bench.ours import BOOK
from bench.scale import QUICK, Scale
from bench.serving import Server, Site
from bench.stock_load import PATH, SIZE, Sale, Sold, sell
from bench.stock_peers import FORMS, RESERVE, Form
from bench.tables import Table, number, times, verdict
from comptoir.app import Urls, open_app
from comptoir.config import Settings
from comptoir.domains.stock import commands
from comptoir.domains.stock.commands import SizeTerms, Terms
from comptoir.domains.stock.model import ASSET, MovementType, OnRefund
from comptoir.flows import restocking
from comptoir.flows.restocking import Wanted
from comptoir.store.migrate import migrate
from comptoir.store.pool import begin

BUYERS: Final = 10_000
UNITS: Final = 100
CONNECTIONS: Final = 500
REFUSAL_P99: Final = 500.0
OF_FOR_UPDATE: Final = 5.0
_ALL_SECONDS: Final = 120.0
_NO = count(1)

# Raw sums over the journal and the rows beside it; nothing of ours computes any of them.
_TRUTH: Final = """
SELECT
    (SELECT coalesce(sum(m.amount), 0) FROM comptoir.movements m
        WHERE m.book_id = s.book_id AND m.account_id = s.account_id)::bigint,
    (SELECT count(*) FROM comptoir.movements m
        WHERE m.book_id = s.book_id AND m.account_id = s.account_id AND m.kind = 'hold'),
    (SELECT coalesce(max(m.held), 0) FROM comptoir.movements m
        WHERE m.book_id = s.book_id AND m.account_id = s.account_id)::bigint,
    (SELECT coalesce(sum(h.amount - h.captured), 0) FROM comptoir.holds h
        WHERE h.book_id = s.book_id AND h.account_id = s.account_id AND h.state = 'open')::bigint,
    (SELECT coalesce(sum(l.quantity), 0) FROM comptoir.order_lines l
        JOIN comptoir.orders o ON o.book_id = l.book_id AND o.id = l.order_id
        WHERE l.book_id = s.book_id AND l.account_id = s.account_id
            AND o.status = 'reserved')::bigint,
    a.posted, a.held
FROM comptoir.sizes s
JOIN comptoir.accounts a ON a.book_id = s.book_id AND a.id = s.account_id
WHERE s.book_id = %s AND s.product = %s AND s.size = %s"""


@dataclass(slots=True)
class Stall:
    """Where the sales are held."""

    url: str
    site: Site
    scale: Scale
    server: Server
    peers: Server

    @property
    def buyers(self) -> int:
        return 1_000 if self.scale == QUICK else BUYERS

    async def put(self, units: int) -> str:
        """A new product with so many units; its name."""
        product = f"FLASH-{next(_NO)}"
        await put(self.url, product, units)
        stock_peers.put(self.url, product, units)
        return product

    async def ours(self, product: str) -> Sold:
        return await self._sell(self.server, product, PATH)

    async def form(self, product: str, form: Form) -> Run:
        path = RESERVE.replace("{form}", str(FORMS.index(form)))
        sold = await self._sell(self.peers, product, path)
        assert sold.refused.calls == 0, "there was enough"
        return sold.everybody

    async def _sell(self, server: Server, product: str, path: str) -> Sold:
        seconds = self.scale.seconds * 3 if path != PATH else _ALL_SECONDS
        sale = Sale(
            server.port, self.site.key, product, self.buyers, CONNECTIONS, seconds,
            serving.prefix(), path,
        )  # fmt: skip
        checkpoint(self.url)
        return await asyncio.get_running_loop().run_in_executor(self.site.clients, sell, sale)


async def put(url: str, product: str, units: int) -> None:
    """Sell a product of one size, with so many units in stock."""
    async with open_app(Settings.model_validate({"DATABASE_URL": url}), Urls(url, url)) as app:
        asset = await app.directory.asset(BOOK, ASSET)
        terms = Terms(product, "Flash", 2_500, "eur", OnRefund.RESTOCK, [SizeTerms(SIZE, 0)])
        async with begin(app.till.pool) as tx:
            await commands.put_product(tx, BOOK, asset.id, terms)
        said = Wanted(product, SIZE, MovementType.RESTOCK, units, "delivered", None, product)
        await restocking.move(app.till, BOOK, said)


def set_aside(url: str, product: str, units: int | None = None) -> int:
    """How many units are set aside, by raw sums over the journal.

    Fails when any two figures of it are not the same: the lines of the journal, the balance after
    the last of them, the open holds, the orders' lines.
    """
    [row] = _sql(url, _TRUTH, BOOK, product, SIZE)
    posted, lines, most, held, ordered, account_posted, account_held = row
    assert posted == account_posted, f"{posted} units in the journal, {account_posted} beside it"
    assert units in {None, posted}, f"{posted} of {units} units"
    said = {lines, most, held, ordered, account_held}
    assert len(said) == 1, f"figures of what is set aside differ: {said}"
    return held


def _sql(url: str, statement: str, *given: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement.encode(), given or None).fetchall()


async def measure(url: str, scale: Scale) -> list[Table]:
    seed(url)
    async with _opened(url, scale) as stall:
        return [await _flash(stall), await _all_succeed(stall)]


def seed(url: str) -> None:
    """Make both schemas anew."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS comptoir CASCADE")
    migrate(url)
    stock_peers.seed(url)


@asynccontextmanager
async def _opened(url: str, scale: Scale) -> AsyncIterator[Stall]:
    async with (
        serving.site(url) as site,
        serving.ours(url, 1) as server,
        serving.peers(url, 1, "bench.stock_peers") as peers,
    ):
        yield Stall(url, site, scale, server, peers)


async def _flash(stall: Stall) -> Table:
    """Far more buyers than units."""
    found: list[Sold] = []
    for _ in range(stall.scale.repetitions):
        product = await stall.put(UNITS)
        sold = await stall.ours(product)
        assert len(set(sold.ids)) == sold.reserved.calls == UNITS, f"{sold.reserved.calls} sold"
        assert set_aside(stall.url, product, UNITS) == UNITS, "oversold"
        found.append(sold)
        await ours.check(stall.url, full=False)
        print(_line("flash", sold.everybody), flush=True)
    table = Table(
        f"{number(stall.buyers)} buyers, {UNITS} units, {CONNECTIONS} connections, one worker",
        ("what", "median", "range", "target"),
    )
    table.add("reservations", number(UNITS), "the same in every turn", f"{UNITS}: met")
    table.add("oversold, by raw SQL over the journal", "0", "the same in every turn", "0: met")
    p99 = [each.refused.percentile(0.99) for each in found]
    middle = statistics.median(p99)
    target = f"{REFUSAL_P99:.0f}: {verdict(middle, REFUSAL_P99, most=True)}"
    table.add("refusals, p99 ms", f"{middle:.1f}", f"{min(p99):.1f} to {max(p99):.1f}", target)
    _add(table, "refusals, p50 ms", [each.refused.percentile(0.5) for each in found])
    _add(table, "reservations, p99 ms", [each.reserved.percentile(0.99) for each in found])
    _add(table, "answers/s", [each.everybody.rate for each in found])
    return table


def _add(table: Table, what: str, values: Sequence[float]) -> None:
    shown = number if min(values) >= 1_000 else "{:.1f}".format
    middle = shown(statistics.median(values))
    table.add(what, middle, f"{shown(min(values))} to {shown(max(values))}", "")


@dataclass(slots=True)
class Turns:
    """What each party did, turn after turn."""

    ours: list[Run] = field(default_factory=list[Run])
    forms: list[list[Run]] = field(default_factory=lambda: [[] for _ in FORMS])


async def _all_succeed(stall: Stall) -> Table:
    """As many units as buyers; everybody has an order at the end."""
    turns = Turns()
    for _ in range(stall.scale.repetitions):
        product = await stall.put(stall.buyers)
        sold = await stall.ours(product)
        assert sold.reserved.calls == stall.buyers, f"{sold.refused.calls} were refused"
        assert set_aside(stall.url, product, stall.buyers) == stall.buyers, "oversold"
        turns.ours.append(sold.everybody)
        print(_line("ours", sold.everybody), flush=True)
        for form, runs in zip(FORMS, turns.forms, strict=True):
            runs.append(await stall.form(await stall.put(stall.buyers), form))
            print(_line(form.name, runs[-1]), flush=True)
        stock_peers.check(stall.url)
    await ours.check(stall.url, full=True)
    title = f"{number(stall.buyers)} units, every buyer gets one, {CONNECTIONS} connections"
    return _compared(f"{title}, one worker", turns)


def _compared(title: str, turns: Turns) -> Table:
    columns = ("who", "reservations/s", "range", "p50 ms", "p99 ms", "ours is", "target")
    table = Table(title, columns)
    table.add("ours", *_figures(turns.ours), "", "")
    best: dict[object, float] = {}
    for form, runs in zip(FORMS, turns.forms, strict=True):
        rate = statistics.median(run.rate for run in runs)
        best[form.make] = max(best.get(form.make, 0.0), rate)
    for form, runs in zip(FORMS, turns.forms, strict=True):
        ratio = median_ratio(turns.ours, runs)
        is_best = statistics.median(run.rate for run in runs) == best[form.make]
        judged = ""
        if is_best and form.make is FORMS[0].make:
            judged = f"{times(OF_FOR_UPDATE)}: {verdict(ratio, OF_FOR_UPDATE)}"
        name = f"{form.name}, the best" if is_best else form.name
        table.add(name, *_figures(runs), times(ratio), judged)
    return table


def _figures(runs: Sequence[Run]) -> tuple[str, str, str, str]:
    rates = [run.rate for run in runs]
    half, most = (statistics.median(run.percentile(p) for run in runs) for p in (0.5, 0.99))
    middle, span = statistics.median(rates), f"{number(min(rates))} to {number(max(rates))}"
    return number(middle), span, f"{half:.1f}", f"{most:.1f}"


def _line(who: str, run: Run) -> str:
    tail = f"p50 {run.percentile(0.5):.1f} ms, p99 {run.percentile(0.99):.1f} ms"
    return f"{who}: {run.rate:.0f}/s of {run.calls}, {run.refused} refused, {tail}"
