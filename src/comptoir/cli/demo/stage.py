"""The stage of the demo: a throw-away home, its database, a real server, and a key to it."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from comptoir.app import App, Urls, database, open_app
from comptoir.app.sandbox import Place
from comptoir.cli.demo.boxes import boxes_of
from comptoir.cli.demo.seed import YOU
from comptoir.cli.keys import make_key
from comptoir.cli.opening import migrated
from comptoir.cli.throwaway import BOOK, Home, Server, opened
from comptoir.domains.identity.model import CustomerToken, write_token
from comptoir.domains.identity.operators import SECRET_BYTES, Rank, add_login
from comptoir.kit.actor import Role
from comptoir.kit.errors import Unavailable
from comptoir.kit.limits import SECOND
from comptoir.store.pool import begin

_MORE: Final = {"COMPTOIR_SANDBOX": "auto", "CORS_ORIGINS": "*"}
"""A newcomer's own page, wherever it is, may show the badge."""

_SOCKET: Final = "stage.sock"
_STOP_SECONDS: Final = 2.0
"""A browser that looks on keeps a connection; what it looks at is thrown away."""

_DAY: Final = 86_400 * SECOND


@dataclass(frozen=True, slots=True)
class Yours:
    """What a newcomer gets.

    Attributes:
        login: signs him in to the pages, once.
        key: a key of his own.
        token: of the customer that he is.
        boxes: what he may paste.
    """

    login: str = ""
    key: str = ""
    token: str = ""
    boxes: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Stage:
    """A shop that is open.

    Attributes:
        urls: its database.
        address: its server.
        key: an operator's key.
        place: where its sandbox is.
        socket: where its server asks how the demo is.
        yours: what a newcomer gets.
    """

    urls: Urls
    address: str
    key: str
    place: Place
    socket: Path = Path(_SOCKET)
    yours: Yours = field(default_factory=Yours)


@asynccontextmanager
async def raised(locale: str) -> AsyncGenerator[Stage]:
    """A stage, from an empty folder to a server that answers; leaves nothing behind.

    Raises:
        Unavailable: the database, the server or its sandbox does not start.
    """
    with opened("demo", locale) as bare:
        home = replace(bare, more=_MORE)
        async with database(home.settings) as urls:
            socket = _beside(urls)
            await migrated(urls)
            async with open_app(home.settings, urls) as app:
                key, _ = await make_key(app, BOOK, Role.OPERATOR, "demo")
                secret, (own, token) = await _new_login(app), await _credentials(app)
            async with serving(home, ("--demo", str(socket))) as address:
                place = Place.read(home.settings.home_folder)
                if place is None:
                    raise Unavailable("demo-seed", reason="no sandbox")
                boxes = boxes_of(address, home.settings.home_folder, own, token)
                yours = Yours(f"{address}/login/{secret}", own, token, boxes)
                yield Stage(urls, address, key, place, socket, yours)


def _beside(urls: Urls) -> Path:
    """A socket beside the database's own: its path is short, and it goes with the home."""
    [folder] = parse_qs(urlsplit(urls.app).query)["host"]
    return Path(folder) / _SOCKET


async def _new_login(app: App) -> str:
    secret = urlsafe_b64encode(app.randomness(SECRET_BYTES)).rstrip(b"=").decode()
    async with begin(app.pool) as tx:
        await add_login(tx, app.new_id(), secret, YOU, Rank.ADMIN)
    return secret


async def _credentials(app: App) -> tuple[str, str]:
    """A key of the newcomer's, and a token of the customer that he is."""
    key, _ = await make_key(app, BOOK, Role.SERVICE, YOU)
    customer = await app.directory.customer(BOOK, YOU)
    until = (app.clock() + _DAY) // SECOND * SECOND
    return key, write_token(app.secret, CustomerToken(BOOK, customer, until))


@asynccontextmanager
async def serving(home: Home, options: Sequence[str] = ()) -> AsyncGenerator[str]:
    """The address of a server of that home, a process of its own that ends with the block.

    Raises:
        Unavailable: it does not start.
    """
    server = await Server.start(home, options=options)
    try:
        async with asyncio.TaskGroup() as tasks:
            address = await server.ready()
            reader = tasks.create_task(server.ended())
            try:
                yield address
            finally:
                reader.cancel()
    finally:
        await server.stop(_STOP_SECONDS)
