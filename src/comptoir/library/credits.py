"""Credits, and every other asset that customers hold: the verbs, holds around work, reading."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from comptoir.domains.credits import queries
from comptoir.domains.credits.explain import Place, balance_at
from comptoir.kit.errors import Invalid, NotFound
from comptoir.kit.ids import parse_hold
from comptoir.kit.limits import LIST_DEFAULT
from comptoir.ledger.model import Kind
from comptoir.library import requests, showing
from comptoir.library.answers import Balance, Hold, Lot, Movement
from comptoir.library.asking import check_text, micros
from comptoir.library.engine import Engine
from comptoir.library.holding import Holding
from comptoir.library.places import check_limit, place_of
from comptoir.library.refusals import HoldNotFound
from comptoir.library.requests import Amount, OnExcess
from comptoir.library.selling import Selling
from comptoir.library.settling import Settling
from comptoir.library.tracing import traced
from comptoir.store.pool import begin
from comptoir.store.reading import read_account

_LOTS: Final = 1_000


class Credits(Selling):
    """Balances: the verbs, selling packs, holds around a piece of work, and reading."""

    def __init__(self, engine: Engine, settling: Settling) -> None:
        super().__init__(engine)
        self._settling = settling

    def holding(
        self,
        customer: str,
        amount: Amount | None = None,
        *,
        ttl_seconds: int,
        idempotency_key: str,
        action: str | None = None,
        quantity: int | None = None,
        on_excess: OnExcess = "cap",
        reason: str | None = None,
        reference: str | None = None,
        asset: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Holding:
        """A hold around a piece of work, as an async context manager.

        What was reported with `Holding.report` is captured at the end of the block, and the rest
        given back, however the block ends: normally, by an exception, cancelled, or with the
        generator that it stands in. Work that is done is not refused: of a report of more than
        was set aside, "cap" takes no more than that, and "debt" takes all, as a debt if need be.
        """
        request = requests.Hold(
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
        return Holding(self, self._settling, request)

    @traced("credits.balance")
    async def balance(
        self, customer: str, *, asset: str | None = None, at: datetime | None = None
    ) -> Balance:
        """What somebody has, never older than the last commit; zeros for whom nobody has met.

        Args:
            customer: whose.
            asset: of which asset.
            at: as it was then: with what happened at that very moment, and with every expiry that
                was due by then.

        Raises:
            Invalid: `at` says no zone, or has not come yet by the database's clock.
        """
        owner, account, kind = await place_of(self._engine, customer, asset)
        app, book = self._engine.app, self._engine.book
        facts = await app.directory.facts(book)
        if at is not None:
            there = Place(book, facts, owner, account, kind)
            then = micros(at, "at")
            async with begin(app.pool) as tx:
                return showing.balance(owner, kind, await balance_at(tx, there, then))
        found = await read_account(app.pool, book, facts, account) if account else None
        return showing.balance(owner, kind, queries.balance(owner, kind, found))

    @traced("credits.movements")
    async def movements(
        self,
        customer: str,
        *,
        asset: str | None = None,
        kind: Kind | str | None = None,
        since: datetime | None = None,
        before: int | None = None,
        limit: int = LIST_DEFAULT,
    ) -> list[Movement]:
        """Movements, the newest first; only those that changed the balance unless `kind` says so.

        Args:
            customer: whose.
            asset: of which asset.
            kind: only these.
            since: only those at or after this time.
            before: only those with a smaller `seq`: that of the last one seen, for the next page.
            limit: at most so many, up to 100.
        """
        _, account, of = await place_of(self._engine, customer, asset)
        if not account:
            return []
        app, book = self._engine.app, self._engine.book
        chosen = None if kind is None else _kind(kind)
        async with begin(app.pool) as tx:
            above = 0
            if since is not None:
                at = micros(since, "since")
                above = await queries.version_before(tx, book, account, at)
            span = (above, queries.EVERYTHING if before is None else before)
            found = await queries.movements(
                tx, book, (account, of), span, chosen, check_limit(limit)
            )
        return [showing.movement(each) for each in found]

    @traced("credits.lots")
    async def lots(self, customer: str, *, asset: str | None = None) -> list[Lot]:
        """Open lots in the order in which they will be burnt, at most 1,000."""
        _, account, of = await place_of(self._engine, customer, asset)
        if not account:
            return []
        async with begin(self._engine.app.pool) as tx:
            found = await queries.lots(
                tx, self._engine.book, (account, of), queries.FIRST_LOT, _LOTS
            )
        return [showing.lot(each) for each in found]

    @traced("credits.get_hold")
    async def get_hold(self, hold: str) -> Hold:
        """One hold.

        Raises:
            HoldNotFound: the book has no such hold.
        """
        named = parse_hold(check_text("hold", hold))
        if named is None:
            raise HoldNotFound("hold-not-found")
        app = self._engine.app
        async with begin(app.pool) as tx:
            try:
                found = await queries.hold(tx, self._engine.book, app.directory, named)
            except NotFound:
                raise HoldNotFound("hold-not-found") from None
        return showing.hold(found)

    @traced("credits.holds")
    async def holds(
        self, customer: str, *, asset: str | None = None, limit: int = LIST_DEFAULT
    ) -> list[Hold]:
        """The newest holds first, at most 100."""
        _, account, of = await place_of(self._engine, customer, asset)
        if not account:
            return []
        async with begin(self._engine.app.pool) as tx:
            found = await queries.holds(
                tx, self._engine.book, (account, of), queries.EVERYTHING, check_limit(limit)
            )
        return [showing.hold(each) for _, each in found]


def _kind(kind: Kind | str) -> Kind:
    try:
        return Kind(kind)
    except ValueError:
        raise Invalid("field-invalid", field="kind") from None
