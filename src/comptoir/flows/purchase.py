"""Buying a pack: the purchase commits, then Stripe is asked for a page, then the page is noted.

What is paid there comes in as an event; `paying` brings the credits.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.credits import packs
from comptoir.domains.credits.packs import Pack
from comptoir.domains.payments import commands, compat, queries
from comptoir.domains.payments.commands import Draft, Wish
from comptoir.domains.payments.model import Bought, Payment, Purpose, Status
from comptoir.domains.payments.stripe import Object, ProviderRefused
from comptoir.domains.subscriptions import queries as selling
from comptoir.flows import reconciling
from comptoir.flows.auditing import Report
from comptoir.flows.charging import SHOWN_SESSION
from comptoir.flows.till import Till
from comptoir.guards.once import Call, Claim
from comptoir.kit.errors import NotFound
from comptoir.store.pool import begin

RETURN_PATH: Final = "/return"
WAIT_MOST: Final = 20
"""Seconds for which somebody may wait for what he has bought."""

LOOK_AFTER: Final = 3.0
"""Seconds after which the provider is asked: by then its event should have come."""

_POLL: Final = 0.1
_PENDING: Final = frozenset({"pending", "paid"})
_LANGUAGES: Final = frozenset({"en", "fr"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to buy.

    Attributes:
        customer: his own id.
        scope: whose idempotency key it is: of a customer who calls himself, or of the book.
    """

    customer: str
    pack: str
    key: str
    success_url: str | None = None
    cancel_url: str | None = None
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """A purchase that can be paid."""

    id: UUID
    checkout_url: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class State:
    """What has become of a purchase: pending, paid, granted, refunded or failed.

    Attributes:
        customer: the surrogate id of whose it is.
        asset: the surrogate id of what is bought.
    """

    id: UUID
    status: str
    customer: int
    pack: str
    asset: int
    credits: int
    amount: int
    currency: str
    created_at: int


async def buy(till: Till, book: int, wanted: Wanted) -> Begun:
    """Begin a purchase, once for a key, and say where it is paid.

    Raises:
        NotFound: there is no such pack.
        Conflict: the key is that of another purchase; or the provider would not have it.
        Unavailable: nobody has given us a key; or the provider, or the database, cannot be reached.
    """
    _ = till.provider  # nothing is begun that cannot be paid
    said = {
        "customer": wanted.customer, "pack": wanted.pack, "success_url": wanted.success_url,
        "cancel_url": wanted.cancel_url,
    }  # fmt: skip
    call = Call.of_fields(book, wanted.key, said, wanted.scope or "buy")

    async def work(claim: Claim) -> dict[str, Any]:
        async with begin(till.pool) as tx:
            pack = await packs.pack(tx, book, wanted.pack)
        customer = await till.directory.customer(book, wanted.customer)
        async with begin(till.pool) as tx:
            await _note(tx, till, book, pack, customer, claim.origin)
            whom = (customer, claim.origin)
            params = await _params(tx, till, book, pack, wanted, whom)
        session = await _session(till, book, params, claim)
        async with begin(till.pool) as tx:
            intent = compat.name(session.get("payment_intent"))
            id_ = str(session["id"])
            await commands.place(tx, book, claim.origin, intent=intent, session=id_)
            result = {"purchase": str(claim.origin), "checkout_url": session["url"]}
            await claim.finish(tx, result)
        return result

    result, replayed = await (await till.once(book)).run(call, work)
    return Begun(UUID(result["purchase"]), result["checkout_url"], replayed)


async def _note(
    tx: AsyncConnection, till: Till, book: int, pack: Pack, customer: int, id_: UUID
) -> None:
    """Commit what is wanted before anybody is asked for money; a resumed attempt finds its own."""
    draft = Draft(
        book=book, id=id_, purpose=Purpose.PACK, amount=pack.amount, currency=pack.currency,
        livemode=till.provider.livemode, customer=customer,
        details={"pack": pack.id, "adds_tax": adds_tax(till, pack)},
    )  # fmt: skip
    await commands.add(tx, draft)
    wish = Wish(customer, pack.id, pack.version, pack.asset, pack.credits)
    await commands.add_purchase(tx, book, id_, wish)


def adds_tax(till: Till, pack: Pack) -> bool:
    """Whether the provider adds a tax to a pack's price."""
    return till.terms.automatic_tax and not pack.tax_included


async def _params(  # what is bought, by whom, and where he comes back to
    tx: AsyncConnection, till: Till, book: int, pack: Pack, wanted: Wanted, whom: tuple[int, UUID]
) -> dict[str, Any]:
    customer, id_ = whom
    _, locale, email = await queries.customer(tx, book, customer)
    metadata = {compat.BOOK: str(book), compat.PAYMENT: str(id_)}
    back = f"{till.terms.public_url}{RETURN_PATH}?purchase={quote(str(id_))}"
    name = pack.name.get(locale[:2]) or pack.name.get("en") or pack.id
    params: dict[str, Any] = {
        "mode": "payment",
        "line_items": [{"quantity": 1, **await line(tx, till, book, pack, name)}],
        "client_reference_id": str(id_),
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata, "description": name},
        "success_url": wanted.success_url or f"{back}&{SHOWN_SESSION}",
        "cancel_url": wanted.cancel_url or f"{back}&canceled=1",
    }
    if till.terms.automatic_tax:
        params["automatic_tax"] = {"enabled": True}
    if locale[:2] in _LANGUAGES:
        params["locale"] = locale[:2]
    known = await queries.provider_customer(tx, book, till.provider.livemode, customer)
    if known is not None:
        return params | {"customer": known}
    return params | ({} if email is None else {"customer_email": email})


async def line(
    tx: AsyncConnection, till: Till, book: int, pack: Pack, name: str
) -> Mapping[str, Any]:
    """What the page shows: the provider's own price of a pack, or one that is said here."""
    item = f"pack:{pack.id}"
    said = {item_: price for price, item_ in till.terms.prices.items()}.get(item)
    if said is not None:
        return {"price": said}
    for each in reversed(await selling.provider_prices(tx, book, till.provider.livemode)):
        if (each.item, each.amount, each.currency) == (item, pack.amount, pack.currency):
            return {"price": each.price}
    behavior = "inclusive" if pack.tax_included else "exclusive"
    return {
        "price_data": {
            "currency": pack.currency,
            "unit_amount": pack.amount,
            "product_data": {"name": name},
            **({"tax_behavior": behavior} if till.terms.automatic_tax else {}),
        }
    }


async def _session(till: Till, book: int, params: Mapping[str, Any], claim: Claim) -> Object:
    """The page; the one that an earlier attempt has made, where that is so."""
    try:
        return await till.provider.make_session(params, claim.provider_key("session"))
    except ProviderRefused as error:
        async with begin(till.pool) as tx:
            payment = await queries.find(tx, book, claim.origin)
            await commands.change(tx, payment, Status.FAILED, str(error.figures["provider_code"]))
        raise


async def state(till: Till, book: int, id_: UUID) -> State:
    """What has become of a purchase, as of the last commit.

    Raises:
        NotFound: the book has no such purchase.
    """
    async with begin(till.pool) as tx:
        try:
            payment = await queries.find(tx, book, id_)
        except NotFound:
            raise NotFound("purchase-not-found") from None
        bought = await queries.purchase(tx, book, id_)
        if bought is None:
            raise NotFound("purchase-not-found")
        back = [each for each in await queries.refunds(tx, payment) if each.stands]
    returned = sum(each.amount for each in back if each.status == "succeeded")
    return State(
        id_, status_of(payment, bought, returned), bought.customer, bought.pack, bought.asset,
        bought.credits, payment.amount, payment.currency, payment.created_at,
    )  # fmt: skip


def status_of(payment: Payment, bought: Bought, returned: int) -> str:
    """A purchase's status, as whoever bought it sees it."""
    if payment.received is not None and returned >= payment.received > 0:
        return "refunded"
    if bought.granted_at is not None:
        return "granted"
    if payment.is_paid:
        return "paid"
    if payment.status in {Status.CANCELED, Status.EXPIRED, Status.FAILED}:
        return "failed"
    return "pending"


async def wait(till: Till, book: int, id_: UUID, seconds: float) -> State:
    """What has become of a purchase once its credits are there, or after so many seconds.

    Raises:
        NotFound: the book has no such purchase.
        Unavailable: the provider, or the database, cannot be reached.
    """
    found = await state(till, book, id_)
    loop = asyncio.get_running_loop()
    end, looked = loop.time() + seconds, False
    while found.status in _PENDING and (left := end - loop.time()) > 0:  # bounded by the wait
        if not looked and seconds - left > LOOK_AFTER:
            looked = True
            await look_again(till, book, id_)
        await asyncio.sleep(min(_POLL, left))
        found = await state(till, book, id_)
    return found


async def look_again(till: Till, book: int, id_: UUID) -> None:
    """Ask the provider about a purchase that somebody waits for: its event may be lost.

    Raises:
        NotFound: the book has no such purchase.
        Unavailable: the provider, or the database, cannot be reached.
    """
    async with begin(till.pool) as tx:
        payment = await queries.find(tx, book, id_)
    if not payment.is_paid:
        await reconciling.look_at(till, payment, Report())
