"""Making the accounts of a person anonymous: whose they were is forgotten, what happened stays.

The caller's transaction has locked the customer, so that nobody opens an account for him meanwhile.
"""

from dataclasses import dataclass
from typing import Final

from psycopg import AsyncConnection

from comptoir.domains.credits import sql
from comptoir.kit.errors import Conflict
from comptoir.ledger.requests import Settle
from comptoir.store.facts import Facts
from comptoir.store.ledger import WAITING, admit, drive

_NOTES: Final = (sql.DELETE_NOTES, sql.DELETE_NOTES_OF_TRANSFERS, sql.DELETE_NOTES_OF_GROUPS)


@dataclass(frozen=True, slots=True)
class Anonymised:
    """What became of a person's accounts.

    Attributes:
        movements: lines of the journal that stay, without a name.
        notes: texts that are gone.
        left: what the accounts still hold, in the smallest unit, by the asset's code.
    """

    movements: int
    notes: int
    left: dict[str, int]


async def anonymise(tx: AsyncConnection, book: int, facts: Facts, customer: int) -> Anonymised:
    """Make every account of a customer anonymous, and delete all texts about them.

    Requests that are under way end first: the accounts are locked, as by any request. Those that
    come later meet an anonymous account, about which no text is written.

    Raises:
        Conflict: he has open holds; what is due by now does not count.
        psycopg.errors.LockNotAvailable: somebody keeps an account locked.
    """
    cursor = await tx.execute(sql.ACCOUNTS_OF, (book, customer))
    ids = [row[0] for row in await cursor.fetchall()]
    if not ids:
        return Anonymised(0, 0, {})
    due = [(Settle(account),) for account in ids]
    await drive(tx, admit(book, facts, due, WAITING))
    place = {"book": book, "ids": ids}
    [(holds,)] = await (await tx.execute(sql.OPEN_HOLDS, place)).fetchall()
    if holds:
        raise Conflict("holds-open", holds=holds)
    deleted = [(await tx.execute(each, place)).rowcount for each in _NOTES]
    cursor = await tx.execute(sql.MAKE_ANONYMOUS, place)
    rows = await cursor.fetchall()
    return Anonymised(
        movements=sum(version for _, _, version in rows),
        notes=sum(deleted),
        left={code: posted for code, posted, _ in rows if posted},
    )
