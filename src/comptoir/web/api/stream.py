"""Balances as they change, and that something changes in a book: streams of events."""

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any, Final

from comptoir.domains.credits.commands import place
from comptoir.kit.actor import Role
from comptoir.kit.errors import ComptoirError, Unavailable
from comptoir.kit.limits import SECOND
from comptoir.store.live import Place
from comptoir.web import live, shapes
from comptoir.web.api.reading import Whose, place_of, whose
from comptoir.web.call import Call
from comptoir.web.live import Balances, Changes, StreamReply
from comptoir.web.replies import Reply
from comptoir.web.routing import EVERYBODY, OPERATORS, Operation

_FULL: Final = 204


async def balances(call: Call, query: Whose) -> Reply:
    """GET /api/stream: the balance at once, and again whenever it has changed."""
    name, account, asset = await place_of(call, query)
    which = Place(call.actor.book, asset, name, is_named=_is_named(call, query, name))
    with ExitStack() as opened:
        if not opened.enter_context(call.doorman.seats.seat((*_caller(call), name))):
            return Reply(_FULL, b"")
        watch, seen = opened.enter_context(call.app.live.watching(which, account))
        await call.app.live.refresh(call.actor.book, seen)
        sent = live.after(call.headers.get(b"last-event-id"), seen.version)
        return StreamReply(
            feed=Balances(watch, seen, asset, name, sent),
            life=_life(call),
            is_welcome=_is_welcome(call, query.customer),
            opened=opened.pop_all(),
        )


def _is_named(call: Call, query: Whose, name: str) -> bool:
    """Whether it is a stock account; a customer may have its name."""
    _, account = place(name, query.asset)
    return account is not None and call.actor.role is not Role.CUSTOMER


async def changes(call: Call) -> Reply:
    """GET /api/stream/changes: that something has changed in the book, twice a second at most."""
    with ExitStack() as opened:
        if not opened.enter_context(call.doorman.seats.seat(_caller(call))):
            return Reply(_FULL, b"")
        watch, topic = opened.enter_context(call.app.live.following(call.actor.book))
        return StreamReply(
            feed=Changes(watch, topic, call.app.clock),
            life=_life(call),
            is_welcome=_is_welcome(call, None),
            opened=opened.pop_all(),
        )


def _caller(call: Call) -> tuple[int, str, str]:
    return call.actor.book, call.actor.role.value, call.actor.name


def _life(call: Call) -> float:
    """Seconds that a stream may last: no longer than its caller's token."""
    life = live.LIFE_SECONDS * (1 - live.JITTER * call.app.chance())
    ends = call.doorman.ends_at(call.headers.get(b"authorization", b""))
    return life if ends is None else min(life, max(0.0, (ends - call.now) / SECOND))


def _is_welcome(call: Call, customer: str | None) -> Callable[[], Awaitable[bool]]:
    """How to find out whether the caller may go on: his key may end, or he be erased."""

    async def ask() -> bool:
        if call.app.moved:
            return False
        try:
            await call.doorman.identify(call.headers[b"authorization"], call.scope["path"])
            if call.actor.role is Role.CUSTOMER:
                await whose(call, customer)
        except Unavailable:
            return True  # nobody can say, and nothing is told meanwhile
        except ComptoirError:
            return False
        return True

    return ask


def _stream(path: str, handler: Any, summary: tuple[str, str], **more: Any) -> Operation:  # noqa: ANN401  # handlers and fields differ
    return Operation(
        method="GET", path=path, handler=handler, summary=summary, tag="stream", **more
    )


OPERATIONS: Final = (
    _stream(
        "/api/stream",
        balances,
        ("Follow a balance: event `balance`", "Suivre un solde : évènement `balance`"),
        roles=EVERYBODY,
        streams="balance",
        query=Whose,
        answer=shapes.BalanceShape,
        codes=("unknown-asset", "unknown-customer", "shutting-down"),
    ),
    _stream(
        "/api/stream/changes",
        changes,
        (
            "Learn that something has changed in the book: event `changed`",
            "Apprendre que le livre a changé : évènement `changed`",
        ),
        roles=OPERATORS,
        streams="changed",
        answer=shapes.ChangedShape,
        codes=("shutting-down",),
    ),
)
