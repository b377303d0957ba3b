"""What each kind of trouble does, and when: the schedule at work."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import psycopg

from comptoir.cli.throwaway import BOOK
from comptoir.cli.torture.caller import Caller
from comptoir.cli.torture.postgres import kill_backend, kill_postmaster
from comptoir.cli.torture.program import ARTICLES, HOT
from comptoir.cli.torture.schedule import CROWDS, LOCKABLE, Kind, Trouble
from comptoir.cli.torture.site import Site
from comptoir.cli.torture.tally import Tally
from comptoir.kit.errors import Unavailable
from comptoir.store.pool import Limits, connect

_ROWS: Final = (*HOT, *ARTICLES)
assert len(_ROWS) == LOCKABLE, "the schedule counts them without knowing them"

_LOCK_ROWS: Final = """
SELECT a.id FROM comptoir.accounts a
LEFT JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id
WHERE a.book_id = %s AND coalesce(c.customer, a.name) = ANY(%s) ORDER BY a.id FOR UPDATE OF a"""

_PATIENCE: Final = 5.0
"""Seconds for which a trouble looks for its victim."""

_LOOK: Final = 0.05


@dataclass(frozen=True, slots=True)
class Stage:
    """What troubles work on."""

    site: Site
    callers: Sequence[Caller]
    tally: Tally


Play = Callable[[Stage, Trouble], Awaitable[str | None]]
"""Does one trouble; returns who met it, or None when there is nobody just now."""


async def go_through(troubles: Sequence[Trouble], stage: Stage) -> None:
    """Let every trouble happen at its moment; a late one does not keep the next."""
    begun = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for trouble in troubles:
            await asyncio.sleep(begun + trouble.at / 1_000 - time.monotonic())
            group.create_task(_play(trouble, stage))


async def _play(trouble: Trouble, stage: Stage) -> None:
    """Do it as soon as there is a victim: whoever was killed before takes a while to come back."""
    deadline = time.monotonic() + _PATIENCE
    met = await PLAYS[trouble.kind](stage, trouble)
    while met is None and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK)
        met = await PLAYS[trouble.kind](stage, trouble)
    if met is not None:
        stage.tally.troubles[trouble.kind] += 1
        stage.tally.lines.append((trouble.at, trouble.kind, met))


async def _kill_server(stage: Stage, trouble: Trouble) -> str | None:
    if not stage.site.keepers[trouble.victim].strike(trouble.figure):
        return None
    clock = f" {trouble.figure:+d} s" if trouble.figure else ""
    return f"{trouble.victim + 1}{clock}"


async def _kill_postgres(stage: Stage, trouble: Trouble) -> str | None:
    del trouble
    is_killed = await asyncio.to_thread(kill_postmaster, stage.site.home.folder)
    return "postgres" if is_killed else None


async def _kill_backend(stage: Stage, trouble: Trouble) -> str | None:
    folder = stage.site.home.folder
    is_killed = await asyncio.to_thread(kill_backend, folder, trouble.victim)
    return "postgres: backend" if is_killed else None


async def _lock_rows(stage: Stage, trouble: Trouble) -> str | None:
    """Two rows, from a connection that knows nothing of the rules of the ledger."""
    names = [_ROWS[trouble.victim], _ROWS[(trouble.victim + len(HOT)) % len(_ROWS)]]
    limits, met = Limits(), None
    with suppress(Unavailable, psycopg.Error):  # PostgreSQL may be killed meanwhile
        connection = await connect(stage.site.urls.owner, limits, lock=limits.lock)
        async with connection, connection.transaction():
            await connection.execute(_LOCK_ROWS, (BOOK, names))
            met = f"{', '.join(names)} {trouble.figure / 1_000:g} s"
            await asyncio.sleep(trouble.figure / 1_000)
    return met


async def _kill_redis(stage: Stage, trouble: Trouble) -> str | None:
    del trouble
    redis = stage.site.redis
    return "redis" if redis is not None and redis.kill() else None


async def _freeze_redis(stage: Stage, trouble: Trouble) -> str | None:
    redis, seconds = stage.site.redis, trouble.figure / 1_000
    return f"redis {seconds:g} s" if redis is not None and await redis.freeze(seconds) else None


async def _flush_redis(stage: Stage, trouble: Trouble) -> str | None:
    del trouble
    redis = stage.site.redis
    return "redis" if redis is not None and await redis.flush() else None


async def _hang_up(stage: Stage, trouble: Trouble) -> str | None:
    gone = sum(caller.hang_up() for caller in stage.callers[trouble.victim :: CROWDS])
    return str(gone) if gone else None


PLAYS: Final[Mapping[Kind, Play]] = {
    Kind.KILL_SERVER: _kill_server,
    Kind.SHIFT_CLOCK: _kill_server,
    Kind.KILL_POSTGRES: _kill_postgres,
    Kind.KILL_BACKEND: _kill_backend,
    Kind.LOCK_ROWS: _lock_rows,
    Kind.KILL_REDIS: _kill_redis,
    Kind.FREEZE_REDIS: _freeze_redis,
    Kind.FLUSH_REDIS: _flush_redis,
    Kind.HANG_UP: _hang_up,
}
