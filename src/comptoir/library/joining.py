"""The ledger inside of a transaction of the caller's own, together with his rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from psycopg import AsyncConnection

from comptoir.app import App
from comptoir.kit.errors import ComptoirError, Misuse
from comptoir.ledger.model import Answer
from comptoir.ledger.requests import Chain
from comptoir.library.engine import Engine
from comptoir.library.ledger import BatchLedger
from comptoir.library.verbs import Verbs
from comptoir.store.door import Door
from comptoir.store.joined import JoinedNames, Row, check_joinable, fetch_joined
from comptoir.store.ledger import execute


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
    """

    connection: AsyncConnection[Any]
    credits: Verbs
    ledger: BatchLedger


async def join(app: App, book: int, connection: AsyncConnection[Any]) -> Transaction:
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

    async def only_door() -> Door:
        return door

    engine = Engine(app, book, only_door, fetch)
    return Transaction(connection, Verbs(engine), BatchLedger(engine))


async def connection_of(given: object) -> AsyncConnection[Any]:
    """The psycopg connection of a caller: his own, or the one under his SQLAlchemy session.

    Raises:
        Misuse: it is neither, or another driver's.
    """
    found = given
    if not isinstance(found, AsyncConnection):
        # Only who has one has SQLAlchemy loaded, which takes as long to load as all of ours.
        from sqlalchemy.ext.asyncio import AsyncConnection as Connection  # noqa: PLC0415
        from sqlalchemy.ext.asyncio import AsyncSession  # noqa: PLC0415

        if isinstance(found, AsyncSession):
            found = await found.connection()
        if isinstance(found, Connection):
            found = (await found.get_raw_connection()).driver_connection
    if not isinstance(found, AsyncConnection):
        raise Misuse("connection-unknown", fix="pass psycopg's, or SQLAlchemy's on psycopg")
    return cast("AsyncConnection[Any]", found)
