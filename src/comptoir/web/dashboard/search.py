"""Search: paste anything that has a name, and go there."""

from typing import Final
from urllib.parse import quote, urlencode
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.credits import overview
from comptoir.domains.identity import queries as identity
from comptoir.domains.payments import overview as money
from comptoir.domains.payments.model import SOURCE
from comptoir.domains.stock import queries as stock
from comptoir.domains.stock.model import PREFIX
from comptoir.jobs import queue
from comptoir.kit.errors import NotFound
from comptoir.kit.ids import parse_hold, parse_movement
from comptoir.store import inbox
from comptoir.store.pool import begin_brief
from comptoir.web.dashboard import orders
from comptoir.web.dashboard.account import address_of
from comptoir.web.dashboard.visits import HOME, Visit, reading
from comptoir.web.pages.forms import go
from comptoir.web.replies import Reply

_LONGEST: Final = 255


async def search(visit: Visit) -> Reply:
    """GET /dashboard/search."""
    said = visit.query.get("q", "").strip()[:_LONGEST]
    if not said or not said.isprintable():
        return go(f"{HOME}/accounts")
    async with begin_brief(visit.call.app.pool) as tx:
        found = await _look(tx, visit.book, said)
    if found is None and await inbox.find(visit.call.app.pool, visit.book, SOURCE, said):
        found = f"{HOME}/webhooks/{quote(said, safe='')}"
    if found is None:
        found = await _job(visit, said)
    return go(found or f"{HOME}/accounts?{urlencode({'q': said})}")


async def _look(tx: AsyncConnection, book: int, said: str) -> str | None:
    movement, hold = parse_movement(said), parse_hold(said)
    account = movement[0] if movement else None
    if hold is not None:
        account = await overview.account_of_hold(tx, book, hold)
    if account is not None:
        return _page_of(*await overview.whose(tx, book, account))
    try:
        return address_of((await identity.customer(tx, book, said)).customer)
    except NotFound:
        pass
    order = await _order(tx, book, said)
    if order is not None:
        return order
    payer = await money.payer(tx, book, said)
    if payer is not None:
        return address_of(payer)
    try:
        return f"{HOME}/stock/{(await stock.product(tx, book, said)).product}"
    except NotFound:
        return None


async def _order(tx: AsyncConnection, book: int, said: str) -> str | None:
    """The order that has this id or number, or what its payment has at the provider."""
    try:
        return orders.address_of((await stock.order(tx, book, UUID(said))).id)
    except (ValueError, NotFound):
        found = await money.order_of(tx, book, said)
    return None if found is None else orders.address_of(found)


def _page_of(customer: str | None, account: str | None) -> str | None:
    if customer is not None:
        return address_of(customer)
    if account is not None and account.startswith(PREFIX):
        return f"{HOME}/stock/{quote(account.split(':')[1], safe='')}"
    return None


async def _job(visit: Visit, said: str) -> str | None:
    try:
        found = await queue.look(visit.call.app.pool, visit.book, UUID(said))
    except (ValueError, NotFound):
        return None
    return f"{HOME}/jobs/{found.id}"


OPERATIONS: Final = (reading(f"{HOME}/search", search),)
