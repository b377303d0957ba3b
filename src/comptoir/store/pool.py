"""Connections: the only place that opens them, with limits on how long anything may take."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Generator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, LiteralString, TypeVar, cast

import psycopg
from psycopg import AsyncConnection, Connection, errors
from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolTimeout

from comptoir.kit.errors import OutcomeUnknown, Unavailable
from comptoir.store.gate import explained
from comptoir.store.touched import Announce, Followed, Touched, following

Pool = AsyncConnectionPool[AsyncConnection]

_AGAIN: Final = 1.0
"""Seconds between two attempts to connect; a pool's own pauses grow with the outage."""


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
        pooled: a transaction-mode pooler lends out sessions, so that limits are said to each
            transaction, and statements are not prepared.
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
    pooled: bool = False


class Own(Followed, AsyncConnection):
    """A connection whose session is ours for as long as it lives."""


class Borrowed(Followed, AsyncConnection):
    """A connection through a transaction-mode pooler: its session is another's after each COMMIT.

    Attributes:
        settings: the statements that each transaction begins with, where a session of one's own
            would have heard the same once, as it began.
    """

    settings: Sequence[str] = ()


class BlockingOwn(Followed, Connection):
    """What `Own` is, for callers without async."""


class BlockingBorrowed(Followed, Connection):
    """What `Borrowed` is, for callers without async."""

    settings: Sequence[str] = ()


C = TypeVar("C", bound=AsyncConnection[Any])
T = TypeVar("T")


class CancellablePool(AsyncConnectionPool[C]):
    """A pool from which nobody who is cancelled takes a connection with him.

    In the moment in which he is given one, psycopg_pool 3.3 loses either the connection, for ever,
    or his cancellation (by the `asyncio.wait_for` of Python 3.11): a task that repeats something
    until it is cancelled never ends then, nor the server that waits for it.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  # as psycopg has it
        super().__init__(*arguments, **options)
        self._going: set[asyncio.Task[Any]] = set()

    async def getconn(self, timeout: float | None = None) -> C:  # as psycopg has it
        """A connection. Of whoever is cancelled it is given back as soon as it comes.

        Raises:
            PoolTimeout: there was none in time.
        """
        waiting = self._begun(super().getconn(timeout))
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            self._begun(self._give_back(waiting))
            raise

    async def _give_back(self, waiting: asyncio.Future[C]) -> None:
        with suppress(PoolTimeout, psycopg.Error):
            await self.putconn(await waiting)

    def _begun(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that outlives whoever has begun it, if he is cancelled."""
        task = asyncio.ensure_future(work)  # noqa: TID251  # it ends in time, or with the pool
        self._going.add(task)
        task.add_done_callback(self._going.discard)
        return task


class OwnPool(CancellablePool[AsyncConnection]):
    """A pool that `open_pool` has made.

    Attributes:
        announce: is told what the transactions of `begin` have changed, after each commit.
    """

    announce: Announce | None = None


class BlockingPool(ConnectionPool[Connection]):
    """What `OwnPool` is, for callers without async; it announces in the caller's thread."""

    announce: Announce | None = None


def session(*, statement: float, lock: float) -> dict[str, str]:
    """PostgreSQL's settings that bound statements and locks, both in seconds.

    Generic plans are forced: every statement is an index look-up whatever its parameters are, and
    planning each one anew costs as much as running it for one request.
    """
    return {
        "statement_timeout": str(int(statement * 1000)),
        "lock_timeout": str(int(lock * 1000)),
        "idle_in_transaction_session_timeout": str(int(statement * 2000)),
        "timezone": "UTC",
        "plan_cache_mode": "force_generic_plan",
    }


async def connect(url: str, limits: Limits, *, lock: float) -> AsyncConnection:
    """A connection of one's own, in autocommit mode; a `Borrowed` one behind a pooler.

    Raises:
        Unavailable: the database cannot be reached in time.
    """
    kind = Borrowed if limits.pooled else AsyncConnection
    try:
        connection = await kind.connect(
            url,
            connect_timeout=max(1, int(limits.connect)),
            **_beginning(limits, lock),
        )
    except psycopg.OperationalError as error:
        raise Unavailable("database-down") from error
    if isinstance(connection, Borrowed):
        connection.settings = _said(limits, lock)
    return connection


def _beginning(limits: Limits, lock: float) -> dict[str, Any]:
    """How a connection begins. A pooler takes no options, and keeps no prepared statements."""
    always = {"autocommit": True, "application_name": "comptoir"}
    if limits.pooled:
        return {**always, "prepare_threshold": None}
    settings = session(statement=limits.statement, lock=lock).items()
    return {**always, "options": " ".join(f"-c {name}={value}" for name, value in settings)}


def _said(limits: Limits, lock: float) -> list[str]:
    settings = session(statement=limits.statement, lock=lock).items()
    return [f"SET LOCAL {name} = '{value}'" for name, value in settings]


def open_pool(url: str, limits: Limits) -> OwnPool:
    """A pool for reading and for short transactions, not yet open. Shared by all tasks."""

    async def configure(connection: AsyncConnection) -> None:  # the pool awaits it
        if isinstance(connection, Borrowed):
            connection.settings = _said(limits, limits.lock)

    return OwnPool(
        url,
        connection_class=Borrowed if limits.pooled else Own,
        min_size=1,
        max_size=limits.pool,
        timeout=limits.connect,
        reconnect_timeout=_AGAIN,
        reconnect_failed=_try_again,
        open=False,
        kwargs=_beginning(limits, limits.lock),
        configure=configure,
    )


async def _try_again(pool: AsyncConnectionPool[Any]) -> None:
    """Go on trying to connect.

    A pool that gives up tries again when somebody asks who was not asking before: those who wait
    already would wait in vain.
    """
    await pool.check()


def _try_again_blocking(pool: ConnectionPool[Any]) -> None:
    pool.check()


@asynccontextmanager
async def begin(pool: Pool) -> AsyncGenerator[AsyncConnection]:
    """A transaction that commits when the block ends well, and rolls back otherwise.

    Raises:
        Unavailable: no connection could be had in time, or it was lost, or the books are moving.
    """
    try:
        with explained():
            async with AsyncExitStack() as stack:
                connection = await _started(pool, stack)
                with following(connection) as touched:
                    yield connection
            _announce(pool, touched)
    except (PoolTimeout, psycopg.OperationalError) as error:
        raise Unavailable("database-down") from error


class TooLong(Unavailable):
    """A statement took longer than whoever asked would wait."""


@asynccontextmanager
async def begin_brief(pool: Pool) -> AsyncGenerator[AsyncConnection]:
    """A transaction for a page: a quarter of a second for each of its statements, and no more.

    Raises:
        TooLong: one took longer.
        Unavailable: as `begin`.
    """
    try:
        async with begin(pool) as tx:
            await tx.execute("SET LOCAL statement_timeout = 250")
            yield tx
    except Unavailable as error:
        if isinstance(error.__cause__, errors.QueryCanceled):
            raise TooLong("overloaded") from error
        raise


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
                with following(connection) as touched:
                    yield connection
            except BaseException as error:
                inside = error
                raise
        _announce(pool, touched)
    except psycopg.OperationalError as error:
        if error is inside:
            raise
        raise OutcomeUnknown("outcome-unknown") from error


def open_blocking_pool(url: str, limits: Limits) -> BlockingPool:
    """A pool for callers without async, not yet open. Shared by all threads."""

    def configure(connection: Connection) -> None:
        if isinstance(connection, BlockingBorrowed):
            connection.settings = _said(limits, limits.lock)

    return BlockingPool(
        url,
        connection_class=BlockingBorrowed if limits.pooled else BlockingOwn,
        min_size=0,
        max_size=limits.pool,
        timeout=limits.connect,
        reconnect_timeout=_AGAIN,
        reconnect_failed=_try_again_blocking,
        open=False,
        kwargs=_beginning(limits, limits.lock),
        configure=configure,
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
                if isinstance(connection, BlockingBorrowed):
                    connection.execute(_script(connection.settings))
            except (PoolTimeout, psycopg.OperationalError) as error:
                raise Unavailable("database-down") from error
            try:
                with following(connection) as touched:
                    yield connection
            except BaseException as error:
                inside = error
                raise
        _announce(pool, touched)
    except psycopg.OperationalError as error:
        if error is inside:
            raise
        raise OutcomeUnknown("outcome-unknown") from error


def _announce(pool: Pool | BlockingPool, touched: Touched) -> None:
    """Tell of what has been committed: never in the transaction itself."""
    if touched and isinstance(pool, OwnPool | BlockingPool) and pool.announce is not None:
        pool.announce(touched)


async def fetch(pool: Pool, query: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
    """The rows of one statement that changes nothing, or nothing that a repeat would change again.

    One round trip and no transaction around it, but behind a pooler.

    Raises:
        Unavailable: no connection could be had in time, or all were lost, or the books are moving;
            or it took too long, waiting for others.
    """
    lost: Exception | None = None
    for _ in range(pool.max_size + 1):
        try:
            with explained():
                async with AsyncExitStack() as stack:
                    connection = await stack.enter_async_context(pool.connection())
                    if isinstance(connection, Borrowed):
                        await _enter(connection, stack)
                    cursor = await connection.execute(
                        cast("LiteralString", query), parameters, prepare=True
                    )
                    return await cursor.fetchall()
        except PoolTimeout as error:
            raise Unavailable("database-down") from error
        except (errors.LockNotAvailable, errors.QueryCanceled) as error:
            raise Unavailable("overloaded") from error
        except psycopg.OperationalError as error:
            lost = error
    raise Unavailable("database-down") from lost


async def _started(pool: Pool, stack: AsyncExitStack) -> AsyncConnection:
    """A connection on which a transaction has begun; those that were lost while idle are replaced.

    To ask each connection whether it lives before it is used would cost a round trip every time.
    """
    for _ in range(pool.max_size):
        async with AsyncExitStack() as opened:
            connection = await opened.enter_async_context(pool.connection())
            try:
                await _enter(connection, opened)
            except psycopg.OperationalError:
                continue
            await stack.enter_async_context(opened.pop_all())
            return connection
    connection = await stack.enter_async_context(pool.connection())
    await _enter(connection, stack)
    return connection


async def _enter(connection: AsyncConnection, stack: AsyncExitStack) -> None:
    """Begin a transaction, and say its limits where the session is not ours."""
    await stack.enter_async_context(connection.transaction())
    if isinstance(connection, Borrowed):
        await connection.execute(_script(connection.settings))


def _script(settings: Sequence[str]) -> LiteralString:
    return cast("LiteralString", "; ".join(settings))
