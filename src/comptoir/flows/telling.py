"""Telling others: what is in the outbox goes to whoever wants to know, until it has arrived.

What happened was written in the commit that did it, so that nothing is told that did not happen,
and nothing that happened is forgotten. Names are looked up when it is told: who was erased since
has none.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.errors import Error

from comptoir.domains.notifications import hooks, model
from comptoir.domains.notifications import sql_hooks as sql
from comptoir.domains.notifications.model import Email
from comptoir.domains.stock import queries as stock
from comptoir.domains.stock.model import Size
from comptoir.flows import topping_up
from comptoir.flows.till import Till
from comptoir.jobs import queue
from comptoir.jobs.model import Wanted
from comptoir.kit.amounts import format_amount
from comptoir.kit.errors import ComptoirError, NotFound
from comptoir.kit.limits import SECOND
from comptoir.ledger.levels import LOW_SHARE
from comptoir.store import outbox
from comptoir.store.outbox import Happening
from comptoir.store.pool import begin

POLL: Final = 2.0
_REST: Final = 1.0
_SECONDS: Final = 10.0
_AT_ONCE: Final = 5
"""Deliveries to one place that are under way at a time, about: one may be slow, or never answer."""

_MOST: Final = 40
_OK: Final = range(200, 300)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHORT: Final = frozenset({outbox.CREDITS_LOW, outbox.CREDITS_EMPTY})


@dataclass(frozen=True, slots=True)
class Leased:
    """A delivery that this process makes."""

    book: int
    hook: UUID
    event: UUID
    attempts: int


@dataclass(slots=True)
class Teller:
    """Works off the outbox.

    Attributes:
        secret: of this server, from which those of places are derived.
        seconds: for which an answer is waited for.
    """

    till: Till
    secret: bytes
    seconds: float = _SECONDS
    _under_way: Counter[UUID] = field(default_factory=Counter[UUID])
    _session: Any = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def work(self) -> None:
        """Tell what comes, until cancelled; whoever lets us wait holds up nobody else."""
        async with self._stack, asyncio.TaskGroup() as tasks:
            while True:  # until cancelled
                try:
                    found = await self.sort_out()
                    begun = await self._set_out(tasks)
                except (ComptoirError, Error, OSError):
                    await asyncio.sleep(_REST)
                    continue
                if not found and not begun:
                    await self.till.outbox.wait(POLL)

    async def look_round(self) -> None:
        """Find who wants to know of what is new, and tell what is due; wait until it is told."""
        await self.sort_out()
        async with asyncio.TaskGroup() as tasks:
            await self._set_out(tasks)

    async def sort_out(self) -> int:
        """Note who wants to know of what is new; says how much was new."""
        async with begin(self.till.pool) as tx:
            happenings = await outbox.claim(tx)
            for each in happenings:
                for hook in await hooks.wanting(tx, each.book, each.type):
                    await tx.execute(sql.ADD_DELIVERY, (each.book, hook, each.id))
                if each.type in _SHORT and each.customer is not None:
                    await self._top_up(tx, each.book, each.customer)
                if each.type == outbox.STOCK_LOW:
                    await self._write_to_operator(tx, each)
            if happenings:
                await outbox.settle(tx, happenings)
        return len(happenings)

    async def _top_up(self, tx: AsyncConnection, book: int, customer: int) -> None:
        """Buy again, for whoever wants that; a job that waits already is enough."""
        if self.till.stripe is None:
            return
        if await hooks.one(tx, sql.WANTS_TOP_UP, book, customer) is not None:
            wanted = Wanted(topping_up.TYPE, {"customer": customer}, f"top-up:{customer}")
            await queue.enqueue(tx, book, self.till.new_id(), wanted)

    async def _write_to_operator(self, tx: AsyncConnection, of: Happening) -> None:
        """Tell whoever orders more that it is time, where somebody has said who that is."""
        address = self.till.terms.operator_email
        if address is None or of.place is None:
            return
        size = await stock.at_line(tx, of.book, *of.place)
        if size is None:
            return
        values = {
            "product": size.product, "size": size.size, "available": str(size.available),
            "threshold": str(size.low_at),
        }  # fmt: skip
        letter = Email(to=address, template="stock-low", values=values, key=f"stock-low:{of.id}")
        wanted = Wanted(model.TYPE, letter.payload())
        await queue.enqueue(tx, of.book, self.till.new_id(), wanted)

    async def _set_out(self, tasks: asyncio.TaskGroup) -> int:
        """Begin some of the deliveries that are due, as far as there is room; says how many."""
        room = min(_AT_ONCE, _MOST - self._under_way.total())
        if room <= 0:
            return 0
        busy = [hook for hook, count in self._under_way.items() if count >= _AT_ONCE]
        async with begin(self.till.pool) as tx:
            rows = await (await tx.execute(sql.LEASE, (busy, room))).fetchall()
        for row in rows:
            leased = Leased(*row)
            self._under_way[leased.hook] += 1
            tasks.create_task(self._delivery(leased))
        return len(rows)

    async def _delivery(self, leased: Leased) -> None:
        try:
            await self._deliver(leased)
        except (ComptoirError, Error, OSError):
            return  # the database is away: when the lease has ended, it is told again
        finally:
            self._under_way[leased.hook] -= 1
            self._under_way += Counter[UUID]()  # those at nought go
            self.till.outbox.wake()

    async def _deliver(self, leased: Leased) -> None:
        place = (leased.book, leased.hook, leased.event, leased.attempts)
        try:
            async with begin(self.till.pool) as tx:
                hook = await hooks.find(tx, leased.book, leased.hook)
                happening = await outbox.find(tx, leased.book, leased.event)
                content = None if happening is None else await rendered(tx, happening)
        except NotFound:
            content, hook = None, None
        if content is None or hook is None:
            async with begin(self.till.pool) as tx:
                await tx.execute(sql.DEAD, (None, "removed", *place))
            return
        status, error = await self._post(leased, hook, msgspec.json.encode(content))
        async with begin(self.till.pool) as tx:
            if error is None:
                await tx.execute(sql.SENT, (status, *place))
            elif leased.attempts > len(hooks.PAUSES):
                await tx.execute(sql.DEAD, (status, error, *place))
            else:
                pause = hooks.PAUSES[leased.attempts - 1] * (0.75 + self.till.chance() / 2)
                await tx.execute(sql.AGAIN, (pause, status, error, *place))

    async def _post(
        self, leased: Leased, hook: hooks.Hook, body: bytes
    ) -> tuple[int | None, str | None]:
        import aiohttp  # noqa: PLC0415  # loaded by whoever tells somebody

        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self.seconds)
            session = aiohttp.ClientSession(timeout=timeout)
            self._session = await self._stack.enter_async_context(session)
        now = self.till.clock()
        id_, at = f"evt_{leased.event.hex}", now // SECOND
        marks = [
            hooks.sign(secret, id_, at, body)
            for secret in hooks.secrets_of(self.secret, leased.book, hook, now)
        ]
        headers = {
            "Content-Type": "application/json", "User-Agent": "Comptoir", "webhook-id": id_,
            "webhook-timestamp": str(at), "webhook-signature": " ".join(marks),
        }  # fmt: skip
        try:
            async with self._session.post(
                hook.url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                status = int(answer.status)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return None, type(error).__name__
        return status, None if status in _OK else "refused"


async def rendered(tx: AsyncConnection, of: Happening) -> Mapping[str, Any]:
    """What is told of something that has happened."""
    content: dict[str, Any] = {}
    if of.customer is not None:
        row = await hooks.one(tx, sql.CUSTOMER, of.book, of.customer)
        content["customer"] = None if row is None else row[0]
    content |= await _figures(tx, of)
    at = (_EPOCH + timedelta(microseconds=of.at)).isoformat(timespec="microseconds")
    return {"type": of.type, "timestamp": at.replace("+00:00", "Z"), "data": content}


async def _figures(tx: AsyncConnection, of: Happening) -> dict[str, Any]:
    figures = dict(of.figures)
    if of.type == outbox.STOCK_LOW and of.place is not None:
        size = await stock.at_line(tx, of.book, *of.place)
        return figures if size is None else figures | _low(size)
    if of.place is not None:
        row = await hooks.one(tx, sql.FIGURES, of.book, *of.place)
        if row is not None:
            code, scale, posted, held, filled, debt = row
            figures |= {
                "asset": code,
                "balance": format_amount(posted, scale),
                "available": format_amount(posted - held, scale),
                "debt": format_amount(debt, scale),
                "low_threshold": format_amount(filled // LOW_SHARE, scale),
                "version": of.place[1],
            }
    if "units" in figures and isinstance(figures.get("asset"), int):
        row = await hooks.one(tx, sql.ASSET, of.book, figures["asset"])
        if row is not None:
            figures["asset"] = row[0]
            figures["credits"] = format_amount(figures.pop("units"), row[1])
    return figures


def _low(size: Size) -> dict[str, Any]:
    return {
        "product": size.product,
        "size": size.size,
        "stock": size.stock,
        "reserved_stock": size.reserved,
        "available_stock": size.available,
        "low_stock_threshold": size.low_at,
    }
