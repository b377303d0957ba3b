"""The verbs that change balances; they mean the same in a transaction of the caller's own."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from comptoir.domains.credits import queries
from comptoir.library import showing
from comptoir.library.answers import Captured, HoldMade, Moved, Transferred
from comptoir.library.engine import Done, Engine
from comptoir.library.requests import (
    Amount,
    Capture,
    Grant,
    Hold,
    IfSpent,
    OnExcess,
    Release,
    Renew,
    Reverse,
    Spend,
    Transfer,
)
from comptoir.library.tracing import traced


class Verbs:
    """What changes balances. Every verb is done once for an idempotency key, however often asked.

    Amounts are an `int`, a `Decimal` or a decimal text. `customer` is the caller's own id of a
    customer, opened on first use, or the name of a stock account. `asset` is credits by default.

    Every verb raises:
        Refused: the ledger refuses; each outcome has an error of its own, such as Insufficient.
        Invalid: an argument that no state of the books could accept.
        NotFound: an asset, action, hold or movement that the book does not have.
        Unavailable: nobody can decide now; OutcomeUnknown: the connection was lost at COMMIT.
            Ask again with the same key.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @traced("credits.grant")
    async def grant(
        self,
        customer: str,
        amount: Amount,
        *,
        reason: str,
        idempotency_key: str,
        reference: str | None = None,
        expires_at: datetime | None = None,
        priority: int | None = None,
        asset: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Moved:
        """Give, as a new lot that is burnt by priority, then earliest expiry, then age."""
        request = Grant(
            customer=customer,
            amount=amount,
            reason=reason,
            idempotency_key=idempotency_key,
            reference=reference,
            expires_at=expires_at,
            priority=priority,
            asset=asset,
            metadata=metadata,
        )
        return _moved(await self._engine.decide(request))

    @traced("credits.spend")
    async def spend(
        self,
        customer: str,
        amount: Amount | None = None,
        *,
        idempotency_key: str,
        action: str | None = None,
        quantity: int | None = None,
        reason: str | None = None,
        reference: str | None = None,
        model: str | None = None,
        cost: Decimal | str | None = None,
        asset: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Moved:
        """Take for good: an amount, or what an action of the price book costs.

        `model` is what the provider was, `cost` what he charges in the major unit of money.
        """
        request = Spend(
            customer=customer,
            amount=amount,
            idempotency_key=idempotency_key,
            action=action,
            quantity=quantity,
            reason=reason,
            reference=reference,
            model=model,
            cost=cost,
            asset=asset,
            metadata=metadata,
        )
        return _moved(await self._engine.decide(request))

    @traced("credits.charge")
    async def charge(
        self,
        action: str,
        *,
        customer: str,
        idempotency_key: str,
        quantity: int | None = None,
        reason: str | None = None,
        reference: str | None = None,
        model: str | None = None,
        cost: Decimal | str | None = None,
        asset: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Moved:
        """Take what an action of the price book costs: `spend` with an action and no amount.

        `model` is what the provider was, `cost` what he charges in the major unit of money.
        """
        return await self.spend(
            customer,
            action=action,
            quantity=quantity,
            idempotency_key=idempotency_key,
            reason=reason,
            reference=reference,
            model=model,
            cost=cost,
            asset=asset,
            metadata=metadata,
        )

    @traced("credits.hold")
    async def hold(
        self,
        customer: str,
        amount: Amount | None = None,
        *,
        ttl_seconds: int,
        idempotency_key: str,
        action: str | None = None,
        quantity: int | None = None,
        on_excess: OnExcess = "refuse",
        reason: str | None = None,
        reference: str | None = None,
        asset: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> HoldMade:
        """Set aside for so many seconds; `Credits.holding` also ends it, whatever happens."""
        request = Hold(
            customer=customer,
            amount=amount,
            ttl_seconds=ttl_seconds,
            idempotency_key=idempotency_key,
            action=action,
            quantity=quantity,
            on_excess=on_excess,
            reason=reason,
            reference=reference,
            asset=asset,
            metadata=metadata,
        )
        return await self._held(await self._engine.decide(request))

    @traced("credits.capture")
    async def capture(
        self,
        hold: str,
        amount: Amount | None = None,
        *,
        idempotency_key: str,
        final: bool = True,
        reason: str | None = None,
        reference: str | None = None,
        model: str | None = None,
        cost: Decimal | str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Captured:
        """Take what was set aside, all of it by default; the rest is freed unless not `final`."""
        request = Capture(
            hold=hold,
            amount=amount,
            idempotency_key=idempotency_key,
            final=final,
            reason=reason,
            reference=reference,
            model=model,
            cost=cost,
            metadata=metadata,
        )
        done = await self._engine.decide(request)
        moved = _moved(done)
        return Captured(moved.movement, moved.balance, moved.replayed, done.answer.late)

    @traced("credits.release")
    async def release(
        self,
        hold: str,
        *,
        idempotency_key: str,
        reason: str | None = None,
        reference: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> HoldMade:
        """Give back what was set aside."""
        request = Release(
            hold=hold,
            idempotency_key=idempotency_key,
            reason=reason,
            reference=reference,
            metadata=metadata,
        )
        return await self._held(await self._engine.decide(request))

    @traced("credits.renew")
    async def renew(
        self,
        hold: str,
        *,
        ttl_seconds: int,
        idempotency_key: str,
        reason: str | None = None,
        reference: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> HoldMade:
        """Keep it aside for so many seconds from now."""
        request = Renew(
            hold=hold,
            ttl_seconds=ttl_seconds,
            idempotency_key=idempotency_key,
            reason=reason,
            reference=reference,
            metadata=metadata,
        )
        return await self._held(await self._engine.decide(request))

    @traced("credits.reverse")
    async def reverse(
        self,
        movement: str,
        *,
        reason: str,
        idempotency_key: str,
        if_spent: IfSpent = "refuse",
        reference: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Moved:
        """Undo a grant, spend or capture by a new movement."""
        request = Reverse(
            movement=movement,
            reason=reason,
            idempotency_key=idempotency_key,
            if_spent=if_spent,
            reference=reference,
            metadata=metadata,
        )
        return _moved(await self._engine.decide(request))

    @traced("credits.transfer")
    async def transfer(
        self,
        source: str,
        target: str,
        amount: Amount,
        *,
        idempotency_key: str,
        reason: str | None = None,
        reference: str | None = None,
        asset: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Transferred:
        """Move from one customer to another, or between stock accounts."""
        request = Transfer(
            source=source,
            target=target,
            amount=amount,
            idempotency_key=idempotency_key,
            reason=reason,
            reference=reference,
            asset=asset,
            metadata=metadata,
        )
        done = await self._engine.decide(request)
        assert done.answer.mirror is not None, "both sides of a transfer are bounded"
        moved = _moved(done)
        other = showing.balance(done.built.target, done.built.asset, done.answer.mirror)
        return Transferred(moved.movement, moved.balance, other, moved.replayed)

    async def scale(self, asset: str) -> int:
        """How many decimals an asset has.

        Raises:
            NotFound: the book does not have it.
        """
        found = await self._engine.app.directory.asset(self._engine.book, asset)
        return found.scale

    async def _held(self, done: Done) -> HoldMade:
        group = await self._group(done)
        return HoldMade(
            showing.hold_made(done.ask, done.built, done.answer, group),
            showing.balance(done.built.owner, done.built.asset, done.line),
            done.answer.replayed,
        )

    async def _group(self, done: Done) -> bytes | None:
        """The group of a hold, which never changes; one that was just made alone has none."""
        if done.ask.hold is None:
            return None
        assert done.answer.hold is not None, "requests on holds answer with one"
        return await queries.hold_group(self._engine.fetch, self._engine.book, done.answer.hold)


def _moved(done: Done) -> Moved:
    return Moved(
        showing.movement_made(done.ask, done.built.asset, done.line),
        showing.balance(done.built.owner, done.built.asset, done.line),
        done.answer.replayed,
    )
