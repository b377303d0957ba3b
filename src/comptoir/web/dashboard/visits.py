"""Who looks at a page, and whether a form that he sends is his own.

A form counts only when it comes from a page of ours (the browser says so), with the cookie of a
session that has not ended, and with the token that only pages of that session know.
"""

import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import BaseModel

from comptoir.domains.identity import operators
from comptoir.domains.identity.operators import Session
from comptoir.kit.actor import Actor, Role
from comptoir.kit.errors import ComptoirError, Denied, Unavailable, is_bug
from comptoir.store.gate import RETRY_SECONDS, State
from comptoir.store.pool import begin
from comptoir.web import shapes
from comptoir.web.call import Call
from comptoir.web.complaints import Unfit
from comptoir.web.dashboard.look import GUARDED, Look, cookies_of, look_of
from comptoir.web.limits import RateLimited
from comptoir.web.refusing import Reading, problem, refused, unfit
from comptoir.web.replies import Header, Reply
from comptoir.web.routing import PUBLIC, Operation

HOME: Final = "/dashboard"
COOKIE: Final = "comptoir-operator"
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_KEY_BYTES: Final = 18
_FIELDS: Final = 50
_FORM: Final = b"application/x-www-form-urlencoded"
_OWN_PAGE: Final = re.compile(r"/dashboard(?:[/?][!#-;=?-\[\]_a-z~%]*)?", re.ASCII)


class Anything(BaseModel, extra="allow"):
    """The query of a page: what a page does not know it does not read."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who has signed in, and what he wants.

    Attributes:
        token: the cookie of his session.
        query: of the address.
        form: what he has sent; empty for a page that is only read.
    """

    call: Call
    look: Look
    session: Session
    token: str
    query: Mapping[str, str]
    form: Mapping[str, str]

    @property
    def book(self) -> int:
        """The book that he looks at."""
        return self.session.book

    @property
    def csrf(self) -> str:
        """What only pages of his session know."""
        purpose = f"csrf\n{self.token}".encode()
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
        return f"page-{said}"

    def fresh_key(self) -> str:
        """A key for one form."""
        return urlsafe_b64encode(self.call.app.randomness(_KEY_BYTES)).decode()

    def page(self, template: str, status: int = 200, **figures: Any) -> Reply:  # noqa: ANN401  # whatever the template shows
        """A page as an answer."""
        done = self.query.get("done", "")
        return self.look.page(
            template, status, visit=self, csrf=self.csrf,
            done=f"done.{done}" if self.look.has(f"done.{done}") else None, **figures,
        )  # fmt: skip

    def here(self, **changed: str | None) -> str:
        """The address of this page with other filters."""
        said = {**self.query, **changed}
        said.pop("done", None)
        rest = urlencode({name: value for name, value in said.items() if value})
        return f"{self.look.path}?{rest}" if rest else self.look.path


Handler = Callable[[Visit], Awaitable[Reply]]


def go(address: str, *headers: Header) -> Reply:
    """Send the browser to another page of ours."""
    return Reply(303, b"", b"text/plain", [(b"location", address.encode()), *GUARDED, *headers])


def own_page(said: str | None) -> str:
    """An address of a page of ours; the first page when it is of anything else."""
    return said if said and _OWN_PAGE.fullmatch(said) and "//" not in said else HOME


def is_secure(call: Call) -> bool:
    """Whether browsers reach us over TLS."""
    return (call.app.settings.public_url or "").startswith("https://")


def cookie_name(call: Call) -> str:
    """What the cookie of a session is called."""
    return f"__Host-{COOKIE}" if is_secure(call) else COOKIE


def set_cookie(call: Call, name: str, value: str, seconds: int) -> Header:
    """A header that keeps a cookie where no script and no other site reads it."""
    secure = "; Secure" if is_secure(call) else ""
    text = f"{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}"
    return b"set-cookie", text.encode()


def reading(path: str, handler: Handler) -> Operation:
    """A page that is only read."""

    async def serve(call: Call, query: Anything) -> Reply:
        look = look_of(call, cookies_of(call))
        try:
            visit = await _enter(call, look, _texts(query), {})
        except (ComptoirError, Unfit) as error:
            return refusal(call, look, error)
        if visit is None:
            return look.page("signed_out.html", 401)
        return await _answer(visit, handler)

    return operation("GET", path, serve)


def acting(path: str, handler: Handler, *, by_anybody: bool = False) -> Operation:
    """What a form does.

    Args:
        path: where it is sent.
        handler: does it.
        by_anybody: also by whoever may only look, for it changes nothing but his own session.
    """

    async def serve(call: Call, query: Anything) -> Reply:
        look = look_of(call, cookies_of(call))
        try:
            visit = await _enter(call, look, _texts(query), await own_form(call))
        except (ComptoirError, Unfit) as error:
            return refusal(call, look, error)
        if visit is None:
            return look.page("signed_out.html", 401)
        said = visit.form.get("csrf", "")
        is_own = hmac.compare_digest(said.encode(), visit.csrf.encode())
        if not is_own or not (by_anybody or visit.session.rank.may_act):
            return refusal(call, look, Denied("forbidden"))
        return await _answer(visit, handler)

    return operation("POST", path, serve)


def operation(method: str, path: str, handler: Any) -> Operation:  # noqa: ANN401  # as Operation has it
    """A route of pages: it is no part of the API and of its documentation."""
    return Operation(
        method=method, path=path, handler=handler, summary=("", ""), tag="docs", roles=PUBLIC,
        query=Anything, answer=shapes.Status,
    )  # fmt: skip


async def _answer(visit: Visit, handler: Handler) -> Reply:
    try:
        return await handler(visit)
    except (ComptoirError, Unfit) as error:
        return refusal(visit.call, visit.look, error)
    except Exception as error:  # noqa: BLE001  # the last resort, as a page: it is logged all the same
        visit.call.scope["comptoir.error"] = error
        reader = Reading(visit.look.language, visit.look.path, visit.call.now)
        return refused_page(visit.look, problem(reader, "internal", {}))


async def _enter(
    call: Call, look: Look, query: Mapping[str, str], form: Mapping[str, str]
) -> Visit | None:
    """Whoever has signed in; None for anybody else."""
    if call.app.moved:
        raise Unavailable("books-moved", retry_after=RETRY_SECONDS[State.MOVED])
    token = cookies_of(call).get(cookie_name(call), "")
    if not operators.looks_like_secret(token):
        return None
    async with begin(call.app.pool) as tx:
        session = await operators.session(tx, token)
        if session is not None and session.rests:
            await operators.note_seen(tx, session.id)
    if session is None:
        return None
    call.actor = Actor(Role.OPERATOR, session.book, f"{session.name} ({session.rank})")
    call.scope["comptoir.actor"] = call.actor
    return Visit(call, look, session, token, query, form)


def is_own_origin(call: Call) -> bool:
    """Whether a browser sends this from a page of ours. It must say so in one way or the other."""
    site = call.headers.get(b"sec-fetch-site")
    if site is not None and site != b"same-origin":
        return False
    origin = call.headers.get(b"origin")
    if origin is None:
        return site is not None
    said = urlsplit(origin.decode("latin-1"))
    public = urlsplit(call.app.settings.public_url or "")
    host = call.headers.get(b"host", b"").decode("latin-1")
    return bool(said.netloc) and (
        (said.scheme, said.netloc) == (public.scheme, public.netloc) or said.netloc == host
    )


async def own_form(call: Call) -> dict[str, str]:
    """The fields of a form that a page of ours has sent.

    Raises:
        Denied: it comes from elsewhere.
        ComptoirError: it is none.
        Unfit: a field comes twice.
    """
    if not is_own_origin(call):
        raise Denied("forbidden")
    kind = call.headers.get(b"content-type", b"").lower().partition(b";")[0].strip()
    if kind != _FORM:
        raise ComptoirError("bad-request")
    try:
        pairs = parse_qsl(
            (await call.body()).decode("ascii"),
            keep_blank_values=True, errors="strict", max_num_fields=_FIELDS,
        )  # fmt: skip
    except ValueError:
        raise ComptoirError("bad-request") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise Unfit.field(name[:50], "repeated")
        found[name] = value.replace("\r\n", "\n")
    return found


def refusal(call: Call, look: Look, error: ComptoirError | Unfit) -> Reply:
    """A refusal, in the words that the API has for it."""
    reader = Reading(look.language, look.path, call.now)
    if isinstance(error, Unfit):
        return refused_page(look, unfit(reader, error))
    if is_bug(error):
        call.scope["comptoir.error"] = error
    if isinstance(error, RateLimited):
        call.limits = error.headers
    return refused_page(look, refused(reader, error))


def refused_page(look: Look, reply: Reply) -> Reply:
    """A problem document as a page."""
    problem = json.loads(reply.body)
    page = look.page("problem.html", reply.status, problem=problem)
    page.headers += [header for header in reply.headers if header[0] == b"retry-after"]
    return page


def _texts(query: Anything) -> dict[str, str]:
    found = (query.model_extra or {}).items()
    return {name: str(value).replace("\0", "") for name, value in found}  # PostgreSQL knows none
