"""A test kit: a real PostgreSQL, a fresh database for each test, and a clock that stands still.

    with testing.server() as server:                    # once a run, as a session fixture
        with server.database(at=noon) as database:      # once a test
            with comptoir.sync.Comptoir.open(database.url) as books:
                books.credits.grant(...)
                database.clock.advance(days=30)

Nothing in it is a fake: it is the ledger's own PostgreSQL, with its own statements.
"""

import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from comptoir.kit.errors import Misuse
from comptoir.store.embedded import Urls, remove, start
from comptoir.store.embedded.cluster import APPLICATION, OWNER
from comptoir.store.migrate import migrate

__all__ = ["Database", "FrozenClock", "Server", "server"]

# Unqualified names are looked up along search_path, and PostgreSQL's own clocks are functions like
# any other: whoever comes before pg_catalog there is asked in their place.
_FREEZE: Final = """
CREATE SCHEMA frozen;
CREATE TABLE frozen.clock (moment timestamptz NOT NULL);
CREATE FUNCTION frozen.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE
    AS 'SELECT moment FROM frozen.clock';
CREATE FUNCTION frozen.now() RETURNS timestamptz LANGUAGE sql STABLE
    AS 'SELECT moment FROM frozen.clock';
GRANT USAGE ON SCHEMA frozen TO PUBLIC;
GRANT SELECT ON frozen.clock TO PUBLIC;
"""

_SEARCH: Final = "ALTER ROLE {} IN DATABASE {} SET search_path = frozen, pg_catalog, app, public"


class FrozenClock:
    """The time of one database, which moves when it is told to. Shared by all its connections."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def now(self) -> datetime:
        """The time in UTC."""
        with psycopg.connect(self._url) as connection:
            row = connection.execute("SELECT moment FROM frozen.clock").fetchone()
        assert row is not None, "freezing put it there"
        moment: datetime = row[0]
        return moment.astimezone(UTC)

    def set(self, moment: datetime) -> None:
        """Let it be another time, which says its zone. The ledger itself never goes back."""
        if moment.tzinfo is None:
            raise Misuse("time-without-zone", fix="say the zone, such as datetime.UTC")
        with psycopg.connect(self._url) as connection:
            connection.execute("DELETE FROM frozen.clock")
            connection.execute("INSERT INTO frozen.clock VALUES (%s)", (moment,))

    def advance(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> None:
        """Let so much time pass."""
        self.set(self.now + timedelta(days=days, hours=hours, seconds=seconds))


@dataclass(frozen=True, slots=True)
class Database:
    """A migrated database of one test.

    Attributes:
        owner_url, app_url, superuser_url: by role; the application's is the one to work with.
    """

    owner_url: str
    app_url: str
    superuser_url: str
    _clock: FrozenClock | None = None

    @property
    def url(self) -> str:
        """The database as the application."""
        return self.app_url

    @property
    def clock(self) -> FrozenClock:
        """Its clock.

        Raises:
            Misuse: it has the machine's, for it was made without `at`.
        """
        if self._clock is None:
            raise Misuse("clock-not-frozen", fix="make the database with at=")
        return self._clock


@dataclass(slots=True)
class Server:
    """A running PostgreSQL, with a migrated template from which databases are copied.

    Attributes:
        urls: of the server, by role.
        name: what keeps these databases apart from others' on the same server.
    """

    urls: Urls
    name: str
    _numbers: Iterator[int] = field(default_factory=count)

    @contextmanager
    def database(self, at: datetime | None = None) -> Generator[Database]:
        """A fresh database; it goes when the block ends.

        Args:
            at: the time at which its clock stands still; without it time passes as ever.
        """
        name = f"test_{self.name}_{next(self._numbers)}"
        self._run("CREATE DATABASE {} OWNER {} TEMPLATE {}", name, OWNER, self._template)
        try:
            clock = None if at is None else self._frozen(name, at)
            yield Database(
                _with(self.urls.owner_url, name),
                _with(self.urls.app_url, name),
                _with(self.urls.superuser_url, name),
                clock,
            )
        finally:
            self._run("DROP DATABASE {} WITH (FORCE)", name)

    def make_template(self) -> None:
        """Make the database that all others are copied from."""
        self._run("DROP DATABASE IF EXISTS {}", self._template)
        self._run("CREATE DATABASE {} OWNER {}", self._template, OWNER)
        url = _with(self.urls.superuser_url, self._template)
        with psycopg.connect(url, autocommit=True) as connection:
            statement = sql.SQL("CREATE SCHEMA app AUTHORIZATION {}")
            connection.execute(statement.format(sql.Identifier(APPLICATION)))
        migrate(_with(self.urls.owner_url, self._template))

    def _frozen(self, name: str, at: datetime) -> FrozenClock:
        url = _with(self.urls.superuser_url, name)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_FREEZE)
        for role in (APPLICATION, OWNER):
            self._run(_SEARCH, role, name)
        clock = FrozenClock(url)
        clock.set(at)
        return clock

    @property
    def _template(self) -> str:
        return f"template_{self.name}"

    def _run(self, statement: LiteralString, *names: str) -> None:
        text = sql.SQL(statement).format(*map(sql.Identifier, names))
        with psycopg.connect(self.urls.superuser_url, autocommit=True) as connection:
            connection.execute(text)


@contextmanager
def server(home: Path | None = None, name: str = "main") -> Generator[Server]:
    """A PostgreSQL for tests, ready to copy databases.

    Args:
        home: where it lives, shared by all processes that name the same; a folder that goes with
            it by default.
        name: what keeps the databases of one process apart from another's on the same server.

    Raises:
        ComptoirError: it cannot be made or started.
    """
    with ExitStack() as stack:
        where = home or stack.enter_context(_throw_away())
        embedded = stack.enter_context(start(where))
        made = Server(embedded.urls, name)
        made.make_template()
        yield made


@contextmanager
def _throw_away() -> Generator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="comptoir-testing-"))
    try:
        yield folder
    finally:
        remove(folder)


def _with(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)
