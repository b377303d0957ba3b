"""What there is to read of plans and subscriptions."""

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection

from comptoir.domains.subscriptions import sql
from comptoir.domains.subscriptions.model import (
    Allowance,
    Given,
    PlanPrice,
    ProviderPrice,
    Subscription,
)

Stream = tuple[int, str, int]
"""Allowances one after another: of a book, a subscription and an asset."""


async def subscription(tx: AsyncConnection, provider_id: str) -> Subscription | None:
    """A subscription by the provider's id."""
    row = await (await tx.execute(sql.FIND, (provider_id,))).fetchone()
    return None if row is None else Subscription(*row)


async def of_customer(tx: AsyncConnection, book: int, customer: int) -> list[Subscription]:
    """The subscriptions of a customer, the oldest first."""
    cursor = await tx.execute(sql.OF_CUSTOMER, (book, customer))
    return [Subscription(*row) for row in await cursor.fetchall()]


async def unfinished(tx: AsyncConnection, seconds: float) -> list[Subscription]:
    """Subscriptions of all books of which nothing was heard for so long."""
    cursor = await tx.execute(sql.UNFINISHED, (seconds,))
    return [Subscription(*row) for row in await cursor.fetchall()]


async def invoice(tx: AsyncConnection, provider_id: str) -> tuple[int, int, str] | None:
    """The book, the customer and the subscription of an invoice that was paid."""
    row = await (await tx.execute(sql.INVOICE, (provider_id,))).fetchone()
    return None if row is None else (row[0], row[1], row[2])


async def lock_invoice(tx: AsyncConnection, provider_id: str) -> None:
    """Let one transaction at a time see to what an invoice allows, and to what pays for it.

    Whichever comes second sees what the first has written: neither row may be there before.
    """
    await tx.execute(sql.LOCK_INVOICE, (provider_id,))


async def period_ending(
    tx: AsyncConnection, book: int, named: tuple[str, str], ends: int
) -> int | None:
    """How long the period was that ends then, by the invoices of a subscription.

    The one that is named beside it does not count. All is in microseconds.
    """
    of, own = named
    row = await (await tx.execute(sql.PERIOD_ENDING, (book, of, ends, own))).fetchone()
    return None if row is None else row[0]


async def ended_before(tx: AsyncConnection, of: Stream, moment: int) -> int | None:
    """When the last allowances ended that had ended by then, in microseconds."""
    row = await (await tx.execute(sql.ENDED_BEFORE, (*of, moment))).fetchone()
    return None if row is None else row[0]


async def followed_until(tx: AsyncConnection, of: Stream, moment: int) -> int | None:
    """When the first allowance ends that was given for a time from then on; in microseconds."""
    row = await (await tx.execute(sql.FOLLOWED_UNTIL, (*of, moment))).fetchone()
    return None if row is None else row[0]


async def ending(tx: AsyncConnection, of: Stream, moment: int) -> list[Given]:
    """The allowances that end together then; whose terms are in force at the end comes first."""
    cursor = await tx.execute(sql.ENDING, (*of, moment))
    return [Given(*row) for row in await cursor.fetchall()]


async def lock_ending(tx: AsyncConnection, of: Stream, moment: int) -> list[Given]:
    """What `ending` finds, locked."""
    cursor = await tx.execute(sql.LOCK_ENDING, (*of, moment))
    return [Given(*row) for row in await cursor.fetchall()]


async def prices(tx: AsyncConnection, book: int) -> list[PlanPrice]:
    """What plans cost."""
    cursor = await tx.execute(sql.PRICES, (book,))
    return [PlanPrice(*row) for row in await cursor.fetchall() if row[-1]]


async def allowances(tx: AsyncConnection, book: int) -> list[Allowance]:
    """What plans give each month."""
    cursor = await tx.execute(sql.ALLOWANCES, (book,))
    return [Allowance(*row) for row in await cursor.fetchall() if row[3]]


async def plans(tx: AsyncConnection, book: int) -> list[tuple[str, Mapping[str, int]]]:
    """The plans of a book, with what they allow in a day."""
    cursor = await tx.execute(sql.PLANS, (book,))
    return [(plan, quotas) for plan, quotas in await cursor.fetchall()]


async def provider_prices(
    tx: AsyncConnection,
    book: int,
    livemode: bool,  # noqa: FBT001  # part of the key
) -> list[ProviderPrice]:
    """What the provider knows of what is sold, the oldest first."""
    cursor = await tx.execute(sql.PROVIDER_PRICES, (book, livemode))
    return [ProviderPrice(*row) for row in await cursor.fetchall()]


async def customer_plan(tx: AsyncConnection, book: int, customer: int) -> str:
    """The plan that a customer has."""
    row: tuple[Any, ...] | None = await (
        await tx.execute(sql.CUSTOMER_PLAN, (book, customer))
    ).fetchone()
    return "free" if row is None else row[0]


async def brought(tx: AsyncConnection, book: int, invoice: str) -> list[tuple[int, int, int]]:
    """The lots that an invoice has brought: account, version and amount."""
    cursor = await tx.execute(sql.BROUGHT, (book, invoice))
    return [(row[0], row[1], row[2]) for row in await cursor.fetchall()]


async def given(
    tx: AsyncConnection, book: int, invoice: str, asset: int
) -> tuple[str, int, int] | None:
    """Of an allowance: the subscription, the account, and when it ends."""
    row = await (await tx.execute(sql.GIVEN, (book, invoice, asset))).fetchone()
    return None if row is None else (row[0], row[1], row[2])


async def expired_of(tx: AsyncConnection, book: int, account: int, version: int, at: int) -> int:
    """What of the lot that a line opened had expired when its time came."""
    given = {"book": book, "account": account, "version": version, "at": at}
    row = await (await tx.execute(sql.EXPIRED_OF, given)).fetchone()
    return 0 if row is None else row[0]


async def has_catalogue(tx: AsyncConnection, book: int) -> bool:
    """Whether somebody has said what is for sale."""
    row = await (await tx.execute(sql.CATALOGUE, (f"catalogue:{book}",))).fetchone()
    return row is not None
