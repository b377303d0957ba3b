"""`comptoir login`: an address that signs an operator in to the pages, once."""

import sys
from base64 import urlsafe_b64encode
from typing import Annotated, Literal

import typer

from comptoir.app import Urls, open_app
from comptoir.app.parts import terms_of
from comptoir.cli.desk import Desk, desk_of, print_json
from comptoir.cli.opening import run_now, writing
from comptoir.config import Environment
from comptoir.domains.identity import operators
from comptoir.domains.identity.operators import LOGIN_SECONDS, SECRET_BYTES, Rank
from comptoir.kit.ids import RANDOM_BYTES, uuid7
from comptoir.kit.limits import SECOND
from comptoir.store.pool import Pool, begin
from comptoir.web.replies import write_time

RankName = Literal["viewer", "support", "admin"]


def login(
    ctx: typer.Context,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="option.login-name")
    ] = "operator",
    role: Annotated[RankName, typer.Option("--role", help="option.login-rank")] = "admin",
    as_json: Annotated[bool, typer.Option("--json", help="option.json")] = False,
) -> None:
    """Make an address; whoever opens it first is signed in."""
    desk = desk_of(ctx)
    name = name.strip()[:100] or "operator"
    address = run_now(_make(desk, name, Rank(role)))
    until = write_time(desk.clock() + LOGIN_SECONDS * SECOND)
    if as_json:
        print_json({"address": address, "name": name, "role": role, "expires_at": until})
        return
    print(address)
    desk.note("login.made", name=name)


async def _make(desk: Desk, name: str, rank: Rank) -> str:
    async with writing(desk.settings()) as app:
        return await _add(desk, app.pool, terms_of(app.settings).public_url, (name, rank))


async def first_login(desk: Desk, urls: Urls, environment: Environment, url: str) -> str:
    """An address for whoever has just started a server, where it goes to his eyes and no log.

    Raises:
        Unavailable: the database cannot be reached.
    """
    if environment is not Environment.DEVELOPMENT and not sys.stderr.isatty():
        return ""
    settings = desk.settings()
    async with open_app(settings, urls) as app:
        return await _add(desk, app.pool, settings.public_url or url, ("operator", Rank.ADMIN))


async def _add(desk: Desk, pool: Pool, url: str, who: tuple[str, Rank]) -> str:
    secret = urlsafe_b64encode(desk.randomness(SECRET_BYTES)).rstrip(b"=").decode()
    async with begin(pool) as tx:
        id_ = uuid7(desk.clock(), desk.randomness(RANDOM_BYTES))
        await operators.add_login(tx, id_, secret, *who)
    return f"{url.rstrip('/')}/login/{secret}"
