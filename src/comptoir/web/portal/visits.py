"""Which customer looks at his pages, and whether a form that he sends is his own.

A session opens the pages of one customer of one book, and nothing of operators: its cookie has
another name, its secret is kept in another table, and its forms have a token of their own.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from comptoir.domains.identity import visitors
from comptoir.domains.identity.operators import looks_like_secret
from comptoir.domains.identity.visitors import Visitor
from comptoir.kit.actor import Actor, Role
from comptoir.kit.errors import ComptoirError, Denied, Unavailable, is_bug
from comptoir.store.gate import RETRY_SECONDS, State
from comptoir.store.pool import begin
from comptoir.web.call import Call
from comptoir.web.complaints import Unfit
from comptoir.web.dashboard.look import cookies_of
from comptoir.web.dashboard.visits import (
    Anything,
    is_secure,
    operation,
    own_form,
    refusal,
    refused_page,
)
from comptoir.web.limits import OwnLimits
from comptoir.web.portal.look import OwnLook, look_of
from comptoir.web.refusing import Reading, problem
from comptoir.web.replies import Reply
from comptoir.web.routing import Operation

HOME: Final = "/portal"
COOKIE: Final = "comptoir-portal"
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_KEY_BYTES: Final = 18
_OWN_PAGE: Final = re.compile(r"/portal(?:[/?][!#-;=?-\[\]_a-z~%]*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Visit:
    """A customer, and what he wants.

    Attributes:
        token: the cookie of his session.
        query: of the address.
        form: what he has sent; empty for a page that is only read.
    """

    call: Call
    look: OwnLook
    who: Visitor
    token: str
    query: Mapping[str, str]
    form: Mapping[str, str]

    @property
    def csrf(self) -> str:
        """What only pages of his session know."""
        purpose = f"portal-csrf\n{self.token}".encode()
        return hmac.new(self.call.app.secret, purpose, "sha256").hexdigest()

    @property
    def key(self) -> str:
        """The idempotency key that our own page has put into the form.

        Raises:
            Unfit: there is none.
        """
        said = self.form.get("key", "")
        if not _KEY.fullmatch(said):
            raise Unfit.field("key", "missing")
        return f"portal-{said}"

    def fresh_key(self) -> str:
        """A key for one form."""
        return urlsafe_b64encode(self.call.app.randomness(_KEY_BYTES)).decode()

    def page(self, template: str, status: int = 200, **figures: Any) -> Reply:  # noqa: ANN401  # whatever the template shows
        """A page as an answer."""
        return self.look.page(template, status, visit=self, **figures)

    def here(self, **changed: str | None) -> str:
        """The address of this page with other filters."""
        said = {**self.query, **changed}
        rest = urlencode({name: value for name, value in said.items() if value})
        return f"{self.look.path}?{rest}" if rest else self.look.path


Handler = Callable[[Visit], Awaitable[Reply]]


def own_page(said: str | None) -> str:
    """An address of a page for customers; the first page when it is of anything else."""
    return said if said and _OWN_PAGE.fullmatch(said) and "//" not in said else HOME


def cookie_name(call: Call) -> str:
    """What the cookie of a session is called."""
    return f"__Host-{COOKIE}" if is_secure(call) else COOKIE


def cookie_of(call: Call) -> str:
    """The cookie of a session, or an empty text when there is none that could be one."""
    said = cookies_of(call).get(cookie_name(call), "")
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
    return visit if isinstance(visit, Reply) else await _answer(visit, handler)


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
        if not hmac.compare_digest(form.get("csrf", "").encode(), visit.csrf.encode()):
            return refusal(call, visit.look, Denied("forbidden"))
        try:
            call.limits = await OwnLimits(call.app).admit(call.scope, call.actor, b"")
        except ComptoirError as error:
            return refusal(call, visit.look, error)
        return await _answer(visit, handler)

    return operation("POST", path, serve)


async def _answer(visit: Visit, handler: Handler) -> Reply:
    try:
        return await handler(visit)
    except (ComptoirError, Unfit) as error:
        return refusal(visit.call, visit.look, error)
    except Exception as error:  # noqa: BLE001  # the last resort, as a page: it is logged all the same
        visit.call.scope["comptoir.error"] = error
        reader = Reading(visit.look.language, visit.look.path, visit.call.now)
        return refused_page(visit.look, problem(reader, "internal", {}))


async def _enter(call: Call, query: Anything, form: Mapping[str, str]) -> Visit | Reply:
    """Whoever has a session; the page that says there is none to anybody else."""
    cookies = cookies_of(call)
    try:
        who = await visitor_of(call)
    except ComptoirError as error:
        if is_bug(error):
            call.scope["comptoir.error"] = error
        return refusal(call, look_of(call, cookies, None), error)
    look = look_of(call, cookies, who)
    if who is None:
        return look.page("signed_out.html", 401)
    call.actor = Actor(Role.CUSTOMER, who.book, f"customer {who.customer}", who.customer)
    call.scope["comptoir.actor"] = call.actor
    said = {name: str(value) for name, value in (query.model_extra or {}).items()}
    return Visit(call, look, who, cookie_of(call), said, form)
