"""That something has changed, for pages that are looked at: a stream for whoever has signed in."""

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Final

from comptoir.domains.identity import operators
from comptoir.kit.errors import Unavailable
from comptoir.store.pool import begin
from comptoir.web import live
from comptoir.web.dashboard.visits import HOME, Visit, reading
from comptoir.web.live import Changes, StreamReply
from comptoir.web.replies import Reply

_FULL: Final = 204


async def stream(visit: Visit) -> Reply:
    """GET /dashboard/stream: that the book has changed, twice a second at most."""
    call, app = visit.call, visit.call.app
    with ExitStack() as opened:
        caller = (visit.book, "session", visit.session.id)
        if not opened.enter_context(call.doorman.seats.seat(caller)):
            return Reply(_FULL, b"")
        watch, topic = opened.enter_context(app.live.following(visit.book))
        return StreamReply(
            feed=Changes(watch, topic, app.clock),
            life=live.LIFE_SECONDS * (1 - live.JITTER * app.chance()),
            is_welcome=_is_welcome(visit),
            opened=opened.pop_all(),
        )


def _is_welcome(visit: Visit) -> Callable[[], Awaitable[bool]]:
    """How to find out whether the session goes on, and looks at the same book."""
    app = visit.call.app

    async def ask() -> bool:
        if app.moved:
            return False
        try:
            async with begin(app.pool) as tx:
                found = await operators.session(tx, visit.token)
        except Unavailable:
            return True  # nobody can say, and nothing is told meanwhile
        return found is not None and found.book == visit.book

    return ask


OPERATIONS: Final = (reading(f"{HOME}/stream", stream),)
