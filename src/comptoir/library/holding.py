"""A hold around a piece of work: what was used is captured at its end, the rest given back."""

import asyncio
import logging
from decimal import Decimal
from types import TracebackType
from typing import Final, Self

from comptoir.kit.amounts import parse_amount
from comptoir.kit.errors import ComptoirError, Misuse
from comptoir.library.answers import Captured, Hold, HoldMade
from comptoir.library.asking import amount_text
from comptoir.library.requests import Amount
from comptoir.library.requests import Hold as Request
from comptoir.library.settling import Settling
from comptoir.library.verbs import Verbs

_log: Final = logging.getLogger("comptoir")


class Holding:
    """The hold of one block. Used by one task, once.

    A plain `await` in the `finally` of a generator is lost when its client goes away, under every
    framework tried. So the end of the block only starts a task that nobody can cancel, and waits
    for it only where waiting is safe: not in a task that is being cancelled, nor in a generator
    that is being closed. Should the whole process die, the hold frees itself when it expires.

    Attributes:
        settled: how the hold ended: captured, or released; None while it has not.
    """

    def __init__(self, verbs: Verbs, settling: Settling, request: Request) -> None:
        self._verbs = verbs
        self._settling = settling
        self._request = request
        self._made: HoldMade | None = None
        self._used: Decimal = Decimal(0)
        self._model: str | None = None
        self._cost: Decimal | str | None = None
        self._scale = 0
        self.settled: Captured | HoldMade | None = None

    @property
    def made(self) -> HoldMade:
        """The hold as it was made, and the balance then.

        Raises:
            Misuse: the block has not begun.
        """
        if self._made is None:
            raise _not_begun()
        return self._made

    @property
    def hold(self) -> Hold:
        """The hold."""
        return self.made.hold

    @property
    def id(self) -> str:
        """The id of the hold."""
        return self.hold.id

    @property
    def used(self) -> Decimal:
        """What was reported last."""
        return self._used

    def report(
        self,
        used: Amount,
        *,
        model: str | None = None,
        cost: Decimal | str | None = None,
    ) -> None:
        """Say how much has been used so far, in all: the last report counts, 0 gives all back.

        `model` is what the provider was, `cost` what he charges in the major unit of money.

        Raises:
            Invalid: `used` is no exact amount of the asset; the report before it still counts.
            Misuse: the block has not begun.
        """
        if self._made is None:
            raise _not_begun()
        text = amount_text(used, "used")
        if str(text) != "0":
            parse_amount(text, self._scale, field="used")
        self._used, self._model, self._cost = Decimal(text), model, cost

    async def renew(self, ttl_seconds: int) -> HoldMade:
        """Keep it aside for so many seconds from now."""
        key = f"renew:{self.id}:{self._settling.mark()}"
        return await self._verbs.renew(self.id, ttl_seconds=ttl_seconds, idempotency_key=key)

    async def __aenter__(self) -> Self:
        if self._made is not None:
            raise Misuse("hold-used-twice", fix="make another one for each block")
        task = self._settling.start(self._make())
        try:
            made = await asyncio.shield(task)
        except asyncio.CancelledError:
            # It may be made all the same: the task goes on, and another gives it back.
            self._settling.start(self._undo(task))
            raise
        if isinstance(made, ComptoirError):
            raise made
        self._made, self._scale = made
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        task = self._settling.start(self._settle())
        if kind is not None and not issubclass(kind, Exception):
            return  # cancelled, or a generator that is closed: nothing may be awaited here
        done = await asyncio.shield(task)
        if isinstance(done, ComptoirError) and kind is None:
            raise done

    async def _make(self) -> tuple[HoldMade, int]:
        request = self._request
        made = await self._verbs.hold(
            request.customer,
            request.amount,
            ttl_seconds=request.ttl_seconds,
            idempotency_key=request.idempotency_key,
            action=request.action,
            quantity=request.quantity,
            on_excess=request.on_excess,
            reason=request.reason,
            reference=request.reference,
            asset=request.asset,
            metadata=request.metadata,
        )
        return made, await self._verbs.scale(made.hold.asset)

    async def _undo(self, making: "asyncio.Task[tuple[HoldMade, int] | ComptoirError]") -> None:
        made = await making
        if not isinstance(made, ComptoirError):
            self._made, self._scale = made
            await self._settle()

    async def _settle(self) -> Captured | HoldMade:
        """End the hold. The key hangs on the hold alone, so that it ends once."""
        key = f"settle:{self.id}"

        async def capture() -> Captured | HoldMade:
            if self._used == 0:
                return await self._verbs.release(self.id, idempotency_key=key)
            return await self._verbs.capture(
                self.id,
                self._used,
                idempotency_key=key,
                reason=self._request.reason,
                reference=self._request.reference,
                model=self._model,
                cost=self._cost,
            )

        try:
            self.settled = await self._settling.insist(capture)
        except ComptoirError as error:
            _log.error("hold %s was not settled: %s", self.id, error)  # expected, no bug
            raise
        return self.settled


def _not_begun() -> Misuse:
    return Misuse("hold-not-made", fix="enter the block first")
