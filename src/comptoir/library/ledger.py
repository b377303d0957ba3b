"""The ledger as a whole: batches, assets, and whether the books balance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from comptoir.domains.credits.batch import Part, decide_chain, decide_each
from comptoir.domains.credits.explain import Place, Window, explain
from comptoir.domains.credits.model import Op
from comptoir.domains.credits.queries import EVERYTHING
from comptoir.domains.credits.words import Teller, zone_of
from comptoir.kit.errors import ComptoirError, Invalid
from comptoir.kit.limits import BATCH_REQUESTS, LIST_DEFAULT, SCALE_MAX
from comptoir.library import showing
from comptoir.library.answers import Balance, Captured, Explanation, Hold, Movement
from comptoir.library.asking import asked, check_text, micros
from comptoir.library.engine import Engine
from comptoir.library.explaining import explanation
from comptoir.library.places import check_limit, place_of
from comptoir.library.refusals import missed, refused
from comptoir.library.requests import Batchable
from comptoir.library.tracing import traced
from comptoir.library.verbs import Verbs
from comptoir.store.pool import begin
from comptoir.store.verify import Verification
from comptoir.store.verify import verify as verify_books

__all__ = ["BatchLedger", "Captured", "Ledger", "Result"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one request of a batch: an error, or a movement or hold with the balance.

    Attributes:
        error: why it did not happen; None when it did.
        movement: for grants, spends, captures and transfers.
        hold: for holds and releases.
        balance: right after it.
        late: for a capture: the hold had expired.
        replayed: the answer is the stored one of an earlier request with the same key.
    """

    error: ComptoirError | None = None
    movement: Movement | None = None
    hold: Hold | None = None
    balance: Balance | None = None
    late: bool = False
    replayed: bool = False


class BatchLedger:
    """Batches; they mean the same in a transaction of the caller's own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._verbs = Verbs(engine)
        self.transfer = self._verbs.transfer

    @traced("ledger.batch")
    async def batch(self, requests: Sequence[Batchable], *, atomic: bool = False) -> list[Result]:
        """Decide up to 5,000 requests in their order: each for itself, or all or nothing.

        Holds of one atomic batch form a group: they are captured and released one by one, but
        releasing one releases all.

        Raises:
            Invalid: an argument that no state of the books could accept, or too many requests.
            Unavailable: nothing at all could be decided.
        """
        if not 0 < len(requests) <= BATCH_REQUESTS:
            raise Invalid("field-invalid", field="requests")
        engine = self._engine
        asks = [asked(request) for request in requests]
        door = await engine.door()
        if not atomic:
            parts = await decide_each(door, engine.price_of, asks)
            return [_result(part, None) for part in parts]
        parts, group = await decide_chain(door, engine.price_of, asks)
        return [_result(part, group) for part in parts]


class Ledger(BatchLedger):
    """Batches, transfers, assets, and the proof that the books balance."""

    @traced("ledger.verify")
    async def verify(self, *, full: bool = False) -> Verification:
        """Recompute the balances of the book: what is newer than the last time, or everything."""
        return await verify_books(self._engine.app.pool, self._engine.book, full=full)

    @traced("ledger.explain")
    async def explain(
        self,
        customer: str,
        *,
        asset: str | None = None,
        at: datetime | None = None,
        limit: int = LIST_DEFAULT,
        before: int | None = None,
        language: Literal["en", "fr"] = "en",
    ) -> Explanation:
        """Why somebody's balance is what it is, now or at a past moment, in words and figures.

        Args:
            customer: whose; or the name of a stock account.
            asset: of which asset.
            at: as it was then: with what happened at that very moment, and with every expiry that
                was due by then.
            limit: at most so many movements, up to 100.
            before: only movements with a smaller `seq`; the figures stay those of `at`.
            language: of the sentences.

        Raises:
            Invalid: `at` says no zone, or has not come yet by the database's clock.
        """
        owner, account, kind = await place_of(self._engine, customer, asset)
        app, book = self._engine.app, self._engine.book
        if language not in ("en", "fr"):
            raise Invalid("field-invalid", field="language")
        there = Place(book, await app.directory.facts(book), owner, account, kind)
        window = Window(
            None if at is None else micros(at, "at"),
            EVERYTHING if before is None else before,
            check_limit(limit),
        )
        async with begin(app.pool) as tx:
            found = await explain(tx, there, window)
        return explanation(found, account, Teller(language, kind, zone_of(found.zone)))

    @traced("ledger.assets")
    async def assets(self) -> dict[str, int]:
        """The assets of the book, with their decimals."""
        facts = await self._engine.app.directory.facts(self._engine.book)
        return {asset.code: asset.scale for asset in facts.assets.values()}

    @traced("ledger.open_asset")
    async def open_asset(self, code: str, scale: int) -> None:
        """Add an asset; doing it again changes nothing.

        Raises:
            Conflict: it is there already, with another scale.
        """
        if isinstance(scale, bool) or not 0 <= scale <= SCALE_MAX:
            raise Invalid("field-invalid", field="scale")
        name = check_text("asset", code)
        await self._engine.app.directory.open_asset(self._engine.book, name, scale)


def _result(part: Part, group: bytes | None) -> Result:
    if part.error is not None:
        return Result(error=missed(part.error))
    answer, built, ask = part.answer, part.built, part.ask
    assert answer is not None, "whatever has no error was decided"
    assert built is not None, "and was a request first"
    if answer.line is None:
        return Result(error=refused(answer, built.asset), replayed=answer.replayed)
    is_hold = answer.hold is not None and ask.op is not Op.CAPTURE
    line = answer.line
    return Result(
        movement=None if is_hold else showing.movement_made(ask, built.asset, line),
        hold=showing.hold_made(ask, built, answer, group) if is_hold else None,
        balance=showing.balance(built.owner, built.asset, line),
        late=answer.late,
        replayed=answer.replayed,
    )
