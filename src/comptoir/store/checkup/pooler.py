"""Is there a pooler before the database, and what does it make of a session?"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from psycopg import Connection
from psycopg.pq import ExecStatus

from comptoir.store.checkup.finding import Finding
from comptoir.store.copying import connect

_TRIES: Final = 10
"""How often two clients are compared; a pooler usually gives the server that was used last."""

_PID: Final = "SELECT pg_backend_pid()"


class Pooling(StrEnum):
    """What stands between a client and the database."""

    NONE = "none"
    SESSION = "session"
    TRANSACTION = "transaction"


def pooling(url: str) -> Pooling:
    """What a connection to this address is.

    A pooler tells each client a process number of its own making; and by transactions two clients
    that are connected at the same time meet the same process of the server.

    Raises:
        Unavailable: the database cannot be reached.
    """
    with connect(url) as first:
        if _pid(first) == first.info.backend_pid:
            return Pooling.NONE
        with connect(url) as second:
            shared = any(_pid(first) == _pid(second) for _ in range(_TRIES))
    return Pooling.TRANSACTION if shared else Pooling.SESSION


def check_pooler(app_url: str, owner_url: str) -> Iterator[Finding]:
    """Look at how both addresses are connected.

    Raises:
        Unavailable: the database cannot be reached.
    """
    app, owner = pooling(app_url), pooling(owner_url)
    if owner is Pooling.TRANSACTION:
        yield Finding("pooler", "pooler-direct")
    else:
        yield Finding("pooler", f"pooler-{app}")
    if app is Pooling.TRANSACTION:
        leaks = _leaks(app_url)
        yield Finding("prepared", "prepared-leak" if leaks else "prepared")


def _leaks(url: str) -> bool:
    """Whether a statement that one client prepares is there for another one.

    A pooler that knows of prepared statements keeps them apart and has them where they are needed.
    """
    with connect(url) as first, connect(url) as second:
        for number in range(_TRIES):
            name = f"comptoir_doctor_{number}"
            if _prepared_at(first, name) == _begun_at(second):
                status = second.pgconn.exec_prepared(name.encode(), []).status
                leaks = status == ExecStatus.TUPLES_OK
                second.execute(f"DEALLOCATE {name}".encode() if leaks else b"ROLLBACK")
                second.execute("COMMIT")
                return leaks
            second.execute("COMMIT")
    return False


def _prepared_at(connection: Connection, name: str) -> int:
    """Prepare a statement; returns the number of the process that has it."""
    pid = _begun_at(connection)
    connection.pgconn.prepare(name.encode(), b"SELECT 1")
    connection.execute("COMMIT")
    return pid


def _begun_at(connection: Connection) -> int:
    """Begin; returns the number of the process that serves this client until the end of it."""
    connection.execute("BEGIN")
    return _pid(connection)


def _pid(connection: Connection) -> int:
    row = connection.execute(_PID, prepare=False).fetchone()
    assert row is not None, "it has no condition"
    return row[0]
