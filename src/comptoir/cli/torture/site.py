"""Where it happens: a throw-away home, its PostgreSQL, and servers that are started ever again."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from comptoir.app import Urls, database, open_app
from comptoir.cli.keys import make_key
from comptoir.cli.opening import migrated
from comptoir.cli.throwaway import BOOK, Home, Redis, Server, opened
from comptoir.cli.torture.schedule import SERVERS
from comptoir.kit.actor import Role
from comptoir.kit.errors import Unavailable

_STARTS: Final = 25
"""Starts in a row that may fail, for PostgreSQL may be killed during each."""

_PAUSE: Final = 0.2

_WITH_REDIS: Final = {"RATE_LIMIT_SERVICE": "1000000/1"}
"""Nobody is refused; but every request asks Redis."""


@dataclass(frozen=True, slots=True)
class Site:
    """A home with its database and its servers.

    Attributes:
        home: the folder; urls: its database; key: an operator's key.
        keepers: one for each server.
        addresses: of the servers, None for those that do not run.
        redis: what their rate limits are in; None where this machine has no such program.
    """

    home: Home
    urls: Urls
    key: str
    keepers: list["Keeper"]
    addresses: list[str | None]
    redis: Redis | None = None

    async def all_ready(self) -> None:
        """Wait until every server answers; bounded by the caller."""
        for keeper in self.keepers:
            await keeper.up.wait()


class Keeper:
    """Keeps one server running: starts it again whenever it has ended.

    Attributes:
        up: set while the server answers.
        clock: seconds by which the clock of its next process is wrong.
        lives: how many processes it has had.
    """

    def __init__(self, home: Home, number: int, addresses: list[str | None]) -> None:
        self._home = home
        self._number = number
        self._addresses = addresses
        self._server: Server | None = None
        self.up = asyncio.Event()
        self.clock = 0
        self.lives = 0

    def strike(self, clock: int) -> bool:
        """Kill the server, which comes back with such a clock; whether there was one."""
        if self._server is None or not self._server.kill():
            return False
        self.clock = clock
        self._set(None)
        return True

    async def keep(self) -> None:
        """Keep it running until cancelled.

        Raises:
            Unavailable: it does not start, again and again.
        """
        failed, said = 0, ""
        while failed < _STARTS:
            server = self._server = await Server.start(self._home, self.clock)
            self.lives += 1
            try:
                self._set(await server.ready())
                failed = 0
                await server.ended()
            except Unavailable:
                failed, said = failed + (not server.was_killed), server.last_lines
                await asyncio.sleep(0 if server.was_killed else _PAUSE)
            finally:
                self._set(None)
                await server.stop()
        raise Unavailable("throwaway-server", lines=said)

    def _set(self, address: str | None) -> None:
        self._addresses[self._number] = address
        if address is None:
            self.up.clear()
        else:
            self.up.set()


@asynccontextmanager
async def raised(locale: str, program: str | None) -> AsyncGenerator[Site]:
    """A site whose servers are all ready, while the block runs; leaves nothing behind.

    Args:
        locale: of what its servers say.
        program: of a Redis, if there is one.

    Raises:
        Unavailable: the database or a server does not start.
    """
    with opened("torture", locale) as bare:
        redis = None if program is None else Redis(bare.folder, program)
        more = {} if redis is None else _WITH_REDIS | {"REDIS_URL": redis.url}
        home = replace(bare, more=more)
        async with database(home.settings) as urls:
            await migrated(urls)
            async with open_app(home.settings, urls) as app:
                key, _ = await make_key(app, BOOK, Role.OPERATOR, "torture")
            addresses: list[str | None] = [None] * SERVERS
            keepers = [Keeper(home, number, addresses) for number in range(SERVERS)]
            yield Site(home, urls, key, keepers, addresses, redis)


@asynccontextmanager
async def serving(site: Site) -> AsyncGenerator[None]:
    """The servers of a site, all ready at first, while the block runs.

    Raises:
        Unavailable: one of them does not start.
    """
    async with asyncio.TaskGroup() as tasks:
        kept = [] if site.redis is None else [tasks.create_task(site.redis.keep())]
        keeping = [tasks.create_task(keeper.keep()) for keeper in site.keepers]
        try:
            await site.all_ready()
            yield
        finally:
            for task in (*keeping, *kept):
                task.cancel()
