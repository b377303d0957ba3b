"""Coming in by a link or a customer's token, out again, and how pages look."""

from base64 import urlsafe_b64encode
from typing import Final

from comptoir.domains.identity import visitors
from comptoir.domains.identity.model import read_token
from comptoir.domains.identity.visitors import SECRET_BYTES, SESSION_SECONDS, Pass, Visitor
from comptoir.kit.errors import ComptoirError, NotFound
from comptoir.store.pool import begin
from comptoir.web.call import Call
from comptoir.web.complaints import Unfit
from comptoir.web.pages.forms import (
    Anything,
    cookie_name,
    go,
    keep_look,
    operation,
    own_form,
    own_page,
    set_cookie,
)
from comptoir.web.pages.look import cookies_of
from comptoir.web.pages.visits import refusal
from comptoir.web.portal.look import look_of
from comptoir.web.portal.visits import COOKIE, HOME, Visit, acting, visitor_of
from comptoir.web.replies import Reply

ENTER: Final = f"{HOME}/enter"
_LONGEST: Final = 200
_TOKEN: Final = "ct_"  # noqa: S105  # how every token begins


async def come_in(call: Call, query: Anything) -> Reply:
    """GET /portal?token=...: a token opens a session, a link shows a button first.

    A preview of a link uses nothing up. Neither takes the place of another customer's session
    before he has said so.
    """
    token = str((query.model_extra or {}).get("token", ""))
    look = look_of(call, cookies_of(call), None)
    try:
        present = await visitor_of(call)
        whose = _customer(call, token)
        if whose is None and not await _is_link(call, token):
            return go(HOME) if present else look.page("signed_out.html", 401)
        is_same = present is None or (present.book, present.customer) == whose
        if whose is not None and is_same and _is_navigation(call):
            return go(HOME) if present else await _entered(call, token)
    except NotFound:
        return look.page("signed_out.html", 401)
    except (ComptoirError, Unfit) as error:
        return refusal(call, look, error)
    return look_of(call, cookies_of(call), present).page("enter.html", present=present, token=token)


async def enter(call: Call, _query: Anything) -> Reply:
    """POST /portal/enter: uses a link up."""
    look = look_of(call, cookies_of(call), None)
    try:
        token = (await own_form(call)).get("token", "")
        before = await visitor_of(call)
        reply = await _entered(call, token)
        await _leave(call, before)
    except NotFound:
        return look.page("signed_out.html", 401)
    except (ComptoirError, Unfit) as error:
        return refusal(call, look, error)
    return reply


async def _leave(call: Call, before: Visitor | None) -> None:
    """End the session whose place another one takes."""
    if before is not None:
        async with begin(call.app.pool) as tx:
            await visitors.end(tx, before)


def _customer(call: Call, token: str) -> tuple[int, int] | None:
    """The book and the customer of a token; None when it is none of ours, or too old."""
    if not token.startswith(_TOKEN) or not token.isascii() or len(token) > _LONGEST:
        return None
    said = read_token(call.app.secret, token, call.now)
    return None if said is None else (said.book, said.customer)


async def _is_link(call: Call, token: str) -> bool:
    secret = visitors.read_link(call.app.secret, token)
    if secret is None:
        return False
    async with begin(call.app.pool) as tx:
        return await visitors.can_open(tx, secret)


def _is_navigation(call: Call) -> bool:
    """Whether somebody goes to the page, rather than a picture or a script of another one."""
    return call.headers.get(b"sec-fetch-mode", b"navigate") == b"navigate"


async def _entered(call: Call, token: str) -> Reply:
    """To the first page, with a session; the token is in its address no more.

    Raises:
        NotFound: it opens nothing.
    """
    app = call.app
    cookie = urlsafe_b64encode(app.randomness(SECRET_BYTES)).rstrip(b"=").decode()
    whose, secret = _customer(call, token), visitors.read_link(app.secret, token)
    if whose is None and secret is None:
        raise NotFound("not-found")
    async with begin(app.pool) as tx:
        if whose is not None:
            book, customer = whose
            of = Pass(book, app.new_id(), customer, cookie, SESSION_SECONDS)
            await visitors.add_session(tx, of)
        elif secret is not None:
            await visitors.open_link(tx, secret, cookie)
        if await visitors.visitor(tx, cookie) is None:
            raise NotFound("not-found")  # he was erased: nothing of this stays
    return go(HOME, set_cookie(call, cookie_name(call, COOKIE), cookie, SESSION_SECONDS))


async def sign_out(visit: Visit) -> Reply:
    """POST /portal/sign-out."""
    async with begin(visit.call.app.pool) as tx:
        await visitors.end(tx, visit.who)
    return go(HOME, set_cookie(visit.call, cookie_name(visit.call, COOKIE), "", 0))


async def look(visit: Visit) -> Reply:
    """POST /portal/look: the language, and light or dark."""
    return go(own_page(HOME, visit.form.get("next")), *keep_look(visit.call, visit.form))


OPERATIONS: Final = (
    operation("POST", ENTER, enter),
    acting(f"{HOME}/sign-out", sign_out),
    acting(f"{HOME}/look", look),
)
