"""The ledger inside of a transaction of the caller's own, together with his rows."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from psycopg import AsyncConnection, Connection

from comptoir.app import App
from comptoir.kit.errors import ComptoirError, Misuse
from comptoir.ledger.model import Answer
from comptoir.ledger.requests import Chain
from comptoir.library import blocking, blocking_guards
from comptoir.library.caching import JoinedCache
from comptoir.library.engine import Engine
from comptoir.library.guarding import JoinedGuards
from comptoir.library.jobs import JoinedJobs
from comptoir.library.ledger import BatchLedger
from comptoir.library.portal import Errands, Portal
from comptoir.library.verbs import Verbs
from comptoir.store.door import Door
from comptoir.store.joined import (
    Fetch,
    JoinedNames,
    Row,
    check_joinable,
    check_joinable_sync,
    fetch_joined,
    fetch_joined_sync,
)
from comptoir.store.ledger import execute, execute_sync


@dataclass(frozen=True, slots=True)
class Transaction:
    """An open transaction. What its verbs do commits with it, and is undone with it.

    Accounts that it has changed stay locked until it ends: keep it short, and the network out of
    it. Two of them that lock the same accounts in another order may meet in a deadlock, which
    PostgreSQL ends by refusing one with `psycopg.errors.DeadlockDetected`: repeat it as a whole,
    or let `Comptoir.commit` do that.

    Attributes:
        connection: the psycopg connection, for the caller's own statements.
        credits: the verbs. ledger: batches and transfers.
        jobs: enqueueing.
        guards: locks, calls that are made once, counters.
        cache: what is to be forgotten once it has committed.
    """

    connection: AsyncConnection[Any]
    credits: Verbs
    ledger: BatchLedger
    jobs: JoinedJobs
    guards: JoinedGuards
    cache: JoinedCache


@dataclass(frozen=True, slots=True)
class BlockingTransaction:
    """The same for callers who wait."""

    connection: Connection[Any]
    credits: blocking.Verbs
    ledger: blocking.BatchLedger
    jobs: blocking_guards.JoinedJobs
    guards: blocking_guards.JoinedGuards
    cache: blocking_guards.JoinedCache


async def join(
    app: App, book: int, connection: AsyncConnection[Any], cache: JoinedCache
) -> Transaction:
    """The verbs, inside of the transaction that is open on `connection`.

    Raises:
        Misuse: what the verbs do would not commit with the caller's own rows.
    """
    await check_joinable(connection)
    facts = await app.directory.facts(book)

    async def fetch(query: str, parameters: Sequence[object]) -> list[Row]:
        return await fetch_joined(connection, query, parameters)

    async def submit(chain: Chain) -> list[Answer]:
        [answers] = await execute(connection, book, facts, [chain], app.ledger_clock)
        return answers

    async def submit_each(chains: Sequence[Chain]) -> list[list[Answer] | ComptoirError]:
        return [*await execute(connection, book, facts, chains, app.ledger_clock)]

    door = Door(book, JoinedNames(app.directory, fetch), submit, submit_each)
    engine = _engine(app, door, fetch)
    jobs = JoinedJobs(app, book, connection)
    guards = JoinedGuards(app, book, connection)
    return Transaction(connection, Verbs(engine), BatchLedger(engine), jobs, guards, cache)


def join_blocking(
    app: App,
    book: int,
    connection: Connection[Any],
    portal: Portal,
    cache: blocking_guards.JoinedCache,
) -> BlockingTransaction:
    """The same on a connection without async, which only the caller's own thread touches.

    Raises:
        Misuse: what the verbs do would not commit with the caller's own rows.
    """
    check_joinable_sync(connection)
    facts = portal.run(app.directory.facts(book))
    errands = Errands(portal)

    async def fetch(query: str, parameters: Sequence[object]) -> list[Row]:
        return await errands.do(partial(fetch_joined_sync, connection, query, parameters))

    async def submit(chain: Chain) -> list[Answer]:
        [answers] = await errands.do(
            partial(execute_sync, connection, book, facts, [chain], app.ledger_clock)
        )
        return answers

    async def submit_each(chains: Sequence[Chain]) -> list[list[Answer] | ComptoirError]:
        return [
            *await errands.do(
                partial(execute_sync, connection, book, facts, chains, app.ledger_clock)
            )
        ]

    door = Door(book, JoinedNames(app.directory, fetch), submit, submit_each)
    engine = _engine(app, door, fetch)
    return BlockingTransaction(
        connection,
        blocking.Verbs(errands.waiting, Verbs(engine)),
        blocking.BatchLedger(errands.waiting, BatchLedger(engine)),
        blocking_guards.JoinedJobs(app, book, connection),
        blocking_guards.JoinedGuards(app, book, connection),
        cache,
    )


def _engine(app: App, door: Door, fetch: Fetch) -> Engine:
    async def only_door() -> Door:
        return door

    return Engine(app, door.book, only_door, fetch)


async def connection_of(given: object) -> AsyncConnection[Any]:
    """The psycopg connection of a caller: his own, or the one under his SQLAlchemy session.

    Raises:
        Misuse: it is neither, or another driver's.
    """
    found = given
    if not isinstance(found, AsyncConnection):
        # Whoever has one has loaded SQLAlchemy, which takes as long as loading all of ours.
        theirs = sys.modules.get("sqlalchemy.ext.asyncio")
        if theirs is not None and isinstance(found, theirs.AsyncSession):
            found = await cast("Any", found).connection()
        if theirs is not None and isinstance(found, theirs.AsyncConnection):
            found = (await cast("Any", found).get_raw_connection()).driver_connection
    if not isinstance(found, AsyncConnection):
        raise Misuse("connection-unknown", fix="pass psycopg's, or SQLAlchemy's on psycopg")
    return cast("AsyncConnection[Any]", found)


def blocking_connection_of(given: object) -> Connection[Any]:
    """The psycopg connection of a caller: his own, or SQLAlchemy's or Django's.

    Raises:
        Misuse: it is none of these, or another driver's.
    """
    found = given
    if not isinstance(found, Connection):
        orm, core = sys.modules.get("sqlalchemy.orm"), sys.modules.get("sqlalchemy")
        if orm is not None and isinstance(found, orm.Session):
            found = cast("Any", found).connection()
        if core is not None and isinstance(found, core.Connection):
            found = cast("Any", found).connection.driver_connection
        elif hasattr(found, "ensure_connection"):  # Django's, whose classes need its settings
            wrapper = cast("Any", found)
            wrapper.ensure_connection()
            found = wrapper.connection
    if not isinstance(found, Connection):
        raise Misuse("connection-unknown", fix="pass psycopg's, or SQLAlchemy's or Django's on it")
    return cast("Connection[Any]", found)
