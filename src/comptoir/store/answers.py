"""Rare writes that are not the ledger's, done once: a repeat with the same key gets the answer.

The answer is written in the transaction of the effect. It holds nothing personal; and what was
asked is kept as digests that nobody can try names against, for the idempotency key is part of them
and is not stored anywhere.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.errors import DeadlockDetected, LockNotAvailable, UniqueViolation
from psycopg.types.json import Jsonb

from comptoir.kit.errors import Conflict, NotFound, Unavailable
from comptoir.kit.ids import request_id
from comptoir.store.pool import Pool, begin

Figures = dict[str, Any]
"""What an answer shows: numbers, times and surrogate ids."""

_DIGEST: Final = 8
_PATIENCE: Final = "SET LOCAL statement_timeout = '10min'"
"""A request's limit is no measure for what is done to a whole life, or to a whole book."""

_FIND: Final = "SELECT op, mark, figures FROM comptoir.answers WHERE book_id = %s AND id = %s"

_KEEP: Final = """
INSERT INTO comptoir.answers (book_id, id, mark, op, figures) VALUES (%s, %s, %s, %s, %s)"""


@dataclass(frozen=True, slots=True)
class Deed:
    """A write that may be repeated.

    Attributes:
        op: what is done.
        key: the idempotency key; empty when none was given: then nothing is kept.
        said: what the caller said, by field; always the same fields for an op.
    """

    book: int
    op: str
    key: str
    said: Mapping[str, object]

    @property
    def id(self) -> bytes:
        """The request's id."""
        return request_id(self.book, self.key)

    @property
    def mark(self) -> bytes:
        """A digest a field."""
        secret = blake2b(self.key.encode()).digest()
        return b"".join(
            blake2b(f"{name}\0{value}".encode(), key=secret, digest_size=_DIGEST).digest()
            for name, value in self.said.items()
        )

    def differing_field(self, mark: bytes) -> str | None:
        """The first field in which another mark differs; None when it is the same request."""
        own = self.mark
        for number, name in enumerate(self.said):
            part = slice(number * _DIGEST, (number + 1) * _DIGEST)
            if not hmac.compare_digest(mark[part], own[part]):
                return name
        return None


async def once(
    pool: Pool, deed: Deed, work: Callable[[AsyncConnection], Awaitable[Figures]]
) -> tuple[Figures, bool]:
    """Do a deed in a transaction of its own, unless it was done before.

    Returns:
        What it is answered, and whether that was before.

    Raises:
        Conflict: the key was used for something else.
        Unavailable: somebody keeps locked what the work needs, or the database is down.
    """
    try:
        async with begin(pool) as tx:
            before = await _find(tx, deed)
            if before is not None:
                return before, True
            return await _do(tx, deed, work), False
    except (UniqueViolation, NotFound, Conflict):
        # Perhaps its twin was under way, and has done it while we waited.
        async with begin(pool) as tx:
            before = await _find(tx, deed)
        if before is None:
            raise
        return before, True


async def _do(
    tx: AsyncConnection, deed: Deed, work: Callable[[AsyncConnection], Awaitable[Figures]]
) -> Figures:
    await tx.execute(_PATIENCE)
    try:
        figures = await work(tx)
        if deed.key:
            await tx.execute(_KEEP, (deed.book, deed.id, deed.mark, deed.op, Jsonb(figures)))
    except LockNotAvailable as error:
        raise Unavailable("account-busy") from error
    except DeadlockDetected as error:
        raise Unavailable("overloaded") from error
    return figures


async def _find(tx: AsyncConnection, deed: Deed) -> Figures | None:
    if not deed.key:
        return None
    row = await (await tx.execute(_FIND, (deed.book, deed.id))).fetchone()
    if row is None:
        return None
    op, mark, figures = row
    field = "op" if op != deed.op else deed.differing_field(mark)
    if field is not None:
        raise Conflict("idempotency-key-reused", field=field)
    return figures
