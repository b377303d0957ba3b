"""A door into the ledger: where requests of one book are decided, and by what names they go in."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from comptoir.kit.errors import ComptoirError
from comptoir.ledger.model import Answer
from comptoir.ledger.requests import Chain
from comptoir.store.facts import Asset


class Names(Protocol):
    """Surrogate ids by the names that callers use; `store.directory.Directory` says more."""

    async def asset(self, book: int, code: str) -> Asset:
        """The asset of that code."""
        ...

    async def account(
        self, book: int, asset: Asset, customer: str, request: bytes | None = None
    ) -> int:
        """The account of a customer in an asset, opened on first use."""
        ...

    def forget(self, book: int, asset: Asset, owner: str) -> None:
        """Look the account of a customer, or the one of that name, up again when next asked."""
        ...

    async def named(self, book: int, asset: Asset, name: str) -> int:
        """A named account, opened on first use."""
        ...

    async def hold_place(self, book: int, hold: bytes) -> tuple[Asset, str | None]:
        """The asset of a hold, and whose account it is in."""
        ...

    async def account_place(self, book: int, account: int) -> tuple[Asset, str | None]:
        """The asset of a bounded account, and whose it is."""
        ...


@dataclass(frozen=True, slots=True)
class Door:
    """Two ways in, one semantic: `submit` is the group commit's, or runs in a caller's transaction.

    Attributes:
        book: the book whose ledger this is.
        directory: surrogate ids by the names that callers use.
        submit: decides one chain; its errors are those of `store.batch.Batch.submit`.
        submit_each: decides many, each for itself; what was not decided has an error in its place.
    """

    book: int
    directory: Names
    submit: Callable[[Chain], Awaitable[list[Answer]]]
    submit_each: Callable[[Sequence[Chain]], Awaitable[list[list[Answer] | ComptoirError]]]
