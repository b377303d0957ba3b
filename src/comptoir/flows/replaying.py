"""Replaying an event: once more for good, or only to see what it would do."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import msgspec

from comptoir.domains.payments import compat, queries
from comptoir.domains.payments.compat import Unreadable
from comptoir.domains.payments.model import SOURCE
from comptoir.flows import settling
from comptoir.flows.settling import Situation
from comptoir.flows.till import Deferred, Look, Till
from comptoir.kit.errors import NotFound
from comptoir.store import inbox
from comptoir.store.pool import begin


class _OnlyTried(Exception):
    """Rolls back what was tried."""


async def replay(till: Till, book: int, event: str) -> None:
    """Let an event be handled once more; what it has done already is not done again.

    Raises:
        NotFound: there is none, or its body is forgotten.
    """
    if not await inbox.replay(till.pool, book, SOURCE, event):
        raise NotFound("event-not-found")
    till.inbox.ring()


async def try_out(till: Till, book: int, event: str) -> Sequence[Mapping[str, Any]]:
    """What an event would do now; nothing is changed.

    Raises:
        NotFound: there is none, or its body is forgotten.
        Unavailable: the provider must be asked, and cannot be reached.
    """
    found = await inbox.find(till.pool, book, SOURCE, event)
    if found is None or found.event.body is None:
        raise NotFound("event-not-found")
    try:
        told = compat.event(msgspec.json.decode(found.event.body))
    except (Unreadable, msgspec.DecodeError):
        raise NotFound("event-not-found") from None
    now = Situation(till, told, attempts=1)
    try:
        return await _try(till, now)
    except Look:
        async with begin(till.pool) as tx:
            at = await queries.now(tx)
        looked = await settling.look(now, at)
        return await _try(till, Situation(till, told, 1, looked))


async def _try(till: Till, now: Situation) -> Sequence[Mapping[str, Any]]:
    try:
        async with begin(till.pool) as tx:
            await settling.handle(tx, now)
            _undo()
    except _OnlyTried:
        return now.effects.done
    except Deferred as error:
        return [{"effect": "deferred", "reason": str(error)}]


def _undo() -> NoReturn:
    raise _OnlyTried
