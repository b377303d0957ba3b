"""What payments do to balances: what they have paid for is brought, what went back is taken back.

Whatever the order in which we hear of things, an account ends with the same lots: what is taken
back follows from the refunds and disputes that stand, not from how they came.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.payments import commands, model, queries
from comptoir.domains.payments.model import Effects, Grant, Payment, Taking
from comptoir.flows.till import Till
from comptoir.kit.ids import movement_name, request_id
from comptoir.ledger import requests
from comptoir.ledger.fingerprint import fingerprint
from comptoir.ledger.model import Answer, Kind, Note
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import IfSpent, Refund, Request, Reverse
from comptoir.store.accounts import account_of
from comptoir.store.ledger import execute

_DONE = frozenset({Outcome.CREATED, Outcome.EXISTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """A lot that a payment brings.

    Attributes:
        key: names it for good: one key, one lot.
        paid, tax: of the whole, in minor units.
    """

    key: str
    customer: int
    asset: int
    amount: int
    kind: Kind
    source: str
    reference: str
    paid: int = 0
    tax: int = 0
    currency: str | None = None
    expires_at: int | None = None
    reason: str | None = None


async def decide(tx: AsyncConnection, till: Till, book: int, request: Request) -> Answer:
    """Let the ledger decide one request, in the open transaction."""
    facts = await till.directory.facts(book)
    [[answer]] = await execute(tx, book, facts, [(request,)], till.ledger_clock)
    return answer


async def give(tx: AsyncConnection, till: Till, book: int, gift: Gift) -> Grant | str:
    """Bring a lot; or the outcome that says why not."""
    account = await account_of(tx, book, gift.asset, gift.customer)
    if account is None:
        return Outcome.ACCOUNT_NOT_FOUND.value
    asset = await till.directory.asset_of(book, gift.asset)
    request = requests.Grant(
        request_id(book, gift.key),
        fingerprint((("op", "grant"), ("amount", gift.amount))),
        account,
        asset.issuer,
        gift.amount,
        kind=gift.kind,
        source=gift.source,
        expires_at=gift.expires_at,
        paid=gift.paid,
        tax=gift.tax,
        currency=gift.currency,
        note=Note(gift.reason, gift.reference),
    )
    answer = await decide(tx, till, book, request)
    if answer.outcome not in _DONE or answer.line is None:
        return answer.outcome.value
    return Grant(answer.line.account, answer.line.version, gift.amount)


def purchase_key(payment: UUID) -> str:
    """The key of the lot that a payment brings. No caller's key has such a character."""
    return f"payment\x1f{payment}"


async def balance(tx: AsyncConnection, till: Till, payment: Payment, effects: Effects) -> None:
    """Take back, or give back, until a payment's lots are what its money still pays for.

    The payment is locked.
    """
    if payment.received is None or not await queries.is_moved(tx, payment):
        return
    grants = await queries.grants(tx, payment)
    if not grants:
        return
    standing = await causes(tx, payment)
    takings = await queries.takings(tx, payment)
    for grant in grants:
        place = (grant.account, grant.version)
        own = [taking for taking in takings if taking.grant == place]
        wanted = model.balance(grant, payment.received, standing, own)
        for taking in wanted.end:
            await _give_back(tx, till, payment, taking, effects)
        for cause, amount in wanted.take:
            made = await _take_back(tx, till, payment, grant, (cause, amount, takings), effects)
            takings.append(made)


async def causes(tx: AsyncConnection, payment: Payment) -> list[tuple[str, int]]:
    """The refunds and disputes of a payment that stand, with the money that they took."""
    found = [
        (refund.provider_id or str(refund.id), refund.amount)
        for refund in await queries.refunds(tx, payment)
        if refund.stands and refund.status != "new"
    ]
    return found + [
        (dispute.provider_id, dispute.amount)
        for dispute in await queries.disputes(tx, payment)
        if dispute.stands
    ]


async def _take_back(  # whose, of what, for what
    tx: AsyncConnection,
    till: Till,
    payment: Payment,
    grant: Grant,
    wanted: tuple[str, int, Sequence[Taking]],
    effects: Effects,
) -> Taking:
    cause, amount, before = wanted
    number = len(before) + 1
    place = (grant.account, grant.version)
    if_spent = IfSpent.REFUSE if till.terms.waives_spent else IfSpent.DEBT
    key = f"taking\x1f{payment.id}\x1f{number}"

    def asked(part: int, name: str) -> Refund:
        mark = fingerprint((("op", "refund"), ("amount", part), ("reference", cause)))
        id_ = request_id(payment.book, name)
        return Refund(id_, mark, *place, part, if_spent, Note(None, cause))

    answer = await decide(tx, till, payment.book, asked(amount, key))
    taken = amount
    if answer.outcome is Outcome.PARTLY_SPENT:
        taken = answer.available or 0
        if taken:
            answer = await decide(tx, till, payment.book, asked(taken, f"{key}\x1funspent"))
    elif answer.outcome not in _DONE:
        taken = 0  # an operator has reversed it by hand: there is nothing left to take
    version = answer.line.version if answer.outcome in _DONE and answer.line else None
    made = Taking(number, cause, place, amount, amount - taken, version, ended=False)
    await commands.add_taking(tx, payment, made)
    effects.add(
        "taken-back", units=taken, waived=amount - taken, cause=cause, account=grant.account,
        movement=None if version is None else movement_name(grant.account, version),
    )  # fmt: skip
    return made


async def _give_back(
    tx: AsyncConnection, till: Till, payment: Payment, taking: Taking, effects: Effects
) -> None:
    version: int | None = None
    if taking.version is not None:
        key = f"given\x1f{payment.id}\x1f{taking.no}"
        account = taking.grant[0]
        mark = fingerprint((("op", "reverse"), ("reference", taking.cause)))
        note = Note(None, taking.cause)
        request = Reverse(request_id(payment.book, key), mark, account, taking.version, note=note)
        answer = await decide(tx, till, payment.book, request)
        if answer.outcome not in _DONE and answer.outcome is not Outcome.ALREADY_REVERSED:
            await till.open_case(
                tx, payment.book, "give-back-refused", f"{payment.id}:{taking.no}",
                outcome=answer.outcome.value, payment=str(payment.id),
            )  # fmt: skip
            effects.add("case", kind="give-back-refused", outcome=answer.outcome.value)
        version = answer.line.version if answer.line else None
    await commands.end_taking(tx, payment, taking, version)
    effects.add(
        "given-back", units=taking.amount - taking.waived, cause=taking.cause,
        account=taking.grant[0],
        movement=None if version is None else movement_name(taking.grant[0], version),
    )  # fmt: skip
