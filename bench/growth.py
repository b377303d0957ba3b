"""Claim: it stays fast as it grows: ten million movements, a thousand lots, a thousandth page."""

import asyncio
import statistics
import subprocess
import sys
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Final

import psycopg

from bench.database import checkpoint
from bench.measure import Bounds, Run, Workload, closed_loop, hot, uniform
from bench.ours import BOOK, FILLED, Ours, check, seed
from bench.scale import QUICK, Scale
from bench.tables import Table, number, verdict
from comptoir import Comptoir
from comptoir.kit.ids import request_id
from comptoir.ledger.requests import Grant
from comptoir.store.batch import Batch
from comptoir.store.pool import Limits, open_pool
from comptoir.store.verify import verify

GROWN: Final = 0.85
MANY_LOTS: Final = 0.60
VERIFY_SECONDS: Final = 1.0
IMPORT_SECONDS: Final = 0.4
PAGES_APART: Final = 1.25
"""Two medians of a millisecond each are equal when they are no further apart."""

LOTS: Final = 1_000
PAGE: Final = 20
_CALLERS: Final = 64
_SEED: Final = 20_261
_REPEAT: Final = 200
_IMPORTS: Final = 15
_SPENT_MEANWHILE: Final = 1_000

# Spends of one credit each, as the ledger would have written them, seals and all.
_GROW: Final = (
    """
    INSERT INTO comptoir.movements (book_id, account_id, version, contra_id, amount, posted, held,
        debt, filled, kind, at, request_id, lots, parts, hold_id, reverses, seal)
    SELECT m.*, hash_record_extended(m, 0) FROM (
        SELECT a.book_id, a.id, v, %(revenue)s::bigint, -1::bigint, a.posted - (v - a.version),
            0::bigint, 0::bigint, a.filled, 'spend'::text,
            a.at + (v - a.version) * interval '1 microsecond',
            decode(md5(a.id || '-' || v), 'hex'), ARRAY[1], ARRAY[-1::bigint], NULL::bytea,
            NULL::bigint
        FROM comptoir.accounts a, generate_series(a.version + 1, a.version + %(lines)s) AS v
        WHERE a.book_id = %(book)s AND a.id = ANY(%(accounts)s)
    ) m""",
    """
    INSERT INTO comptoir.requests (book_id, id, mark, op, outcome, account_id, version,
        mirror_version, expires_at, captured, late, needed, available, at, seal)
    SELECT r.*, hash_record_extended(r, 0) FROM (
        SELECT m.book_id, m.request_id, decode(md5(m.version::text), 'hex'), 'spend'::text,
            'created'::text, m.account_id, m.version, NULL::bigint, NULL::timestamptz, NULL::bigint,
            false, NULL::bigint, NULL::bigint, m.at
        FROM comptoir.accounts a
        JOIN comptoir.movements m ON m.book_id = a.book_id AND m.account_id = a.id
            AND m.version > a.version
        WHERE a.book_id = %(book)s AND a.id = ANY(%(accounts)s)
    ) r""",
    """
    UPDATE comptoir.lots l SET remaining = l.remaining - %(lines)s,
        seal = hash_record_extended(ROW(l.book_id, l.account_id, l.no, l.source, l.priority,
            l.expires_at, l.granted, l.remaining - %(lines)s::bigint, l.pinned, l.plain, l.lapsed,
            l.open, l.paid, l.tax, l.currency, l.version), 0)
    WHERE l.book_id = %(book)s AND l.account_id = ANY(%(accounts)s) AND l.no = 1""",
    """
    UPDATE comptoir.accounts a SET posted = a.posted - %(lines)s, version = a.version + %(lines)s,
        at = a.at + %(lines)s * interval '1 microsecond',
        seal = hash_record_extended(ROW(a.book_id, a.id, a.asset_id, a.customer_id, a.name,
            a.bounded, a.posted - %(lines)s::bigint, a.held, a.debt, a.floor, a.filled,
            a.version + %(lines)s::bigint, a.lots_made, a.open_lots, a.next_expiry,
            a.at + %(lines)s * interval '1 microsecond'), 0)
    WHERE a.book_id = %(book)s AND a.id = ANY(%(accounts)s)""",
)


async def measure(url: str, scale: Scale) -> list[Table]:
    ours = await seed(url)
    small = await _rates(ours, scale, "small")
    movements = 1_000_000 if scale == QUICK else 10_000_000
    each = movements // len(ours.accounts)
    print(f"writing {movements:,} movements", flush=True)
    grow(url, ours, ours.accounts, each)
    grow(url, ours, ours.accounts[:1], 100_000)
    large = await _rates(ours, scale, "large")
    table = Table(
        f"Spends/s through the library door, {_CALLERS} callers, journal empty and with"
        f" {movements:,} movements",
        ("workload", "empty", "grown", "grown / empty", "target"),
    )
    for name, before in small.items():
        ratio = large[name].rate / before.rate
        judged = f"{GROWN:.0%}: {verdict(ratio, GROWN)}"
        row = (name, number(before.rate), number(large[name].rate), f"{ratio:.0%}", judged)
        table.add(*row)
    lots = await _lots(ours, scale)
    pages = await _pages(url)
    return [table, lots, pages, await _verified(ours, movements), _imported()]


def grow(url: str, ours: Ours, accounts: list[int], lines: int) -> None:
    """Let accounts have that many more spends behind them."""
    values = {"book": BOOK, "revenue": ours.asset.revenue, "lines": lines, "accounts": accounts}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET work_mem = '256MB'")
        for statement in _GROW:
            connection.execute(statement.encode(), values)
        connection.execute("VACUUM ANALYZE")
    checkpoint(url)


async def _rates(ours: Ours, scale: Scale, prefix: str) -> dict[str, Run]:
    """The median of several runs of each workload."""
    loads = {
        "one hot account": Workload("hot", _CALLERS, hot(scale.calls)),
        "uniform over 10,000": Workload("uniform", _CALLERS, uniform(scale.calls, _SEED)),
    }
    found: dict[str, list[Run]] = {name: [] for name in loads}
    bounds = Bounds(scale.calls, scale.seconds)
    for turn in range(scale.repetitions + 1):  # the first one warms up
        for place, (name, load) in enumerate(loads.items()):
            async with ours.open(ours.url) as spend:
                run = await closed_loop(spend, load, bounds, f"{prefix}{turn}{place}")
            if turn:
                found[name].append(run)
    return {
        name: sorted(runs, key=lambda run: run.rate)[len(runs) // 2] for name, runs in found.items()
    }


async def _lots(ours: Ours, scale: Scale) -> Table:
    """The last account gets a thousand lots, burnt one after the other; the one before has one."""
    table = Table(
        f"Spends/s on one account by its open lots, {_CALLERS} callers",
        ("lots", "spends/s", "of one lot", "target"),
    )
    many, one = len(ours.accounts) - 1, len(ours.accounts) - 2
    async with Batch(ours.url, BOOK, ours.facts, Limits()) as batch, asyncio.TaskGroup() as group:
        for place in range(LOTS - 1):
            grant = Grant(
                request_id(BOOK, f"lot-{place}"), b"lots" * 4, ours.accounts[many],
                ours.asset.issuer, FILLED // LOTS, priority=place % 50,
                expires_at=4_000_000_000_000_000 + place,
            )  # fmt: skip
            group.create_task(batch.submit((grant,)))
    bounds = Bounds(scale.calls, scale.seconds)
    rates: dict[int, float] = {}
    for name, place in ((1, one), (LOTS, many)):
        runs: list[float] = []
        for turn in range(scale.repetitions + 1):
            load = Workload("lots", _CALLERS, [place] * scale.calls)
            async with ours.open(ours.url) as spend:
                run = await closed_loop(spend, load, bounds, f"lots{name}{turn}")
            runs.append(run.rate)
        rates[name] = statistics.median(runs[1:])
    share = rates[LOTS] / rates[1]
    table.add("1", number(rates[1]), "100%", "")
    table.add(
        number(LOTS), number(rates[LOTS]), f"{share:.0%}",
        f"{MANY_LOTS:.0%}: {verdict(share, MANY_LOTS)}",
    )  # fmt: skip
    return table


async def _pages(url: str) -> Table:
    """The newest page of an account with 100,000 movements, and its thousandth."""
    table = Table(
        "A page of 20 movements of an account that has 100,000",
        ("page", "p50 ms", "of the first", "target"),
    )
    async with Comptoir.open(url) as books:
        [newest] = await books.credits.movements("customer-0", limit=1)
        assert newest.seq > 100_000, "the account has grown"
        far = newest.seq - 999 * PAGE
        first = await _median(lambda: books.credits.movements("customer-0", limit=PAGE))
        last = await _median(lambda: books.credits.movements("customer-0", limit=PAGE, before=far))
    ratio = last / first
    table.add("first", f"{first * 1e3:.2f}", "1.00x", "")
    judged = f"{PAGES_APART}x: {verdict(ratio, PAGES_APART, most=True)}"
    table.add("1,000th", f"{last * 1e3:.2f}", f"{ratio:.2f}x", judged)
    return table


async def _median(call: Callable[[], Awaitable[object]]) -> float:
    seconds: list[float] = []
    for _ in range(_REPEAT):
        began = perf_counter()
        await call()
        seconds.append(perf_counter() - began)
    return statistics.median(seconds)


async def _verified(ours: Ours, movements: int) -> Table:
    table = Table(
        f"`comptoir verify` at {movements:,} movements",
        ("what", "seconds", "target"),
    )
    began = perf_counter()
    await check(ours.url, full=True)
    table.add("full, from the beginning", f"{perf_counter() - began:.1f}", "")
    async with ours.open(ours.url) as spend:
        for place in range(_SPENT_MEANWHILE):
            await spend(place, f"meanwhile-{place}")
    async with open_pool(ours.url, Limits()) as pool:
        began = perf_counter()
        found = await verify(pool, None, full=False)
        seconds = perf_counter() - began
    assert found.balanced, f"our books do not balance: {found.drift[:3]}"
    judged = f"{VERIFY_SECONDS:.0f} s: {verdict(seconds, VERIFY_SECONDS, most=True)}"
    table.add(f"incremental, after {_SPENT_MEANWHILE:,} more", f"{seconds:.2f}", judged)
    return table


def _imported() -> Table:
    """The time of a fresh interpreter with `import comptoir`, and of one with nothing."""
    table = Table("`import comptoir` in a fresh interpreter", ("median s", "range", "target"))
    seconds: list[float] = []
    for _ in range(_IMPORTS):
        empty, full = (_interpreter(program) for program in ("", "import comptoir"))
        seconds.append(full - empty)
    middle = statistics.median(seconds)
    judged = f"{IMPORT_SECONDS} s: {verdict(middle, IMPORT_SECONDS, most=True)}"
    table.add(f"{middle:.2f}", f"{min(seconds):.2f} to {max(seconds):.2f}", judged)
    return table


def _interpreter(program: str) -> float:
    began = perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return perf_counter() - began
