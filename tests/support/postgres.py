"""A real PostgreSQL for tests: one server for all workers, one fresh database for each test.

A database is copied from a migrated template, which takes a fraction of what migrating does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from comptoir.store.embedded import Urls, start
from comptoir.store.embedded.cluster import OWNER
from comptoir.store.migrate import migrate


@dataclass(frozen=True, slots=True)
class Database:
    """A migrated database of one test, as its owner, as the application, as the superuser."""

    owner_url: str
    app_url: str
    superuser_url: str


@dataclass(slots=True)
class Cluster:
    """A running server, with a template for the databases of one test worker.

    Attributes:
        urls: of the server, by role.
        worker: the test worker, whose databases are kept apart from the others'.
    """

    urls: Urls
    worker: str
    _numbers: Iterator[int] = field(default_factory=count)

    @contextmanager
    def database(self) -> Iterator[Database]:
        """A fresh, migrated database; it goes when the block ends."""
        name = f"test_{self.worker}_{next(self._numbers)}"
        self._run("CREATE DATABASE {} OWNER {} TEMPLATE {}", name, OWNER, self._template)
        try:
            yield Database(
                _with(self.urls.owner_url, name),
                _with(self.urls.app_url, name),
                _with(self.urls.superuser_url, name),
            )
        finally:
            self._run("DROP DATABASE {} WITH (FORCE)", name)

    def make_template(self) -> None:
        """Make the database that all others are copied from."""
        self._run("DROP DATABASE IF EXISTS {}", self._template)
        self._run("CREATE DATABASE {} OWNER {}", self._template, OWNER)
        migrate(_with(self.urls.owner_url, self._template))

    @property
    def _template(self) -> str:
        return f"template_{self.worker}"

    def _run(self, statement: LiteralString, *names: str) -> None:
        text = sql.SQL(statement).format(*map(sql.Identifier, names))
        with psycopg.connect(self.urls.superuser_url, autocommit=True) as connection:
            connection.execute(text)


@contextmanager
def running(home: Path, worker: str) -> Iterator[Cluster]:
    """The server of `home`, shared by all workers that name the same; ready to copy databases."""
    with start(home) as server:
        cluster = Cluster(server.urls, worker)
        cluster.make_template()
        yield cluster


def _with(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)
