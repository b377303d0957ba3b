"""The stage of the demo: a throw-away home, its database, a real server, and a key to it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from comptoir.app import Urls, database, open_app
from comptoir.app.sandbox import Place
from comptoir.cli.keys import make_key
from comptoir.cli.opening import migrated
from comptoir.cli.throwaway import BOOK, Home, Server, opened
from comptoir.kit.actor import Role
from comptoir.kit.errors import Unavailable

_SANDBOX: Final = {"COMPTOIR_SANDBOX": "auto"}


@dataclass(frozen=True, slots=True)
class Stage:
    """A shop that is open.

    Attributes:
        urls: its database.
        address: its server.
        key: an operator's key.
        place: where its sandbox is.
    """

    urls: Urls
    address: str
    key: str
    place: Place


@asynccontextmanager
async def raised(locale: str) -> AsyncGenerator[Stage]:
    """A stage, from an empty folder to a server that answers; leaves nothing behind.

    Raises:
        Unavailable: the database, the server or its sandbox does not start.
    """
    with opened("demo", locale) as bare:
        home = replace(bare, more=_SANDBOX)
        async with database(home.settings) as urls:
            await migrated(urls)
            async with open_app(home.settings, urls) as app:
                key, _ = await make_key(app, BOOK, Role.OPERATOR, "demo")
            async with serving(home) as address:
                place = Place.read(home.settings.home_folder)
                if place is None:
                    raise Unavailable("demo-seed", reason="no sandbox")
                yield Stage(urls, address, key, place)


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
