"""A door into the ledger: where requests of one book are decided, and by what names they go in."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from comptoir.kit.errors import ComptoirError
from comptoir.ledger.model import Answer
from comptoir.ledger.requests import Chain
from comptoir.store.directory import Directory


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
    directory: Directory
    submit: Callable[[Chain], Awaitable[list[Answer]]]
    submit_each: Callable[[Sequence[Chain]], Awaitable[list[list[Answer] | ComptoirError]]]
