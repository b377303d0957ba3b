"""What changes plans and subscriptions, in the caller's open transaction."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from psycopg import AsyncConnection

from comptoir.domains.subscriptions import sql
from comptoir.domains.subscriptions.model import (
    Allowance,
    Given,
    PlanPrice,
    ProviderPrice,
    Subscription,
)


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    """An invoice of a subscription that was paid; times in microseconds."""

    book: int
    provider_id: str
    subscription: str
    customer: int
    reason: str
    amount: int
    currency: str
    starts_at: int
    ends_at: int
    paid_at: int


async def put(tx: AsyncConnection, told: Subscription) -> bool:
    """Keep what the provider said of a subscription; False when something newer is known."""
    row = await (await tx.execute(sql.PUT, astuple(told))).fetchone()
    return row is not None


async def lock_customer(tx: AsyncConnection, book: int, customer: int) -> str | None:
    """The plan of a customer, whom nobody else changes until the transaction ends.

    Returns:
        None when there is no such customer any more.
    """
    row = await (await tx.execute(sql.LOCK_CUSTOMER, (book, customer))).fetchone()
    return None if row is None else row[0]


async def set_plan(tx: AsyncConnection, book: int, customer: int, plan: str) -> None:
    """Let a customer have a plan."""
    await tx.execute(sql.SET_PLAN, (plan, book, customer, plan))


async def carry(
    tx: AsyncConnection, book: int, asset: int, ended: Sequence[Given], carried: int
) -> None:
    """Note what was carried over of allowances that ended together: all of it at the first."""
    named = {
        "book": book, "asset": asset, "carried": carried, "of": ended[0].invoice,
        "invoices": [each.invoice for each in ended],
    }  # fmt: skip
    await tx.execute(sql.CARRY, named)


async def add_invoice(tx: AsyncConnection, paid: PaidInvoice) -> bool:
    """Note that an invoice was paid; False when that was known."""
    row = await (await tx.execute(sql.ADD_INVOICE, astuple(paid))).fetchone()
    return row is not None


async def add_allowance(
    tx: AsyncConnection, book: int, invoice: str, terms: Allowance, given: tuple[int, int, int, int]
) -> None:
    """Note what an invoice has given: account, version, amount, and when it expires."""
    account, version, amount, expires_at = given
    await tx.execute(
        sql.ADD_ALLOWANCE,
        (book, invoice, terms.asset, account, version, amount, terms.rollover, expires_at),
    )


async def add_price(tx: AsyncConnection, book: int, wanted: PlanPrice) -> None:
    """Sell a plan on these terms from now on."""
    given = {
        "book": book, "plan": wanted.plan, "period": wanted.period, "amount": wanted.amount,
        "currency": wanted.currency, "tax_percent": wanted.tax_percent,
        "tax_included": wanted.tax_included, "active": wanted.active,
    }  # fmt: skip
    await tx.execute(sql.ADD_PRICE, given)


async def add_allowance_terms(tx: AsyncConnection, book: int, wanted: Allowance) -> None:
    """Let a plan give this from now on."""
    given = {
        "book": book, "plan": wanted.plan, "asset": wanted.asset, "amount": wanted.amount,
        "rollover": wanted.rollover,
    }  # fmt: skip
    await tx.execute(sql.ADD_ALLOWANCE_TERMS, given)


async def add_plan(tx: AsyncConnection, book: int, plan: str) -> None:
    """Let there be a plan."""
    await tx.execute(sql.ADD_PLAN, (book, plan))


async def add_provider_price(
    tx: AsyncConnection,
    book: int,
    livemode: bool,  # noqa: FBT001  # part of the key
    known: ProviderPrice,
) -> None:
    """Note what the provider calls something that is sold."""
    await tx.execute(
        sql.ADD_PROVIDER_PRICE,
        (book, livemode, known.price, known.product, known.item, known.amount, known.currency),
    )


async def note_catalogue(tx: AsyncConnection, book: int, version: int) -> bool:
    """Note which catalogue is in force; False when a newer one is."""
    given = (f"catalogue:{book}", str(version))
    return await (await tx.execute(sql.NOTE_CATALOGUE, given)).fetchone() is not None
