"""Which operator looks at a page, and whether a form that he sends is his own.

A form counts only when it comes from a page of ours (the browser says so), with the cookie of a
session that has not ended, and with the token that only pages of that session know.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from comptoir.domains.identity import operators
from comptoir.domains.identity.operators import Session
from comptoir.kit.actor import Actor, Role
from comptoir.kit.errors import ComptoirError, Denied, Unavailable
from comptoir.store.gate import RETRY_SECONDS, State
from comptoir.store.pool import begin
from comptoir.web.call import Call
from comptoir.web.complaints import Unfit
from comptoir.web.dashboard.look import Look, look_of
from comptoir.web.pages import visits
from comptoir.web.pages.forms import Anything, cookie_name, operation, own_form, texts_of
from comptoir.web.pages.look import cookies_of
from comptoir.web.pages.visits import answer, refusal
from comptoir.web.replies import Reply
from comptoir.web.routing import Operation

HOME: Final = "/dashboard"
COOKIE: Final = "comptoir-operator"


@dataclass(frozen=True, slots=True)
class Visit(visits.Visit):
    """Somebody who has signed in, and what he wants."""

    PURPOSE: ClassVar = "csrf"
    KEYS: ClassVar = "page"

    look: Look
    session: Session

    @property
    def book(self) -> int:
        """The book that he looks at."""
        return self.session.book

    @property
    def may_act(self) -> bool:
        """Whether he may do more than look: a page shows no form that would refuse him."""
        return self.session.rank.may_act


Handler = Callable[[Visit], Awaitable[Reply]]


def reading(path: str, handler: Handler) -> Operation:
    """A page that is only read."""

    async def serve(call: Call, query: Anything) -> Reply:
        look = look_of(call, cookies_of(call))
        try:
            visit = await _enter(call, look, texts_of(query), {})
        except (ComptoirError, Unfit) as error:
            return refusal(call, look, error)
        if visit is None:
            return look.page("signed_out.html", 401)
        return await answer(visit, handler)

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
            visit = await _enter(call, look, texts_of(query), await own_form(call))
        except (ComptoirError, Unfit) as error:
            return refusal(call, look, error)
        if visit is None:
            return look.page("signed_out.html", 401)
        if not visit.is_own or not (by_anybody or visit.may_act):
            return refusal(call, look, Denied("forbidden"))
        return await answer(visit, handler)

    return operation("POST", path, serve)


async def _enter(
    call: Call, look: Look, query: Mapping[str, str], form: Mapping[str, str]
) -> Visit | None:
    """Whoever has signed in; None for anybody else."""
    if call.app.moved:
        raise Unavailable("books-moved", retry_after=RETRY_SECONDS[State.MOVED])
    token = cookies_of(call).get(cookie_name(call, COOKIE), "")
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
    return Visit(call, look, token, query, form, session)
