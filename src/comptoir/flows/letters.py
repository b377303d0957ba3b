"""Sending an e-mail: a job finds out who gets it, in which language, and posts it once.

A letter is posted under a claim of its key: whoever finds that it was posted does not post it
again. A process that is killed between posting and noting it posts it twice, with the same
Message-ID; the other order would lose letters.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import Any, Final

from comptoir.domains.identity import queries
from comptoir.domains.notifications.model import Email, Envelope, compose, is_address
from comptoir.domains.notifications.post import Post, Undeliverable
from comptoir.guards.once import Call, Once
from comptoir.jobs.model import GiveUp, Job, Result
from comptoir.kit.clock import Clock
from comptoir.kit.errors import ComptoirError, Conflict, Invalid, NotFound
from comptoir.store.pool import Pool, begin

KEPT: Final = 90 * 86_400.0
"""Seconds for which a letter is known to have been sent."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SCOPE: Final = "email"


@dataclass(frozen=True, slots=True)
class Mailroom:
    """What sending takes.

    Attributes:
        sender: what letters come from, as `Shop <shop@example.com>`.
        locale: of whoever says none.
        once: the calls of a book that are made once.
    """

    pool: Pool
    post: Post
    sender: str
    locale: str
    once: Callable[[int], Awaitable[Once]]
    clock: Clock


@dataclass(frozen=True, slots=True)
class _Reader:
    address: str
    locale: str


async def send(room: Mailroom, job: Job) -> Result:
    """Send the letter of a job; the job's result says whether it had been sent before.

    Raises:
        GiveUp: it is no letter, it is refused for good, or its key is another one's.
        ComptoirError: it cannot be sent now.
    """
    try:
        email = Email.read(job.payload)
        sender = sender_of(room.sender)
        call = Call.of(job.book, email.key or str(job.id), dict(job.payload), _SCOPE, KEPT)
        reader = await _reader(room, job.book, email)
        if reader is None:
            return {"skipped": "no-address"}
        result, replayed = await (await room.once(job.book)).run(
            call, lambda _: _post(room, email, reader, sender, call)
        )
    except (Invalid, Undeliverable) as error:
        raise GiveUp(error.code) from error
    except Conflict as error:
        if error.code == "idempotency-key-reused":
            raise GiveUp(error.code) from error
        raise
    return {**result, "duplicate": replayed}


async def _post(
    room: Mailroom, email: Email, reader: _Reader, sender: str, call: Call
) -> dict[str, Any]:
    domain = sender.rpartition("@")[2]
    at = _EPOCH + timedelta(microseconds=room.clock())
    envelope = Envelope(room.sender, reader.address, f"{call.id.hex()}@{domain}", at)
    message = compose(email.words(reader.locale), reader.locale, envelope)
    await room.post.send(message, sender, reader.address)
    return {"message_id": envelope.message_id}


async def _reader(room: Mailroom, book: int, email: Email) -> _Reader | None:
    """Who gets it; None when he has no address, or is erased."""
    if email.customer is None:
        return _Reader(email.to or "", email.locale or room.locale)
    try:
        async with begin(room.pool) as tx:
            customer = await queries.customer(tx, book, email.customer)
    except NotFound:
        return None
    if customer.email is None:
        return None
    return _Reader(customer.email, email.locale or customer.locale)


def sender_of(said: str) -> str:
    """The address that letters come from.

    Raises:
        ComptoirError: there is none in what EMAIL_FROM says.
    """
    address = parseaddr(said)[1]
    if not is_address(address) or not said.isprintable():
        raise ComptoirError("email-from-invalid")
    return address
