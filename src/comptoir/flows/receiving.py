"""Receiving an event: kept, committed, and only then answered. Somebody is woken to work on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

import msgspec

from comptoir.domains.payments import compat, signature
from comptoir.domains.payments.compat import Told, Unreadable
from comptoir.domains.payments.model import SOURCE
from comptoir.domains.payments.signature import Fault
from comptoir.kit.books import LIVE
from comptoir.kit.errors import ComptoirError, Invalid
from comptoir.kit.gathering import Gathering
from comptoir.store import inbox
from comptoir.store.bell import Bell
from comptoir.store.inbox import Event
from comptoir.store.pool import Pool

TOGETHER: Final = 200
BODY_BYTES: Final = 1024 * 1024
"""Of an event. Stripe's own are a few thousand bytes; what is larger is read from its list."""

_OBJECT_LENGTH: Final = 200


class Via(StrEnum):
    """How an event came."""

    WEBHOOK = "webhook"
    EVENTS = "events"
    """From the provider's own list: its webhook was lost, or late."""
    TRIGGER = "trigger"


class BadSignature(ComptoirError):
    """Nobody but the provider could have signed this; and it is not signed so."""

    def __init__(self, fault: Fault) -> None:
        super().__init__("bad-signature", fault=fault.value)


@dataclass(frozen=True, slots=True)
class Received:
    """An event that is kept.

    Attributes:
        is_new: it was not known before.
    """

    event: Event
    is_new: bool


class Desk:
    """Receives events, in an async context; those that come together share a commit."""

    def __init__(self, pool: Pool, bell: Bell, secrets: Sequence[str]) -> None:
        self._pool = pool
        self._bell = bell
        self._secrets = secrets
        self._gathering = Gathering(self._keep, TOGETHER)

    async def __aenter__(self) -> Self:
        await self._gathering.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._gathering.__aexit__()

    @property
    def is_configured(self) -> bool:
        """Whether there is a secret to check signatures with."""
        return bool(self._secrets)

    async def receive(self, body: bytes, header: str, now: int) -> Received:
        """Keep what a provider has sent.

        Args:
            body: exactly as it came.
            header: its signature.
            now: seconds since 1970.

        Raises:
            BadSignature: it is not the provider's, or too old, or from the future.
            Invalid: it is the provider's, but no event.
            Unavailable: the database is down: nothing is kept, and the provider must come again.
        """
        fault = signature.fault_of(body, header, self._secrets, now)
        if fault is not None:
            raise BadSignature(fault)
        return await self.keep(body, Via.WEBHOOK)

    async def keep(self, body: bytes, via: Via) -> Received:
        """Keep an event that is known to be the provider's.

        Raises:
            Invalid: it is no event.
            Unavailable: the database is down.
        """
        try:
            told = compat.event(msgspec.json.decode(body))
        except (Unreadable, msgspec.DecodeError, AttributeError, RecursionError) as error:
            raise Invalid("event-unreadable", field="body") from error
        event = written(told, body.decode(), via)
        is_new = await self._gathering.ask(event)
        if is_new:
            self._bell.ring()
        return Received(event, is_new)

    async def _keep(self, events: Sequence[Event]) -> list[bool]:
        return await inbox.receive(self._pool, events)


def written(told: Told, body: str, via: Via) -> Event:
    """An event as the inbox keeps it."""
    about = compat.object_of(told)[:_OBJECT_LENGTH]
    book = compat.book_of(told) or LIVE
    return Event(book, SOURCE, told.id, told.type, about, told.livemode, told.at, via.value, body)
