"""Buying again by itself: off until somebody turns it on, one at a time, up to so much a month.

One shortfall is one charge: the purchase is committed before the card is asked for, and while it is
open nobody begins another.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.credits import packs
from comptoir.domains.credits import sql_top_ups as sql
from comptoir.domains.credits.packs import Pack
from comptoir.domains.payments import commands, compat, queries
from comptoir.domains.payments.commands import Draft, Wish
from comptoir.domains.payments.model import Purpose, Status
from comptoir.domains.payments.stripe import Object, ProviderRefused
from comptoir.flows.till import Till
from comptoir.jobs.model import Job, Result
from comptoir.kit.errors import NotFound
from comptoir.store import outbox
from comptoir.store.pool import begin

TYPE: Final = "credits.top-up"


@dataclass(frozen=True, slots=True)
class TopUp:
    """Whether, with which pack and up to how much a month somebody buys again by himself.

    Attributes:
        monthly_cap: in minor units of the pack's currency; `spent` of it this month.
        failed_at: his card would not; it is tried again after a day, or when he says so.
    """

    pack: str
    enabled: bool
    monthly_cap: int
    spent: int
    failed_at: int | None


async def put(till: Till, book: int, customer: str, wanted: TopUp) -> TopUp:
    """Turn buying again on or off.

    Raises:
        NotFound: there is no such pack.
    """
    id_ = await till.directory.customer(book, customer)
    async with begin(till.pool) as tx:
        await packs.pack(tx, book, wanted.pack)
        given = (book, id_, wanted.pack, wanted.enabled, wanted.monthly_cap)
        await tx.execute(sql.PUT, given)
    return await find(till, book, customer)


async def find(till: Till, book: int, customer: str) -> TopUp:
    """How somebody buys again.

    Raises:
        NotFound: nobody has ever said so.
    """
    id_ = await till.directory.find_customer(book, customer)
    async with begin(till.pool) as tx:
        row = await (await tx.execute(sql.FIND, (book, id_ or 0))).fetchone()
    if row is None:
        raise NotFound("no-top-up", customer=customer)
    return TopUp(*row)


async def top_up(till: Till, job: Job) -> Result:
    """Charge the card that a customer has left with us, if he wants that and little is left.

    The payment has the job's id: a job that runs twice charges once.

    Raises:
        Unavailable: the provider, or the database, cannot be reached.
    """
    book, customer = job.book, int(job.payload["customer"])
    async with begin(till.pool) as tx:
        begun = await _begun(tx, till, book, customer, job.id)
    if begun is None:
        return {"skipped": True}
    pack, name = begun
    async with begin(till.pool) as tx:
        payer = await queries.provider_customer(tx, book, till.provider.livemode, customer)
    method = None if payer is None else await _method(till, payer)
    if payer is None or method is None:
        return await _failed(till, book, customer, (job.id, pack.amount), "no-card")
    metadata = {compat.BOOK: str(book), compat.PAYMENT: str(job.id)}
    params = {
        "amount": pack.amount, "currency": pack.currency, "customer": payer,
        "payment_method": method, "confirm": True, "off_session": True, "description": name,
        "metadata": metadata,
    }  # fmt: skip
    try:
        intent = await till.provider.make_intent(params, f"{job.id}:top-up")
    except ProviderRefused as error:
        code = str(error.figures["provider_code"])
        return await _failed(till, book, customer, (job.id, pack.amount), code)
    async with begin(till.pool) as tx:
        await commands.place(tx, book, job.id, intent=str(intent["id"]), session=None)
    return {"payment": str(job.id), "status": str(intent["status"])}


async def _begun(
    tx: AsyncConnection, till: Till, book: int, customer: int, id_: UUID
) -> tuple[Pack, str] | None:
    """Commit the purchase, unless another one is open or the month's cap is reached."""
    known = await queries.lock(tx, book, id_)
    if known is not None and known.status is not Status.NEW:
        return None
    row = await (await tx.execute(sql.FIND, (book, customer))).fetchone()
    if row is None or not row[1]:
        return None
    pack = await packs.pack(tx, book, row[0])
    if known is None:
        given = {"book": book, "customer": customer, "payment": id_, "amount": pack.amount}
        if await (await tx.execute(sql.BEGIN, given)).fetchone() is None:
            return None
        draft = Draft(
            book=book, id=id_, purpose=Purpose.TOP_UP, amount=pack.amount, currency=pack.currency,
            livemode=till.provider.livemode, customer=customer, details={"pack": pack.id},
        )  # fmt: skip
        await commands.add(tx, draft)
        wish = Wish(customer, pack.id, pack.version, pack.asset, pack.credits)
        await commands.add_purchase(tx, book, id_, wish)
    return pack, pack.name.get("en") or pack.id


async def _method(till: Till, payer: str) -> str | None:
    found: list[Object] = (await till.provider.methods_of(payer)).get("data", [])
    return compat.name(found[0]) if found else None


async def _failed(
    till: Till, book: int, customer: int, payment: tuple[UUID, int], code: str
) -> Result:
    """The card would not: nobody asks it again for a day, and its owner is told."""
    id_, amount = payment
    async with begin(till.pool) as tx:
        known = await queries.lock(tx, book, id_)
        if known is None or known.status is Status.FAILED:
            return {"skipped": True}
        await commands.change(tx, known, Status.FAILED, code)
        await tx.execute(sql.FAILED, (amount, book, customer, id_))
        await till.tell(tx, book, outbox.TOP_UP_FAILED, customer, payment=str(id_), reason=code)
    till.outbox.ring()
    return {"payment": str(id_), "status": "failed", "reason": code}
