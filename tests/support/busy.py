"""A book in which everything has happened once, for tests that read what the ledger has written."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tests.support.postgres import Database
from tests.support.store import through_batch
from tests.support.tables import parse, play

STORY: Final = """
== Everything once
account alice
account bob
account carol floor=-5
account shelf stock
account idle
grant g1 alice 100 priority=10 expires=1000     -> created
grant g2 alice 50 source=payment kind=purchase paid=500 tax=83 currency=EUR -> created
grant g3 alice 5                                -> created
grant g4 alice 5                                -> created  # merged with the one before
grant g5 bob 30 expires=300                     -> created
grant g6 bob 40 kind=allowance priority=20 expires=500 -> created
grant g7 shelf 10                               -> created
spend s1 alice 120                              -> created  # over two lots
spend s2 bob 35                                 -> created
spend s3 carol 4                                -> created  # debt within the floor
spend s4 carol 4                                -> insufficient needed=4 available=-4
transfer t1 alice bob 25                        -> created
hold h1 alice 5 ttl=60                          -> created
release r1 h1                                   -> created
release r2 h1                                   -> hold_not_open
hold h2 alice 6 ttl=100 on_excess=cap           -> created
capture c2 h2 2 final=no                        -> created  # open still, captured in part
renew n2 h2 ttl=5000                            -> created
hold h3 bob 3                                   -> created  # without an end
hold h4 bob 20 ttl=900                          -> created  # pins what expires before it
hold h5 alice 4 ttl=60                          -> created
capture c5 h5                                   -> created
chain
    hold h6 alice 2 ttl=60                      -> created
    hold h7 shelf 1 ttl=60                      -> created
capture c6 h6                                   -> created  # both of them
chain
    hold h8 alice 2 ttl=60                      -> created
    hold h9 shelf 1 ttl=60                      -> created
chain
    hold h10 alice 1 ttl=3000                   -> created
    hold h11 shelf 1 ttl=3000                   -> created
grant g9 alice 20                               -> created
reverse v1 g9                                   -> created  # takes again
grant g10 alice 9 expires=4000                  -> created
reverse v2 s2                                   -> created  # gives again
reverse v3 s2                                   -> already_reversed
reverse v4 g1                                   -> partly_spent
tick 400
spend s5 alice 1                                -> created  # h8 and h9 have expired
spend s6 bob 1                                  -> created  # and a lot of bob's, but for its pins
capture c8 h8                                   -> created late
hold h12 shelf 2 ttl=60 on_excess=debt          -> created
capture c12 h12 20                              -> created  # what was used is owed
grant g8 shelf 3                                -> created  # repays a part
hold h13 alice 1 ttl=5                          -> created
tick 10
spend s7 alice 1                                -> created  # h13 has expired
chain
    spend s8 alice 1                            -> chain_broken
    spend s9 carol 9                            -> insufficient
spend s10 alice 2                               -> created
"""

ALICE, BOB, CAROL, SHELF, IDLE = range(25, 30)
"""The accounts of the story: a new database has 24 open ones, which come first."""

_NUMBERS: Final = count()


async def fill(database: Database) -> None:
    """Let everything happen in a migrated database."""
    [case] = parse("story", STORY)
    async with through_batch(database.app_url) as fresh:
        driver = fresh("")
        await play(case, driver)
    assert list(driver.accounts.values()) == [ALICE, BOB, CAROL, SHELF, IDLE]
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("UPDATE comptoir.accounts SET low_at = 2 WHERE id = %s", (SHELF,))


@contextmanager
def copied(original: Database) -> Iterator[Database]:
    """A copy of a database to which nobody is connected; it goes when the block ends."""
    name = f"{make_url(original.owner_url).database}_copy_{next(_NUMBERS)}"
    template = make_url(original.owner_url).database or ""
    _run(original, "CREATE DATABASE {} TEMPLATE {}", name, template)
    try:
        yield Database(
            _with(original.owner_url, name),
            _with(original.app_url, name),
            _with(original.superuser_url, name),
        )
    finally:
        _run(original, "DROP DATABASE {} WITH (FORCE)", name)


def _run(original: Database, statement: LiteralString, *names: str) -> None:
    text = sql.SQL(statement).format(*map(sql.Identifier, names))
    with psycopg.connect(_with(original.superuser_url, "postgres"), autocommit=True) as connection:
        connection.execute(text)


def _with(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)
