"""Counters: exact with an id, in the caller's transaction or not; else gathered and written behind.

What has gathered is written with a batch id in one transaction, so that a batch whose answer was
lost, and is written again, counts once. What was not written yet is lost with the process: count
with an id what must not be.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.guards import sql
from comptoir.guards.names import metric, named
from comptoir.kit.errors import Invalid, Unavailable
from comptoir.kit.ids import request_id
from comptoir.kit.limits import QUANTITY_MAX
from comptoir.store.joined import fetch_joined
from comptoir.store.pool import Pool, begin, fetch

EVERY: Final = 0.5
"""Seconds after which what has gathered is written."""

_NAMES: Final = 10_000
_READ: Final = 100
_SEPARATOR: Final = "\x1f"


@dataclass(slots=True)
class _Batch:
    id: bytes
    amounts: dict[str, int] = field(default_factory=dict[str, int])


class Counters:
    """The counters of a book. Shared by all tasks of one event loop, as an async context."""

    def __init__(
        self, pool: Pool, book: int, new_id: Callable[[], UUID], every: float = EVERY
    ) -> None:
        self._pool = pool
        self._book = book
        self._new_id = new_id
        self._every = every
        self._gathering = self._new_batch()
        self._unsure: _Batch | None = None
        self._tasks = asyncio.TaskGroup()
        self._writing: asyncio.Task[None] | None = None
        self.dropped = 0

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._writing = self._tasks.create_task(self._write_behind())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._writing is not None, "the block was entered"
        self._writing.cancel()
        await self._tasks.__aexit__(None, None, None)
        try:
            await self.flush()
        except Unavailable:
            self.dropped += sum(map(abs, self._gathering.amounts.values()))

    def count(self, name: str, amount: int = 1) -> None:
        """Count without waiting: it is written within a second.

        Names are those of a program, not of its users: of more than ten thousand between two
        writes the rest is dropped, which `dropped` says.

        Raises:
            Invalid: the name or the amount cannot be.
        """
        amounts = self._gathering.amounts
        before = amounts.get(name)
        if before is None:
            metric(name)
            if len(amounts) >= _NAMES:
                self.dropped += abs(amount)
                return
        _check(amount)
        amounts[name] = (before or 0) + amount

    async def add(self, name: str, amount: int = 1, *, id: str) -> int | None:  # noqa: A002  # what it is
        """Count an event exactly once.

        Args:
            name: of the counter.
            amount: how much.
            id: of the event: the same again is not counted.

        Returns:
            What the counter has then; None when the event was counted before.

        Raises:
            Invalid: a name or the amount cannot be.
            Unavailable: the database is down.
        """
        async with begin(self._pool) as tx:
            return await add(tx, self._book, name, amount, id)

    async def read(self, names: Sequence[str]) -> dict[str, int]:
        """What counters have, in one round trip; those that nobody has counted have nothing.

        What this process has counted and not written yet is not in it.

        Raises:
            Invalid: a name cannot be one, or there are too many.
            Unavailable: the database is down.
        """
        if len(names) > _READ:
            raise Invalid("field-invalid", field="names")
        wanted = [metric(name) for name in names]
        found = dict(await fetch(self._pool, sql.COUNTERS, (self._book, wanted)))
        return {name: found.get(name, 0) for name in wanted}

    async def flush(self) -> None:
        """Write what has gathered.

        Raises:
            Unavailable: the database is down; it is tried again later.
        """
        while self._unsure is not None or self._gathering.amounts:  # bounded: two at most
            if self._unsure is None:
                self._unsure, self._gathering = self._gathering, self._new_batch()
            await self._write(self._unsure)
            self._unsure = None

    async def _write_behind(self) -> None:
        while True:  # until left
            await asyncio.sleep(self._every)
            try:
                await self.flush()
            except Unavailable:
                continue

    async def _write(self, batch: _Batch) -> None:
        names = sorted(batch.amounts)
        amounts = [batch.amounts[name] for name in names]
        async with begin(self._pool) as tx:
            once = await tx.execute(sql.COUNT_ONCE, (self._book, batch.id))
            if await once.fetchone() is not None:
                await tx.execute(sql.ADD, (self._book, names, amounts))

    def _new_batch(self) -> _Batch:
        return _Batch(self._new_id().bytes)


async def add(tx: AsyncConnection[Any], book: int, name: str, amount: int, id_: str) -> int | None:
    """What `Counters.add` does, in the open transaction.

    Raises:
        Invalid: a name or the amount cannot be.
    """
    event = event_of(book, name, amount, id_)
    if not await fetch_joined(tx, sql.COUNT_ONCE, (book, event)):
        return None
    [[_, value]] = await fetch_joined(tx, sql.ADD, (book, [name], [amount]))
    return value


def event_of(book: int, name: str, amount: int, id_: str) -> bytes:
    """By which an event is known that is counted once.

    Raises:
        Invalid: a name or the amount cannot be.
    """
    metric(name)
    _check(amount)
    return request_id(book, f"count{_SEPARATOR}{name}{_SEPARATOR}{named('id', id_)}")


def _check(amount: int) -> None:
    if not -QUANTITY_MAX <= amount <= QUANTITY_MAX:
        raise Invalid("field-invalid", field="amount")
