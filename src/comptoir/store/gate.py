"""The gate: stops every write to the books in the database itself, whoever writes and however.

It is a trigger on each table, made only when books move: a database that never moves has none and
pays nothing. Making it waits for whoever is writing and lets nobody begin, so that once it is
committed there is no write under way. Why so: docs/decisions/0013-backup.md.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import psycopg
from psycopg import Connection, sql

from comptoir.kit.errors import Unavailable

LOCK: Final = 0x6D6F76696E670000
"""The advisory lock of whoever moves the books, "moving" in ASCII: held from before the gate is
closed until the books are declared moved, on one connection."""

_CLOSE_SECONDS: Final = 30.0
_WAIT: Final = "500ms"
"""How long writers may queue behind one attempt to close the gate; shorter than the time after
which PostgreSQL looks for deadlocks, for it is always the gate that should give way."""

_FUNCTION: Final = sql.SQL("""
CREATE OR REPLACE FUNCTION comptoir.refuse_writes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_ARGV[0] = 'moving' AND pg_try_advisory_xact_lock_shared({lock}) THEN
        RETURN NULL; -- whoever moved the books has gone: they are still here
    END IF;
    RAISE EXCEPTION 'the books of this database are %', TG_ARGV[0] USING ERRCODE =
        CASE TG_ARGV[0] WHEN 'moving' THEN 'MV001' WHEN 'moved' THEN 'MV002' ELSE 'MV003' END;
END $$""").format(lock=LOCK)

_TRIGGER: Final = sql.SQL("""
CREATE OR REPLACE TRIGGER books_gate
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON comptoir.{table}
    FOR EACH STATEMENT EXECUTE FUNCTION comptoir.refuse_writes({state}, {move}, {place})""")

_OPEN: Final = "DROP FUNCTION comptoir.refuse_writes() CASCADE"

_TABLES: Final = """
SELECT relname FROM pg_class
WHERE relnamespace = 'comptoir'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname"""

READ: Final = """
SELECT tgargs, NOT pg_try_advisory_xact_lock_shared(%s) FROM pg_trigger
WHERE tgrelid = to_regclass('comptoir.movements') AND tgname = 'books_gate'"""
"""The gate of a database, if there is one; and, given LOCK, whether somebody is moving the books
now."""


class State(StrEnum):
    """Why nobody may write.

    MOVING books are still here: nobody but who moves them may write, for as long as he lives.
    MOVED books are elsewhere, for good. ARRIVING ones wait until they are declared moved there.
    """

    MOVING = "moving"
    MOVED = "moved"
    ARRIVING = "arriving"


@dataclass(frozen=True, slots=True)
class Gate:
    """A closed gate.

    Attributes:
        state: why it is closed.
        move: which move has closed it.
        place: where the books are going, or went: host and database, no password.
        live: whoever moves them is at work. A gate of MOVING books whose mover has gone is open.
    """

    state: State
    move: str
    place: str
    live: bool = True

    @property
    def is_open(self) -> bool:
        """Whether writes pass all the same."""
        return self.state is State.MOVING and not self.live


_REFUSALS: Final = {"MV001": "books-moving", "MV002": "books-moved", "MV003": "books-arriving"}
RETRY_SECONDS: Final = {State.MOVING: 5, State.MOVED: 60, State.ARRIVING: 5}
_STATES: Final = dict(zip(_REFUSALS, State, strict=True))


def refusal(error: BaseException) -> Unavailable | None:
    """What a closed gate has to say, if it was that which refused."""
    code = error.sqlstate if isinstance(error, psycopg.Error) else None
    if code not in _REFUSALS:
        return None
    return Unavailable(_REFUSALS[code], retry_after=RETRY_SECONDS[_STATES[code]])


@contextmanager
def explained() -> Generator[None]:
    """Say in our words that the gate is closed, when that is why the block failed.

    Raises:
        Unavailable: the books are moving, or have moved.
    """
    try:
        yield
    except psycopg.DatabaseError as error:
        refused = refusal(error)
        if refused is None:
            raise
        raise refused from error


def parse(row: tuple[bytes, bool] | None) -> Gate | None:
    """The gate that `READ` has found."""
    if row is None:
        return None
    state, move, place, _ = row[0].decode().split("\0")
    return Gate(State(state), move, place, live=row[1])


def read(connection: Connection) -> Gate | None:
    """The gate of a database; None when there is none."""
    return parse(connection.execute(READ, (LOCK,)).fetchone())


def close(connection: Connection, gate: Gate) -> None:
    """Close the gate, or change why it is closed, as soon as nobody is writing.

    Args:
        connection: of the tables' owner, in autocommit mode, outside of a transaction.
        gate: why.

    Raises:
        psycopg.errors.LockNotAvailable: somebody has been writing for too long.
    """
    deadline = time.monotonic() + _CLOSE_SECONDS
    while True:  # bounded by the deadline
        try:
            with connection.transaction():
                connection.execute(f"SET LOCAL lock_timeout = '{_WAIT}'")
                connection.execute("SET LOCAL synchronous_commit = on")
                install(connection, gate)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            if time.monotonic() > deadline:
                raise
        else:
            return


def install(connection: Connection, gate: Gate) -> None:
    """Make the triggers, in the open transaction."""
    connection.execute(_FUNCTION)
    arguments = {"state": gate.state.value, "move": gate.move, "place": gate.place}
    for (table,) in connection.execute(_TABLES).fetchall():
        connection.execute(_TRIGGER.format(table=sql.Identifier(table), **arguments))


def open_(connection: Connection) -> None:
    """Remove the gate, in the open transaction."""
    connection.execute(_OPEN)
