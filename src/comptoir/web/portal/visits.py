"""Which customer looks at his pages, and whether a form that he sends is his own.

A session opens the pages of one customer of one book, and nothing of operators: its cookie has
another name, its secret is kept in another table, and its forms have a token of their own.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from comptoir.domains.identity import visitors
from comptoir.domains.identity.operators import looks_like_secret
from comptoir.domains.identity.visitors import Visitor
from comptoir.kit.actor import Actor, Role
from comptoir.kit.errors import ComptoirError, Denied, Unavailable
from comptoir.store.gate import RETRY_SECONDS, State
from comptoir.store.pool import begin
from comptoir.web.call import Call
from comptoir.web.complaints import Unfit
from comptoir.web.limits import OwnLimits
from comptoir.web.pages import visits
from comptoir.web.pages.forms import Anything, cookie_name, operation, own_form, texts_of
from comptoir.web.pages.look import cookies_of
from comptoir.web.pages.visits import answer, refusal
from comptoir.web.portal.look import OwnLook, look_of
from comptoir.web.replies import Reply
from comptoir.web.routing import Operation

HOME: Final = "/portal"
COOKIE: Final = "comptoir-portal"


@dataclass(frozen=True, slots=True)
class Visit(visits.Visit):
    """A customer, and what he wants."""

    PURPOSE: ClassVar = "portal-csrf"
    KEYS: ClassVar = "portal"

    look: OwnLook
    who: Visitor


Handler = Callable[[Visit], Awaitable[Reply]]


def cookie_of(call: Call) -> str:
    """The cookie of a session, or an empty text when there is none that could be one."""
    said = cookies_of(call).get(cookie_name(call, COOKIE), "")
    return said if looks_like_secret(said) else ""


async def visitor_of(call: Call) -> Visitor | None:
    """Which customer's browser it is; None when it is nobody's that we know.

    Raises:
        Unavailable: the database cannot be asked.
    """
    token = cookie_of(call)
    if not token:
        return None
    if call.app.moved:
        raise Unavailable("books-moved", retry_after=RETRY_SECONDS[State.MOVED])
    async with begin(call.app.pool) as tx:
        return await visitors.visitor(tx, token)


def reading(path: str, handler: Handler) -> Operation:
    """A page that is only read."""

    async def serve(call: Call, query: Anything) -> Reply:
        return await read(call, query, handler)

    return operation("GET", path, serve)


async def read(call: Call, query: Anything, handler: Handler) -> Reply:
    """Show a page to whoever has a session."""
    visit = await _enter(call, query, {})
    return visit if isinstance(visit, Reply) else await answer(visit, handler)


def acting(path: str, handler: Handler) -> Operation:
    """What a form does."""

    async def serve(call: Call, query: Anything) -> Reply:
        try:
            form = await own_form(call)
        except (ComptoirError, Unfit) as error:
            return refusal(call, look_of(call, cookies_of(call), None), error)
        visit = await _enter(call, query, form)
        if isinstance(visit, Reply):
            return visit
        if not visit.is_own:
            return refusal(call, visit.look, Denied("forbidden"))
        try:
            call.limits = await OwnLimits(call.app).admit(call.scope, call.actor, b"")
        except ComptoirError as error:
            return refusal(call, visit.look, error)
        return await answer(visit, handler)

    return operation("POST", path, serve)


async def _enter(call: Call, query: Anything, form: Mapping[str, str]) -> Visit | Reply:
    """Whoever has a session; the page that says there is none to anybody else."""
    cookies = cookies_of(call)
    try:
        who = await visitor_of(call)
    except ComptoirError as error:
        return refusal(call, look_of(call, cookies, None), error)
    look = look_of(call, cookies, who)
    if who is None:
        return look.page("signed_out.html", 401)
    call.actor = Actor(Role.CUSTOMER, who.book, f"customer {who.customer}", who.customer)
    call.scope["comptoir.actor"] = call.actor
    return Visit(call, look, cookie_of(call), texts_of(query), form, who)
