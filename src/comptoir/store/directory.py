"""Who has which account: surrogate ids by the names that callers use, opened on first use."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final, Generic, Self, TypeVar

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from comptoir.kit.errors import Conflict, NotFound, Unavailable
from comptoir.kit.gathering import Gathering
from comptoir.store.facts import Asset, Facts
from comptoir.store.pool import begin, fetch

K = TypeVar("K")
V = TypeVar("V")

_CACHED: Final = 100_000

_ASSETS: Final = """
SELECT s.id, s.code, s.scale,
    max(a.id) FILTER (WHERE a.name = 'issuer'), max(a.id) FILTER (WHERE a.name = 'revenue'),
    max(a.id) FILTER (WHERE a.name = 'breakage'), max(a.id) FILTER (WHERE a.name = 'supplier')
FROM comptoir.assets s
JOIN comptoir.accounts a ON a.book_id = s.book_id AND a.asset_id = s.id AND NOT a.bounded
    AND a.name IN ('issuer', 'revenue', 'breakage', 'supplier')
WHERE s.book_id = %s GROUP BY s.id, s.code, s.scale ORDER BY s.id"""

_OPEN_ASSET: Final = "SELECT comptoir.open_asset(%s, %s, %s::smallint)"

_FIND_CUSTOMER: Final = "SELECT id FROM comptoir.customers WHERE book_id = %s AND customer = %s"

_ADD_CUSTOMER: Final = """
INSERT INTO comptoir.customers (book_id, customer) VALUES (%s, %s)
ON CONFLICT (book_id, customer) DO NOTHING RETURNING id"""

_FIND_ACCOUNTS: Final = """
SELECT want.no, a.id
FROM unnest(%s::integer[], %s::integer[], %s::text[]) WITH ORDINALITY
    AS want(book_id, asset_id, customer, no)
JOIN comptoir.customers c ON c.book_id = want.book_id AND c.customer = want.customer
JOIN comptoir.accounts a
    ON a.book_id = c.book_id AND a.customer_id = c.id AND a.asset_id = want.asset_id"""

_TOGETHER: Final = 500
"""Customers whose accounts are looked up by one statement."""

_FIND_NAMED: Final = """
SELECT id FROM comptoir.accounts WHERE book_id = %s AND name = %s AND asset_id = %s AND bounded"""

_FIND_DECIDED: Final = "SELECT account_id FROM comptoir.requests WHERE book_id = %s AND id = %s"

_OPEN_ACCOUNT: Final = "SELECT comptoir.open_account(%s, %s, %s, %s, true)"

_OPEN_CUSTOMER_ACCOUNT: Final = "SELECT comptoir.open_customer_account(%s, %s, %s)"

ACCOUNT_OWNER: Final = """
SELECT a.name, c.customer, s.code FROM comptoir.accounts a
JOIN comptoir.assets s ON s.book_id = a.book_id AND s.id = a.asset_id
LEFT JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id
WHERE a.book_id = %s AND a.id = %s AND a.bounded"""

HOLD_OWNER: Final = """
SELECT a.name, c.customer, s.code FROM comptoir.holds h
JOIN comptoir.accounts a ON a.book_id = h.book_id AND a.id = h.account_id
JOIN comptoir.assets s ON s.book_id = a.book_id AND s.id = a.asset_id
LEFT JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id
WHERE h.book_id = %s AND h.id = %s"""


class Directory:
    """Looks up and opens assets, customers and accounts.

    It remembers assets, which never change, and the accounts that requests name: where one of them
    is gone by now, the ledger says so. Whoever only reads is told what the database has.

    Shared by all tasks of one event loop. Use it as an async context manager.
    """

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection]) -> None:
        self._pool = pool
        self._facts: dict[int, Facts] = {}
        self._loading = asyncio.Lock()
        self._begun = 0
        self._loaded: dict[int, int] = {}
        self._finding = Gathering(self.find_accounts, _TOGETHER)
        self._accounts: _Cache[tuple[int, int, str], int] = _Cache()
        self._named: _Cache[tuple[int, int, str], int] = _Cache()

    async def __aenter__(self) -> Self:
        await self._finding.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._finding.__aexit__(*error)

    async def facts(self, book: int) -> Facts:
        """The assets of a book. The same object is brought up to date when assets are added."""
        found = self._facts.setdefault(book, Facts())
        if not found.assets:  # also where somebody else is just loading them
            await self._load(book)
        return found

    async def asset(self, book: int, code: str) -> Asset:
        """The asset of that code.

        Raises:
            NotFound: there is none in this book.
        """
        facts = await self.facts(book)
        asset = facts.assets.get(code)
        if asset is None:
            await self._load(book)
            asset = facts.assets.get(code)
        if asset is None:
            raise NotFound("unknown-asset", asset=code)
        return asset

    async def asset_of(self, book: int, id_: int) -> Asset:
        """The asset of that surrogate id, which somebody else may just have added.

        Raises:
            NotFound: there is none in this book.
        """
        for again in (False, True):
            if again:
                await self._load(book)
            for asset in (await self.facts(book)).assets.values():
                if asset.id == id_:
                    return asset
        raise NotFound("unknown-asset", asset=str(id_))

    async def open_asset(self, book: int, code: str, scale: int) -> Asset:
        """Add an asset with its open accounts to a book.

        Raises:
            Conflict: the asset is there already, with another scale.
        """
        async with begin(self._pool) as tx:
            await tx.execute(_OPEN_ASSET, (book, code, scale))
        asset = await self.asset(book, code)
        if asset.scale != scale:
            raise Conflict("asset-exists", asset=code, scale=asset.scale)
        return asset

    async def find_customer(self, book: int, customer: str) -> int | None:
        """The surrogate id of a customer whom somebody has used before."""
        return await self._one(_FIND_CUSTOMER, (book, customer))

    async def customer(self, book: int, customer: str) -> int:
        """The surrogate id of a customer, who is added on first use."""
        found = await self.find_customer(book, customer)
        while found is None:  # bounded: it ends with whoever adds him, us or somebody else
            await self._one(_ADD_CUSTOMER, (book, customer))
            found = await self.find_customer(book, customer)
        return found

    async def find_account(self, book: int, asset: Asset, customer: str) -> int | None:
        """The account of a customer in an asset, if it was used before; never from memory."""
        return await self._finding.ask((book, asset.id, customer))

    async def find_accounts(self, wanted: Sequence[tuple[int, int, str]]) -> list[int | None]:
        """The accounts of several books, assets and customers, found by one statement."""
        columns = [list(column) for column in zip(*wanted, strict=True)]
        found = dict(await fetch(self._pool, _FIND_ACCOUNTS, tuple(columns)))
        return [found.get(number) for number in range(1, len(wanted) + 1)]

    async def account(
        self, book: int, asset: Asset, customer: str, request: bytes | None = None
    ) -> int:
        """The account of a customer for a request to the ledger, opened on first use.

        It may come from memory, though its customer was erased, or its book reset, meanwhile. The
        ledger refuses it then as not found: `forget` it, and ask again.

        Args:
            book: the book.
            asset: what the account holds.
            customer: his own id.
            request: the id of the request. One that was decided before gets the account that it
                was about, also when nobody has this name any more, so that a repeat opens nothing.
        """
        key = (book, asset.id, customer)
        cached = self._accounts.get(key)
        if cached is not None:
            return cached
        found = await self.find_account(book, asset, customer)
        if found is None and request is not None:
            decided = await self._one(_FIND_DECIDED, (book, request))
            if decided is not None:
                return decided
        if found is None:
            found = await self._one(_OPEN_CUSTOMER_ACCOUNT, (book, asset.id, customer))
        return self._accounts.keep(key, _opened(found))

    async def find_named(self, book: int, asset: Asset, name: str) -> int | None:
        """A named account, such as stock:TEE:M, if it was used before; never from memory."""
        return await self._one(_FIND_NAMED, (book, name, asset.id))

    async def named(self, book: int, asset: Asset, name: str) -> int:
        """A named account, such as stock:TEE:M, opened on first use; as `account`, maybe gone."""
        key = (book, asset.id, name)
        cached = self._named.get(key)
        if cached is not None:
            return cached
        found = await self.find_named(book, asset, name)
        if found is None:
            found = await self._one(_OPEN_ACCOUNT, (book, asset.id, None, name))
        return self._named.keep(key, _opened(found))

    def forget(self, book: int, asset: Asset, owner: str) -> None:
        """Look the account of a customer, or the one of that name, up again when next asked."""
        self._accounts.drop((book, asset.id, owner))
        self._named.drop((book, asset.id, owner))

    async def hold_place(self, book: int, hold: bytes) -> tuple[Asset, str | None]:
        """The asset of a hold, and whose account it is in.

        Raises:
            NotFound: the book has no such hold.
        """
        rows = await fetch(self._pool, HOLD_OWNER, (book, hold))
        return await self.place_found(book, rows, "hold-not-found")

    async def account_place(self, book: int, account: int) -> tuple[Asset, str | None]:
        """The asset of a bounded account, and whose it is.

        Raises:
            NotFound: the book has no such account.
        """
        rows = await fetch(self._pool, ACCOUNT_OWNER, (book, account))
        return await self.place_found(book, rows, "movement-not-found")

    async def place_found(
        self, book: int, rows: Sequence[tuple[Any, ...]], missing: str
    ) -> tuple[Asset, str | None]:
        """The asset and the owner that HOLD_OWNER or ACCOUNT_OWNER has found.

        Raises:
            NotFound: it has found nothing; `missing` is the code.
        """
        if not rows:
            raise NotFound(missing)
        name, customer, code = rows[0]
        return await self.asset(book, code), customer or name

    async def _one(self, query: str, parameters: tuple[object, ...]) -> int | None:
        rows = await fetch(self._pool, query, parameters)
        return rows[0][0] if rows else None

    async def _load(self, book: int) -> None:
        """Everybody who asks while it is being loaded shares the load that begins after that."""
        facts = self._facts.setdefault(book, Facts())
        asked = self._begun
        async with self._loading:
            if self._loaded.get(book, 0) > asked:
                return
            self._begun += 1
            number = self._begun
            async with begin(self._pool) as tx:
                cursor = await tx.execute(_ASSETS, (book,))
                for row in await cursor.fetchall():
                    facts.add(Asset(*row))
            self._loaded[book] = number


class _Cache(Generic[K, V]):
    """The most recently used facts."""

    def __init__(self) -> None:
        self._entries: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        found = self._entries.get(key)
        if found is not None:
            self._entries.move_to_end(key)
        return found

    def keep(self, key: K, value: V) -> V:
        """Keep what was found, and return it."""
        self._entries[key] = value
        if len(self._entries) > _CACHED:
            self._entries.popitem(last=False)
        return value

    def drop(self, key: K) -> None:
        self._entries.pop(key, None)


def _opened(account: int | None) -> int:
    if account is None:
        raise Unavailable("account-busy")
    return account
