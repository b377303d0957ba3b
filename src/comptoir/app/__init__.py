"""Owns the wiring: pools, the group commit, the directory, guards, built-in jobs.

Does not decide anything: every rule lives below.
"""

import asyncio
import gc
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import AsyncConnectionPool
from pydantic import SecretStr

from comptoir.app.demo import Demo
from comptoir.app.parts import (
    NOBODYS_ADDRESS,
    Told,
    access_of,
    link_of,
    post_of,
    terms_of,
)
from comptoir.app.sandbox import at_sandbox
from comptoir.app.secret import load_secret
from comptoir.config import Environment, Settings, is_loopback
from comptoir.domains.credits import queries
from comptoir.domains.credits.model import Price
from comptoir.domains.notifications.post import Post
from comptoir.domains.payments.stripe import Stripe
from comptoir.flows.built_in import built_in
from comptoir.flows.letters import Mailroom
from comptoir.flows.receiving import Desk
from comptoir.flows.shelf import Shelf
from comptoir.flows.till import Till
from comptoir.guards.door import Guards, Tools, open_guards
from comptoir.guards.once import Once
from comptoir.guards.redis.link import Link, Mode
from comptoir.jobs.duties import Duties
from comptoir.kit.clock import Clock
from comptoir.kit.errors import ComptoirError, Misuse, Unavailable
from comptoir.kit.ids import RANDOM_BYTES, uuid7
from comptoir.kit.limits import SECOND
from comptoir.ledger.model import Answer
from comptoir.ledger.requests import Chain
from comptoir.store import bell
from comptoir.store.announcing import Announcer
from comptoir.store.batch import Batch
from comptoir.store.bell import Bell
from comptoir.store.commit import Companion
from comptoir.store.directory import Directory
from comptoir.store.door import Door
from comptoir.store.embedded import start
from comptoir.store.facts import Asset
from comptoir.store.here import check_here
from comptoir.store.ledger import Clock as LedgerClock
from comptoir.store.ledger import database_time
from comptoir.store.live import Live
from comptoir.store.pool import Limits, begin, connect, open_pool
from comptoir.store.revision import newest_revision, schema_of

_COLLECT: Final = (50_000, 20, 50)
"""After how many new objects the collector looks: Python's own 700 is for programs that wait."""

PRICE_SECONDS: Final = 1
"""How long a price may be remembered; a change in another process is seen after that."""

EXPORTS: Final = 2
"""Exports of customers that one process makes at a time."""

_REMEMBER_ENVIRONMENT: Final = """
INSERT INTO comptoir.settings (name, value) VALUES ('environment', %s) ON CONFLICT DO NOTHING"""

_ENVIRONMENT: Final = "SELECT value FROM comptoir.settings WHERE name = 'environment'"


def now() -> int:
    """The machine's time, in microseconds since 1970: for tokens and logs, never for money."""
    return time.time_ns() // 1000  # noqa: TID251  # the root is where clocks come from


def randomness(length: int) -> bytes:
    """So many bytes that nobody can guess."""
    return secrets.token_bytes(length)


def read_settings(database_url: str | None = None, home: Path | None = None) -> Settings:
    """What the environment and the `.env` files of the working folder say.

    Args:
        database_url: what to use in place of DATABASE_URL.
        home: what to use in place of COMPTOIR_HOME, with the embedded database.

    Raises:
        pydantic.ValidationError: a variable has a value that cannot be.
    """
    said = {
        "database_url": None if database_url is None else SecretStr(database_url),
        "database_direct_url": None if database_url is None else SecretStr(database_url),
        "home": home,
    }
    given = {name: value for name, value in said.items() if value is not None}
    if home is not None and database_url is None:
        given |= {"database_url": None, "database_direct_url": None}
    return at_sandbox(Settings.read().model_copy(update=given))


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the database is: for the application, and for whoever owns the schema."""

    app: str
    owner: str

    @property
    def pooled(self) -> bool:
        """Whether a pooler stands before the application's: the owner's leads to another place."""
        return _place(self.app) != _place(self.owner)


def _place(url: str) -> tuple[str, str]:
    said = conninfo_to_dict(url)
    return str(said.get("host", "")), str(said.get("port", "5432"))


@contextmanager
def located(settings: Settings, host: str = "127.0.0.1") -> Generator[Urls]:
    """The database that the settings name, or the embedded one while the block runs.

    Raises:
        ComptoirError: the embedded database is refused here: in production, on a host that is not
            loopback, or with a live Stripe key.
        Unavailable: the embedded database cannot be made or started.
    """
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        direct = settings.database_direct_url or settings.database_url
        yield Urls(url, direct.get_secret_value())
        return
    refuse_embedded(settings, host)
    # Not in a thread: whoever is cancelled meanwhile must not leave it running, used by nobody.
    embedded = start(settings.home_folder)
    try:
        yield Urls(embedded.urls.app_url, embedded.urls.owner_url)
    finally:
        embedded.close()


@asynccontextmanager
async def database(settings: Settings, host: str = "127.0.0.1") -> AsyncGenerator[Urls]:
    """What `located` finds, for programs with an event loop.

    Raises:
        ComptoirError, Unavailable: as `located`.
    """
    with located(settings, host) as urls:
        yield urls


def refuse_embedded(settings: Settings, host: str) -> None:
    """Refuse the embedded database where real money could be lost with it.

    Raises:
        ComptoirError: the embedded database is refused here.
    """
    if settings.environment_on(host) is Environment.PRODUCTION:
        raise ComptoirError("embedded-in-production")
    if not is_loopback(host):
        raise ComptoirError("embedded-not-loopback", host=host)
    if settings.has_live_stripe_key:
        raise ComptoirError("embedded-live-stripe-key")


async def remember_environment(urls: Urls, environment: Environment) -> Environment:
    """The environment that the database belongs to: the first one that it was served in.

    Raises:
        Unavailable: the database cannot be reached.
    """
    limits = Limits()
    connection = await connect(urls.owner, limits, lock=limits.lock)
    async with connection:
        await connection.execute(_REMEMBER_ENVIRONMENT, (environment,))
        row = await (await connection.execute(_ENVIRONMENT)).fetchone()
    assert row is not None, "it was just remembered"
    return Environment(row[0])


@dataclass(slots=True)
class App:
    """Everything that one process needs, wired together.

    Shared by all tasks of one event loop. `open_app` makes and closes it.
    """

    settings: Settings
    limits: Limits
    clock: Clock
    pool: AsyncConnectionPool[AsyncConnection]
    directory: Directory
    secret: bytes
    randomness: Callable[[int], bytes]
    urls: Urls
    ledger_clock: LedgerClock
    _stack: AsyncExitStack
    moved: bool = False
    """The books are in another database by now; whoever looks there from time to time says so."""
    _batches: dict[int, Batch] = field(default_factory=dict[int, Batch])
    _guards: dict[int, Guards] = field(default_factory=dict[int, Guards])
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    duties: Duties = field(default_factory=Duties)
    """What the workers of this process can do: what is built in, and what its program adds."""
    till: Till = field(init=False)
    """What journeys with money need."""
    desk: Desk = field(init=False)
    """Where events of providers are received."""
    announcer: Announcer = field(init=False)
    """Tells other processes what this one has changed."""
    live: Live = field(init=False)
    """What is watched in this process."""
    told: Told = field(default_factory=Told)
    link: Link | None = None
    """To Redis, if one is configured."""
    demo: Demo | None = None
    """Beside the throw-away shop of `comptoir demo` alone."""
    exports: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(EXPORTS))
    """How many exports may be made or sent at a time: each takes a connection, then a file."""
    _prices: dict[tuple[int, int, str], tuple[int, Price]] = field(
        default_factory=dict[tuple[int, int, str], tuple[int, Price]]
    )

    @property
    def worker_url(self) -> str:
        """Where workers go, who listen: past any pooler."""
        return self.urls.owner if self.urls.pooled else self.urls.app

    async def batch(self, book: int) -> Batch:
        """The group commit of a book, opened on first use."""
        found = self._batches.get(book)
        if found is not None:
            return found
        async with self._opening:
            if book not in self._batches:
                facts = await self.directory.facts(book)
                batch = Batch(self.urls.app, book, facts, self.limits, self.ledger_clock)
                batch.announce = self.announcer.changed
                self._batches[book] = await self._stack.enter_async_context(batch)
        return self._batches[book]

    @property
    def batches(self) -> dict[int, Batch]:
        """The group commits that are open, by book."""
        return self._batches

    async def door(self, book: int) -> Door:
        """The door into the ledger of a book through the group commit."""
        batch = await self.batch(book)
        return Door(book, self.directory, batch.submit, batch.submit_each)

    async def guards(self, book: int) -> Guards:
        """The guards of a book, opened on first use."""
        found = self._guards.get(book)
        if found is not None:
            return found
        async with self._opening:
            if book not in self._guards:
                guards = open_guards(book, self._tools())
                self._guards[book] = await self._stack.enter_async_context(guards)
        return self._guards[book]

    def mailroom(self, post: Post) -> Mailroom:
        """What sending letters takes."""

        async def once(book: int) -> Once:
            return (await self.guards(book)).once

        settings = self.settings
        sender = settings.email_from or NOBODYS_ADDRESS
        return Mailroom(self.pool, post, sender, settings.locale, once, self.clock)

    @property
    def redis_mode(self) -> Mode:
        """What there is of Redis."""
        return Mode.UNSET if self.link is None else self.link.mode

    def _tools(self) -> Tools:
        return Tools(self.pool, self.link, self.new_id, self.clock, self.randomness, self.chance)

    def chance(self) -> float:
        """A number from 0 to 1 that nobody foresees."""
        return int.from_bytes(self.randomness(4)) / 2**32

    def new_id(self) -> UUID:
        """A new id, which nobody can guess and which sorts by time."""
        return uuid7(self.clock(), self.randomness(RANDOM_BYTES))

    async def price(self, book: int, asset: Asset, action: str) -> Price:
        """The price of an action in force, at most PRICE_SECONDS old.

        Raises:
            NotFound: the price book does not have it.
        """
        cached = self._prices.get((book, asset.id, action))
        if cached is not None and self.clock() < cached[0]:
            return cached[1]
        async with begin(self.pool) as tx:
            price = await queries.price(tx, book, asset, action)
        self._prices[book, asset.id, action] = (self.clock() + PRICE_SECONDS * SECOND, price)
        return price

    def forget_price(self, book: int, asset: Asset, action: str) -> None:
        """Let the next request look the price up again."""
        self._prices.pop((book, asset.id, action), None)


@asynccontextmanager
async def open_app(
    settings: Settings,
    urls: Urls,
    *,
    limits: Limits | None = None,
    clock: Clock = now,
    ledger_clock: LedgerClock = database_time,
) -> AsyncGenerator[App]:
    """Everything that a process needs, while the block runs; leaving it flushes what is queued.

    Raises:
        Unavailable: the database cannot be reached.
    """
    limits = replace(limits or Limits(), pooled=urls.pooled)
    async with AsyncExitStack() as stack:
        pool = open_pool(urls.app, limits)
        stack.push_async_callback(pool.close)
        await pool.open()
        try:
            await pool.wait(limits.connect)
        except Exception as error:
            raise Unavailable("database-down") from error
        app = App(
            settings=settings,
            limits=limits,
            clock=clock,
            pool=pool,
            directory=await stack.enter_async_context(Directory(pool)),
            secret=load_secret(settings),
            randomness=randomness,
            urls=urls,
            ledger_clock=ledger_clock,
            _stack=stack,
        )
        app.announcer = await stack.enter_async_context(Announcer(pool))
        pool.announce = app.announcer.touched
        app.live = await stack.enter_async_context(Live(pool, app.worker_url, app.directory))
        app.till = await _till(app, stack)
        app.desk = await stack.enter_async_context(
            Desk(pool, app.till.inbox, settings.webhook_secrets)
        )
        app.duties = built_in(app.mailroom(post_of(settings, app.told)), app.till)
        link = link_of(settings, app.told)
        if link is not None:
            app.link = await stack.enter_async_context(link)
        yield app


async def _till(app: App, stack: AsyncExitStack) -> Till:
    access = access_of(app.settings)
    stripe = None if access is None else await stack.enter_async_context(Stripe(access))

    async def once(book: int) -> Once:
        return (await app.guards(book)).once

    async def submit(book: int, chain: Chain, companions: Sequence[Companion]) -> list[Answer]:
        return await (await app.batch(book)).submit(chain, companions)

    return Till(
        pool=app.pool,
        directory=app.directory,
        stripe=stripe,
        once=once,
        submit=submit,
        shelf=await stack.enter_async_context(Shelf(app.pool, app.clock)),
        new_id=app.new_id,
        clock=app.clock,
        chance=app.chance,
        terms=terms_of(app.settings),
        inbox=await stack.enter_async_context(Bell(app.pool, bell.INBOX)),
        outbox=await stack.enter_async_context(Bell(app.pool, bell.OUTBOX)),
        ledger_clock=app.ledger_clock,
    )


@asynccontextmanager
async def open_here(settings: Settings) -> AsyncGenerator[App]:
    """The database that the settings name and the App on it, while the block runs.

    Raises:
        ComptoirError: the embedded database is refused here.
        Unavailable: the database cannot be reached.
    """
    async with database(settings) as urls, open_app(settings, urls) as app:
        yield app


@asynccontextmanager
async def open_books(
    settings: Settings, *, ledger_clock: LedgerClock = database_time
) -> AsyncGenerator[App]:
    """What `open_here` opens, for a program that may be the first to use the database.

    An empty one is migrated: nothing can be lost by that. An older one is not: other processes
    may be using it, so that it is for its operator to say when.

    Raises:
        ComptoirError: the embedded database is refused here, or the books have moved elsewhere.
        Misuse: this program does not work on the revision of the database.
        Unavailable: the database cannot be reached, or the books are moving.
    """
    async with database(settings) as urls:
        there = await schema_of(urls.owner)
        if there is not None:
            await asyncio.to_thread(check_here, urls.owner)
        if there is None:
            await asyncio.to_thread(migrate_now, urls.owner)
        elif not there.suits(newest_revision()):
            raise Misuse(
                "database-revision",
                there=there.revision,
                known=newest_revision(),
                fix="comptoir migrate, or the version of this library that the database has",
            )
        async with open_app(settings, urls, ledger_clock=ledger_clock) as app:
            yield app


def migrate_now(url: str) -> str:
    """Bring a database up to the newest revision; returns that revision.

    Raises:
        Unavailable: the database cannot be reached.
        psycopg.Error: a migration fails; nothing of it stays.
    """
    # Loaded when needed: Alembic takes longer to load than all the rest.
    from comptoir.store.migrate import migrate  # noqa: PLC0415  # slow to load

    return migrate(url)


@asynccontextmanager
async def open_served(settings: Settings) -> AsyncGenerator[App]:
    """What `open_here` opens, for a process that does nothing but serve.

    What is alive by now lives as long as the process, so the collector need not look at it; and a
    server makes many short-lived objects, so it looks at those less often.
    """
    async with open_here(settings) as app:
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_COLLECT)
        yield app
