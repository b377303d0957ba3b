"""Signing in by an address that works once, out again, and how pages look."""

from base64 import urlsafe_b64encode
from typing import Final

from comptoir.domains.identity import operators
from comptoir.domains.identity.operators import SECRET_BYTES, SESSION_SECONDS, Deed
from comptoir.kit.books import LIVE
from comptoir.kit.errors import ComptoirError, NotFound
from comptoir.store.pool import begin
from comptoir.web.call import Call
from comptoir.web.complaints import Unfit
from comptoir.web.dashboard.look import look_of
from comptoir.web.dashboard.visits import COOKIE, HOME, Visit, acting
from comptoir.web.limits import OwnLimits
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
from comptoir.web.replies import Reply


async def ask(call: Call, query: Anything) -> Reply:
    """GET /login/{secret}: a button. Whoever only previews the address uses nothing up."""
    look = look_of(call, cookies_of(call))
    secret = call.part("secret")
    following = own_page(HOME, (query.model_extra or {}).get("next"))
    try:
        await OwnLimits(call.app).admit_login(call.scope)
        is_good = operators.looks_like_secret(secret)
        if is_good:
            async with begin(call.app.pool) as tx:
                is_good = await operators.can_sign_in(tx, secret)
    except ComptoirError as error:
        return refusal(call, look, error)
    if not is_good:
        return look.page("signed_out.html", 404)
    return look.page("login.html", following=following)


async def sign_in(call: Call, _query: Anything) -> Reply:
    """POST /login/{secret}: uses the address up."""
    look = look_of(call, cookies_of(call))
    secret = call.part("secret")
    try:
        await OwnLimits(call.app).admit_login(call.scope)
        form = await own_form(call)
        token = await _open(call, secret)
    except NotFound:
        return look.page("signed_out.html", 404)
    except (ComptoirError, Unfit) as error:
        return refusal(call, look, error)
    cookie = set_cookie(call, cookie_name(call, COOKIE), token, SESSION_SECONDS)
    return go(own_page(HOME, form.get("next")), cookie)


async def _open(call: Call, secret: str) -> str:
    """A session, in the transaction that uses the address up; returns its cookie."""
    if not operators.looks_like_secret(secret):
        raise NotFound("not-found")
    app = call.app
    token = urlsafe_b64encode(app.randomness(SECRET_BYTES)).rstrip(b"=").decode()
    id_ = app.new_id()
    async with begin(app.pool) as tx:
        name, rank = await operators.sign_in(tx, secret, id_, token)
        who = f"{name} ({rank})"
        await operators.note(tx, Deed(LIVE, f"sign-in-{id_}", who, id_, "sign-in", str(id_)))
    return token


async def sign_out(visit: Visit) -> Reply:
    """POST /dashboard/sign-out."""
    async with begin(visit.call.app.pool) as tx:
        await operators.end(tx, visit.session.id)
        who, id_ = visit.call.actor.name, visit.session.id
        await operators.note(tx, Deed(LIVE, f"sign-out-{id_}", who, id_, "sign-out", str(id_)))
    return go(HOME, set_cookie(visit.call, cookie_name(visit.call, COOKIE), "", 0))


async def show_book(visit: Visit) -> Reply:
    """POST /dashboard/book: what this session looks at from now on."""
    async with begin(visit.call.app.pool) as tx:
        await operators.show_book(tx, visit.session.id, visit.form.get("book", ""))
    return go(HOME)


async def look(visit: Visit) -> Reply:
    """POST /dashboard/look: the language, and light or dark."""
    return go(own_page(HOME, visit.form.get("next")), *keep_look(visit.call, visit.form))


OPERATIONS: Final = (
    operation("GET", "/login/{secret}", ask),
    operation("POST", "/login/{secret}", sign_in),
    acting(f"{HOME}/sign-out", sign_out, by_anybody=True),
    acting(f"{HOME}/book", show_book, by_anybody=True),
    acting(f"{HOME}/look", look, by_anybody=True),
)
