"""Erasing a person: one transaction, after which nothing in the database says who he was.

His books stay whole under surrogate ids. docs/decisions/0011-erasing.md says what goes and what
stays, and why.
"""

from dataclasses import dataclass

from psycopg import AsyncConnection

from comptoir.domains.credits.erasing import anonymise
from comptoir.domains.identity import operators, visitors
from comptoir.domains.identity.commands import erase_customer, lock_customer
from comptoir.domains.payments.commands import forget_provider_customer
from comptoir.domains.stock import commands as stock
from comptoir.domains.subscriptions import queries as subscriptions
from comptoir.kit.errors import Conflict
from comptoir.store.answers import Deed, Figures, once
from comptoir.store.directory import Directory
from comptoir.store.pool import Pool


async def _leave_provider(tx: AsyncConnection, book: int, customer: int) -> None:
    """Forget who he is at the provider, where nothing may go on in his name."""
    if any(not each.is_over for each in await subscriptions.of_customer(tx, book, customer)):
        raise Conflict("still-subscribed")
    await forget_provider_customer(tx, book, customer)
    await stock.forget_customer(tx, book, customer)


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did.

    Attributes:
        at: when, in microseconds since 1970.
        movements: lines of the journal that stay, without a name.
        notes: texts that are gone.
        left: what the anonymous accounts hold, in the smallest unit, by the asset's code.
        replayed: it was done before, under the same key.
    """

    at: int
    movements: int
    notes: int
    left: dict[str, int]
    replayed: bool = False


async def erase(
    pool: Pool, directory: Directory, book: int, customer: str, key: str = ""
) -> Erased:
    """Erase a customer. With an idempotency key a repeat is answered as the first was.

    Raises:
        NotFound: the book does not have him: nothing is kept.
        Conflict: he has open holds, or a plan that goes on; or the key was used for something else.
        Unavailable: somebody keeps an account of his locked, or the database is down.
    """
    facts = await directory.facts(book)

    async def work(tx: AsyncConnection) -> Figures:
        id_ = await lock_customer(tx, book, customer)
        await _leave_provider(tx, book, id_)
        done = await anonymise(tx, book, facts, id_)
        await operators.forget_reasons(tx, book, id_)
        await visitors.end_all(tx, book, id_)
        at = await erase_customer(tx, book, id_)
        return {"at": at, "movements": done.movements, "notes": done.notes, "left": done.left}

    deed = Deed(book, "erase", key, {"customer": customer})
    figures, replayed = await once(pool, deed, work)
    return Erased(**figures, replayed=replayed)
