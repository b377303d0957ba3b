"""Connections: the only place that opens them, with limits on how long anything may take."""

from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString, cast

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolTimeout

from comptoir.kit.errors import OutcomeUnknown, Unavailable
from comptoir.store.gate import explained

Pool = AsyncConnectionPool[AsyncConnection]
BlockingPool = ConnectionPool[Connection]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take, in seconds, and how many there may be.

    Attributes:
        statement: one statement of a request.
        lock: how long the slow lane waits for a row that somebody else holds.
        writer_lock: how long the group commit may wait for anything at all: a little longer than
            another process's commit takes.
        connect: opening a connection, or getting one from the pool.
        pool: connections for reading.
        lanes: slow lanes, and so connections, of one book in one process.
        queue: requests that may wait for the group commit of one book in one process.
        batch: requests that share one commit.
        lane_queue: requests that may wait for one busy account.
        in_flight: how long a repeat waits for the request that it repeats.
        reconnect: how long the fate of a commit is looked into after a lost connection.
    """

    statement: float = 10.0
    lock: float = 5.0
    writer_lock: float = 0.05
    connect: float = 5.0
    pool: int = 8
    lanes: int = 8
    queue: int = 20_000
    batch: int = 1_000
    lane_queue: int = 5_000
    in_flight: float = 2.0
    reconnect: float = 10.0


def options(*, statement: float, lock: float) -> str:
    """The libpq options that bound statements and locks of a session.

    Generic plans are forced: every statement is an index look-up whatever its parameters are, and
    planning each one anew costs as much as running it for one request.
    """
    return (
        f"-c statement_timeout={int(statement * 1000)} -c lock_timeout={int(lock * 1000)}"
        f" -c idle_in_transaction_session_timeout={int(statement * 2000)} -c timezone=UTC"
        " -c plan_cache_mode=force_generic_plan"
    )


async def connect(url: str, limits: Limits, *, lock: float) -> AsyncConnection:
    """A connection of one's own, in autocommit mode.

    Raises:
        Unavailable: the database cannot be reached in time.
    """
    try:
        return await AsyncConnection.connect(
            url,
            autocommit=True,
            connect_timeout=max(1, int(limits.connect)),
            options=options(statement=limits.statement, lock=lock),
            application_name="comptoir",
        )
    except psycopg.OperationalError as error:
        raise Unavailable("database-down") from error


def open_pool(url: str, limits: Limits) -> Pool:
    """A pool for reading and for short transactions, not yet open. Shared by all tasks."""
    return AsyncConnectionPool(
        url,
        min_size=1,
        max_size=limits.pool,
        timeout=limits.connect,
        # A longer one lets the pause between two attempts grow with the outage, up to its length.
        reconnect_timeout=limits.connect,
        open=False,
        kwargs={
            "autocommit": True,
            "options": options(statement=limits.statement, lock=limits.lock),
            "application_name": "comptoir",
        },
    )


@asynccontextmanager
async def begin(pool: Pool) -> AsyncGenerator[AsyncConnection]:
    """A transaction that commits when the block ends well, and rolls back otherwise.

    Raises:
        Unavailable: no connection could be had in time, or it was lost, or the books are moving.
    """
    try:
        with explained():
            async with AsyncExitStack() as stack:
                yield await _started(pool, stack)
    except (PoolTimeout, psycopg.OperationalError) as error:
        raise Unavailable("database-down") from error


@asynccontextmanager
async def begin_for_caller(pool: Pool) -> AsyncGenerator[AsyncConnection]:
    """A transaction for a caller's own statements, whose errors he gets as they are.

    Raises:
        Unavailable: no connection could be had in time.
        OutcomeUnknown: the connection was lost at COMMIT.
    """
    inside: BaseException | None = None
    try:
        async with AsyncExitStack() as stack:
            try:
                connection = await _started(pool, stack)
            except (PoolTimeout, psycopg.OperationalError) as error:
                raise Unavailable("database-down") from error
            try:
                yield connection
            except BaseException as error:
                inside = error
                raise
    except psycopg.OperationalError as error:
        if error is inside:
            raise
        raise OutcomeUnknown("outcome-unknown") from error


def open_blocking_pool(url: str, limits: Limits) -> BlockingPool:
    """A pool for callers without async, not yet open. Shared by all threads."""
    return ConnectionPool(
        url,
        min_size=0,
        max_size=limits.pool,
        timeout=limits.connect,
        reconnect_timeout=limits.connect,
        open=False,
        kwargs={
            "autocommit": True,
            "options": options(statement=limits.statement, lock=limits.lock),
            "application_name": "comptoir",
        },
    )


@contextmanager
def begin_for_blocking_caller(pool: BlockingPool) -> Generator[Connection]:
    """What `begin_for_caller` does, for a caller without async."""
    inside: BaseException | None = None
    try:
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(pool.connection())
                stack.enter_context(connection.transaction())
            except (PoolTimeout, psycopg.OperationalError) as error:
                raise Unavailable("database-down") from error
            try:
                yield connection
            except BaseException as error:
                inside = error
                raise
    except psycopg.OperationalError as error:
        if error is inside:
            raise
        raise OutcomeUnknown("outcome-unknown") from error


async def fetch(pool: Pool, query: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
    """The rows of one statement that changes nothing, or nothing that a repeat would change again.

    One round trip and no transaction around it.

    Raises:
        Unavailable: no connection could be had in time, or all were lost, or the books are moving.
    """
    lost: Exception | None = None
    for _ in range(pool.max_size + 1):
        try:
            with explained():
                async with pool.connection() as connection:
                    cursor = await connection.execute(
                        cast("LiteralString", query), parameters, prepare=True
                    )
                    return await cursor.fetchall()
        except PoolTimeout as error:
            raise Unavailable("database-down") from error
        except psycopg.OperationalError as error:
            lost = error
    raise Unavailable("database-down") from lost


async def _started(pool: Pool, stack: AsyncExitStack) -> AsyncConnection:
    """A connection on which a transaction has begun; those that were lost while idle are replaced.

    To ask each connection whether it lives before it is used would cost a round trip every time.
    """
    for _ in range(pool.max_size):
        opened = AsyncExitStack()
        connection = await opened.enter_async_context(pool.connection())
        try:
            await opened.enter_async_context(connection.transaction())
        except psycopg.OperationalError:
            await opened.aclose()
            continue
        await stack.enter_async_context(opened)
        return connection
    connection = await stack.enter_async_context(pool.connection())
    await stack.enter_async_context(connection.transaction())
    return connection
