"""Letting a customer into his own pages, by a link that works once."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass

from psycopg import AsyncConnection

from comptoir.domains.identity import visitors
from comptoir.domains.identity.visitors import SECRET_BYTES, Pass
from comptoir.flows.till import Till


@dataclass(frozen=True, slots=True)
class Host:
    """Who lets somebody in.

    Attributes:
        key: signs links; every server has the same.
        randomness: gives so many random bytes.
    """

    till: Till
    key: bytes
    randomness: Callable[[int], bytes]


async def invite(
    tx: AsyncConnection, host: Host, book: int, customer: int, seconds: int
) -> tuple[str, int]:
    """The address of a link to a customer's own pages, and until when it opens them.

    Args:
        tx: the open transaction.
        host: who lets him in.
        book: the book.
        customer: his surrogate id.
        seconds: for how long; the time is in microseconds since 1970.
    """
    secret = urlsafe_b64encode(host.randomness(SECRET_BYTES)).rstrip(b"=").decode()
    of = Pass(book, host.till.new_id(), customer, secret, seconds)
    until = await visitors.add_link(tx, of)
    return visitors.write_link(host.till.terms.public_url, host.key, secret), until
