"""Working off the inbox: an event and its effect in one transaction, several side by side.

An event that does not say enough is leased first; then the provider is asked, with no transaction
open; then its effect commits. Nothing is lost when a process dies anywhere in between.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import msgspec
from psycopg import AsyncConnection
from psycopg.errors import Error

from comptoir.domains.payments import compat, queries
from comptoir.domains.payments.compat import Unreadable
from comptoir.domains.payments.model import Effects
from comptoir.flows import settling
from comptoir.flows.settling import Situation
from comptoir.flows.till import Deferred, Look, Till
from comptoir.kit.errors import ComptoirError, Unavailable, is_bug
from comptoir.store import inbox
from comptoir.store.inbox import Claimed, State
from comptoir.store.pool import begin

SIDE_BY_SIDE: Final = 4
POLL: Final = 1.0
"""Seconds after which somebody looks who has heard nothing."""

_REST: Final = 1.0
_TELLS: Final = frozenset({State.DONE, State.ORPHAN, State.DEAD})


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of an event: for logs and metrics."""

    type: str
    id: str
    state: State
    error: str | None = None


def nobody(_handled: Handled, _error: Exception | None) -> None:
    """Who is told, usually."""


@dataclass(frozen=True, slots=True)
class Clerk:
    """Works off the inbox.

    Attributes:
        told: of each event that was handled, and of the error if there was one.
    """

    till: Till
    told: Callable[[Handled, Exception | None], None] = nobody

    async def work(self) -> None:
        """Work off what comes, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            turns = asyncio.Semaphore(SIDE_BY_SIDE)
            for _ in range(SIDE_BY_SIDE):
                tasks.create_task(self._work(turns))

    async def work_off(self, most: int = 10_000) -> int:
        """Work off what is due, and say how many events that were."""
        done = 0
        for _ in range(most):
            if not await self.one():
                break
            done += 1
        return done

    async def one(self) -> bool:
        """Work on the next event that is due; False when there is none.

        Raises:
            Unavailable: the database is down.
        """
        claimed: Claimed | None = None
        try:
            # What nobody waits for the answer of goes along with the next thing that is asked.
            async with begin(self.till.pool) as tx:
                claimed = await inbox.claim(tx)
                if claimed is None:
                    return False
                outcome = await self._at_once(tx, claimed)
            if isinstance(outcome, Situation):
                outcome = await self._after_looking(claimed, outcome)
            if outcome is not None:
                if outcome.state in _TELLS:
                    self.till.outbox.ring()  # not before the commit: nothing would be seen yet
                self.told(outcome, None)
        except Exception as error:
            if claimed is None:
                raise
            await self._failed(claimed, error)
        return True

    async def _work(self, turns: asyncio.Semaphore) -> None:
        while True:  # until cancelled
            try:
                async with turns:
                    has_more = await self.one()
            except (ComptoirError, Error, OSError):
                await asyncio.sleep(_REST)
                continue
            if not has_more:
                await self.till.inbox.wait(POLL)

    async def _at_once(self, tx: AsyncConnection, claimed: Claimed) -> Situation | Handled:
        """Handle an event in the transaction that has claimed it; or lease it, to look first."""
        now = self._situation(claimed)
        if now is None:
            return await self._end(tx, claimed, State.DEAD, Effects(), "unreadable")
        try:
            return await self._handle(tx, claimed, now)
        except Look:
            await inbox.lease(tx, claimed)
            return now
        except Deferred as error:
            return await self._defer(tx, claimed, error, was_leased=False)

    async def _after_looking(self, claimed: Claimed, now: Situation) -> Handled | None:
        async with begin(self.till.pool) as tx:
            at = await queries.now(tx)
        looked = await settling.look(now, at)
        async with begin(self.till.pool) as tx:
            if not await inbox.claim_again(tx, claimed):
                return None
            try:
                seen = replace(now, looked=looked, effects=Effects())
                handled = await self._handle(tx, claimed, seen, was_leased=True)
            except (Deferred, Look) as error:
                return await self._defer(tx, claimed, error, was_leased=True)
            if now.told.type in settling.SUBSCRIPTION_TYPES:
                effect = {"effect": "coalesced", "with": claimed.event.id}
                types = settling.SUBSCRIPTION_TYPES
                await inbox.coalesce(tx, claimed.event, types, looked.at, effect)
        return handled

    async def _handle(
        self, tx: AsyncConnection, claimed: Claimed, now: Situation, *, was_leased: bool = False
    ) -> Handled:
        # The transaction goes on with those who are put off, without what they have done by then.
        async with tx.transaction():
            wanted = await settling.handle(tx, now)
        state = State.DONE if wanted else State.IGNORED
        return await self._end(tx, claimed, state, now.effects, None, was_leased=was_leased)

    async def _end(  # what became of it, and why
        self,
        tx: AsyncConnection,
        claimed: Claimed,
        state: State,
        effects: Effects,
        error: str | None,
        *,
        was_leased: bool = False,
    ) -> Handled:
        await inbox.end(tx, claimed, state, effects.done, error, was_leased=was_leased)
        return Handled(claimed.event.type, claimed.event.id, state, error)

    def _situation(self, claimed: Claimed) -> Situation | None:
        try:
            told = compat.event(msgspec.json.decode(claimed.event.body or "{}"))
        except (Unreadable, msgspec.DecodeError, AttributeError):
            return None
        return Situation(self.till, told, claimed.attempts)

    async def _defer(
        self, tx: AsyncConnection, claimed: Claimed, error: Exception, *, was_leased: bool
    ) -> Handled:
        reason, event = str(error), claimed.event
        if claimed.attempts + 1 >= inbox.DEFERRALS:
            effects = Effects()
            await self.till.open_case(
                tx, event.book, "orphan-event", event.id, event=event.id, type=event.type,
                object=event.object, reason=reason,
            )  # fmt: skip
            effects.add("case", kind="orphan-event", event=event.id)
            return await self._end(
                tx, claimed, State.ORPHAN, effects, reason, was_leased=was_leased
            )
        chance = self.till.chance()
        await inbox.put_off(tx, claimed, State.DEFERRED, reason, chance, was_leased=was_leased)
        return Handled(event.type, event.id, State.DEFERRED, reason)

    async def _failed(self, claimed: Claimed, error: Exception) -> None:
        """Whatever it was has been rolled back; note it, and try again later."""
        name = error.code if isinstance(error, ComptoirError) else type(error).__name__
        is_down = isinstance(error, Unavailable)
        is_last = claimed.attempts + 1 >= inbox.ATTEMPTS and not is_down
        state = State.DEAD if is_last else State.FAILED
        try:
            async with begin(self.till.pool) as tx:
                if is_last:
                    await self._dead(tx, claimed, name)
                else:
                    await inbox.put_off(tx, claimed, state, name, self.till.chance())
        except ComptoirError:
            return  # the database is away; the event waits where it is
        handled = Handled(claimed.event.type, claimed.event.id, state, name)
        self.told(handled, error if is_bug(error) else None)

    async def _dead(self, tx: AsyncConnection, claimed: Claimed, name: str) -> None:
        event, effects = claimed.event, Effects()
        await self.till.open_case(
            tx, event.book, "dead-event", event.id, event=event.id, type=event.type, error=name
        )
        effects.add("case", kind="dead-event", event=event.id)
        await inbox.end(tx, claimed, State.DEAD, effects.done, name)
