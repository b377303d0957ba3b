"""Many accounts of customers at once, opened on first use: the directory's verbs, set-wise."""

from collections.abc import Sequence
from typing import Final

from comptoir.store.facts import Asset
from comptoir.store.pool import Pool, begin, fetch

_ADD_CUSTOMERS: Final = """
INSERT INTO comptoir.customers (book_id, customer)
SELECT %(book)s, want.customer FROM unnest(%(customers)s::text[]) AS want(customer)
ON CONFLICT (book_id, customer) DO NOTHING"""

_OPEN_ACCOUNTS: Final = """
SELECT lacking.customer,
    comptoir.open_account(lacking.book_id, %(asset)s, lacking.id, NULL, true)
FROM (
    SELECT c.book_id, c.id, c.customer FROM comptoir.customers c
    WHERE c.book_id = %(book)s AND c.customer = ANY(%(customers)s::text[]) ORDER BY c.id
) lacking"""

_FIND_ACCOUNTS: Final = """
SELECT c.customer, a.id FROM comptoir.customers c
JOIN comptoir.accounts a ON a.book_id = c.book_id AND a.customer_id = c.id
WHERE c.book_id = %s AND c.customer = ANY(%s::text[]) AND a.asset_id = %s"""


async def open_accounts(
    pool: Pool, book: int, asset: Asset, customers: Sequence[str]
) -> dict[str, int]:
    """The accounts of these customers in an asset; customers and accounts that lack are opened.

    Raises:
        Unavailable: the database cannot be reached.
    """
    found = dict(await fetch(pool, _FIND_ACCOUNTS, (book, list(customers), asset.id)))
    # In one order everywhere, so that two who open the same ones never wait for each other.
    lacking = sorted(set(customers) - found.keys())
    if not lacking:
        return found
    wanted = {"book": book, "asset": asset.id, "customers": lacking}
    async with begin(pool) as tx:
        await tx.execute(_ADD_CUSTOMERS, wanted)
        opened = await tx.execute(_OPEN_ACCOUNTS, wanted)
        return found | dict(await opened.fetchall())
