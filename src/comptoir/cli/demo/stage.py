"""The stage of the demo: a throw-away home, its database, a real server, and a key to it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from comptoir.app import Urls, database, open_app
from comptoir.cli.keys import make_key
from comptoir.cli.opening import migrated
from comptoir.cli.throwaway import BOOK, Home, Server, opened
from comptoir.kit.actor import Role


@dataclass(frozen=True, slots=True)
class Stage:
    """A shop that is open.

    Attributes:
        urls: its database.
        address: its server.
        key: an operator's key.
    """

    urls: Urls
    address: str
    key: str


@asynccontextmanager
async def raised(locale: str) -> AsyncGenerator[Stage]:
    """A stage, from an empty folder to a server that answers; leaves nothing behind.

    Raises:
        Unavailable: the database or the server does not start.
    """
    with opened("demo", locale) as home:
        async with database(home.settings) as urls:
            await migrated(urls)
            async with open_app(home.settings, urls) as app:
                key, _ = await make_key(app, BOOK, Role.OPERATOR, "demo")
            async with serving(home) as address:
                yield Stage(urls, address, key)


@asynccontextmanager
async def serving(home: Home) -> AsyncGenerator[str]:
    """The address of a server of that home, a process of its own that ends with the block.

    Raises:
        Unavailable: it does not start.
    """
    server = await Server.start(home)
    try:
        async with asyncio.TaskGroup() as tasks:
            address = await server.ready()
            reader = tasks.create_task(server.ended())
            try:
                yield address
            finally:
                reader.cancel()
    finally:
        await server.stop()
