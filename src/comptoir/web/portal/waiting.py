"""Coming back from paying: a page that waits for the ledger, and not for ever.

What has become of a payment is told to whoever has bought, as his session shows, or as the
address does that the provider has sent him to: nobody else knows the session or the secret in it.
Anybody else reads that it is being confirmed, whatever he names.
"""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from pydantic import BaseModel, Field

from comptoir.domains.credits import queries as credits_
from comptoir.domains.identity.visitors import Visitor
from comptoir.domains.payments import queries as payments
from comptoir.domains.stock import queries as stock
from comptoir.domains.stock.model import Order, OrderStatus
from comptoir.flows import checkout, purchase, subscribing
from comptoir.flows.checkout import pass_mark
from comptoir.flows.purchase import RETURN_PATH, State
from comptoir.kit.books import BOOKS
from comptoir.kit.errors import ComptoirError, NotFound, is_bug
from comptoir.store.pool import begin
from comptoir.store.reading import read_account
from comptoir.web import wire
from comptoir.web.call import Call
from comptoir.web.limits import OwnLimits
from comptoir.web.pages.look import cookies_of
from comptoir.web.portal.look import OwnLook, look_of
from comptoir.web.portal.visits import visitor_of
from comptoir.web.replies import Reply
from comptoir.web.routing import PUBLIC, Operation

PAUSES: Final = (1, 2, 3, 5, 9, 30, 60, 120)
"""Seconds before each further look; after the last one the page rests."""

LATE: Final = 5
"""The look from which on it takes longer than usual: by then twenty seconds have gone."""

_ASKS: Final = 2
"""The look from which on the provider is asked: by then its event should have come."""

_AT_ONCE: Final = 1.0
"""Seconds for which the first look waits: most events are there by then."""

_ENDED: Final = frozenset({OrderStatus.EXPIRED, OrderStatus.CANCELLED})


class ReturnQuery(wire.Wire):
    """What he comes back from, what shows that it is his, and how often the page has looked."""

    purchase: Annotated[str, wire.text(50)] | None = None
    plan: Annotated[str, wire.text(50)] | None = None
    order: Annotated[str, wire.text(50)] | None = None
    canceled: Annotated[str, Field(pattern="^1$")] | None = None
    session: Annotated[str, wire.text(255)] | None = None
    payment_intent: Annotated[str, wire.text(255)] | None = None
    payment_intent_client_secret: Annotated[str, wire.text(500)] | None = None
    redirect_status: Annotated[str, wire.text(50)] | None = None
    look: Annotated[int, Field(ge=0, le=len(PAUSES)), wire.WHOLE] = 0

    def again(self) -> str:
        """The address of the next look."""
        said = self.model_dump(exclude_none=True) | {"look": min(self.look + 1, len(PAUSES))}
        return f"{RETURN_PATH}?{urlencode(said)}"


class PageShape(BaseModel):
    """A page for people."""


@dataclass(frozen=True, slots=True)
class Found:
    """What has become of what somebody has paid for.

    Attributes:
        state: waiting, done, failed or refunded.
        text: the key of a text with `figures`.
        reference: what he may name when he asks.
    """

    state: str
    text: str
    figures: dict[str, str]
    reference: str


@dataclass(frozen=True, slots=True)
class _Return:
    """Somebody who comes back."""

    call: Call
    query: ReturnQuery
    look: OwnLook
    who: Visitor | None

    async def find(self) -> Found | None:
        """What he may know; None when it is not shown to be his.

        Raises:
            Unavailable: the provider, or the database, cannot be reached.
        """
        said = self.query
        if said.purchase is not None:
            return await self._in_a_book(said.purchase, self._purchase)
        if said.order is not None:
            return await self._in_a_book(said.order, self._order)
        if said.plan is not None and self.who is not None:
            return await self._plan(self.who, said.plan)
        return None

    async def _in_a_book(
        self, id_: str, find: Callable[[int, UUID], Awaitable[Found | None]]
    ) -> Found | None:
        try:
            named = UUID(id_)
        except ValueError:
            return None
        for book in BOOKS:
            try:
                return await find(book, named)
            except NotFound:
                continue
        return None

    def _is_his(self, book: int, customer: int | None) -> bool:
        who = self.who
        return who is not None and (who.book, who.customer) == (book, customer)

    def _knows(self, session: str | None) -> bool:
        said = self.query.session
        if said is None or session is None:
            return False
        return hmac.compare_digest(said.encode(), session.encode())

    async def _look_again(self, book: int, id_: UUID) -> None:
        """Ask the provider, when its event seems to be lost, and nobody asks too often."""
        if self.query.look < _ASKS:
            return
        try:
            await OwnLimits(self.call.app).admit(self.call.scope, None, b"")
            await purchase.look_again(self.call.app.till, book, id_)
        except ComptoirError as error:
            if is_bug(error):
                raise

    async def _purchase(self, book: int, id_: UUID) -> Found | None:
        till = self.call.app.till
        found = await purchase.state(till, book, id_)
        async with begin(till.pool) as tx:
            payment = await payments.find(tx, book, id_)
        if not (self._is_his(book, found.customer) or self._knows(payment.session)):
            return None
        reference = payment.intent or str(id_)
        if found.status in {"pending", "paid"}:
            await self._look_again(book, id_)
            most = 0.0 if self.query.look else _AT_ONCE
            found = await purchase.wait(till, book, id_, most)
        match found.status:
            case "granted":
                return Found("done", "done.purchase", await self._figures(book, found), reference)
            case "pending" | "paid":
                return Found("waiting", f"waiting.{found.status}", {}, reference)
            case "refunded":
                return Found("refunded", "refunded.what", {}, reference)
            case _:
                return Found("failed", "failed.what", {}, reference)

    async def _figures(self, book: int, of: State) -> dict[str, str]:
        app = self.call.app
        asset = await app.directory.asset_of(book, of.asset)
        async with begin(app.pool) as tx:
            name = (await payments.customer(tx, book, of.customer))[0]
        facts = await app.directory.facts(book)
        number = None if name is None else await app.directory.find_account(book, asset, name)
        account = await read_account(app.pool, book, facts, number) if number else None
        has = credits_.balance(name, asset, account).posted
        return {
            "added": self.look.of_asset(of.credits, asset.scale, asset.code),
            "balance": self.look.of_asset(has, asset.scale, asset.code),
        }

    async def _order(self, book: int, id_: UUID) -> Found | None:
        till = self.call.app.till
        async with begin(till.pool) as tx:
            order = await stock.order(tx, book, id_)
            payment = await payments.find(tx, book, id_)
        is_his = order.customer is not None and self._is_his(book, order.customer)
        if not (is_his or self._knows(payment.session) or self._has_pass(order)):
            return None
        if order.is_reserved:
            await self._look_again(book, id_)
            order = await checkout.wait(till, book, id_, 0.0 if self.query.look else _AT_ONCE)
        reference = order.number or payment.intent or str(id_)
        if order.is_reserved:
            return Found("waiting", "waiting.pending", {}, reference)
        if order.status in _ENDED:
            return Found("failed", "failed.what", {}, reference)
        if order.status is OrderStatus.REFUNDED:
            return Found("refunded", "refunded.what", {}, reference)
        return Found("done", "done.order", {"number": order.number or str(id_)}, reference)

    def _has_pass(self, order: Order) -> bool:
        said = self.query.payment_intent_client_secret
        if said is None or order.guest_pass is None:
            return False
        return hmac.compare_digest(pass_mark(said), order.guest_pass)

    async def _plan(self, who: Visitor, plan: str) -> Found:
        standing = await subscribing.standing(self.call.app.till, who.book, who.named)
        of = standing.subscription
        if of is not None and of.lives and standing.plan == plan:
            return Found("done", "done.plan", {"plan": standing.plan}, of.provider_id)
        return Found("waiting", "waiting.pending", {}, "")


async def come_back(call: Call, query: ReturnQuery) -> Reply:
    """GET /return."""
    who: Visitor | None = None
    found: Found | None = None
    is_down = False
    try:
        who = await visitor_of(call)
        look = look_of(call, cookies_of(call), who)
        if not query.canceled:
            found = await _Return(call, query, look, who).find()
    except ComptoirError as error:  # he has paid: he reads that it arrives, whatever is down here
        if is_bug(error):
            call.scope["comptoir.error"] = error
        look, is_down = look_of(call, cookies_of(call), who), True
    state = "cancelled" if query.canceled else "thanks" if found is None else found.state
    is_late = state == "waiting" and query.look >= LATE
    goes_on = (state == "waiting" or is_down) and query.look < len(PAUSES)
    figures: dict[str, Any] = {
        "state": "late" if is_late else state,
        "text": found.text if found is not None else f"{state}.what",
        "figures": {} if found is None else found.figures,
        "reference": "" if found is None else found.reference,
        "again": query.again() if state == "waiting" or is_down else "",
        "pause": PAUSES[query.look] if goes_on else 0,
        "who": who,
    }
    return look.page("return.html", **figures)


OPERATIONS: Final = (
    Operation(
        method="GET",
        path=RETURN_PATH,
        handler=come_back,
        summary=("Come back from paying", "Revenir du paiement"),
        tag="payments",
        roles=PUBLIC,
        query=ReturnQuery,
        answer=PageShape,
    ),
)
