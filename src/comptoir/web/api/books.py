"""Books: only a test book can be reset."""

from typing import Any, Final

from comptoir.domains.identity import queries
from comptoir.kit.errors import Denied, NotFound
from comptoir.store.pool import begin
from comptoir.store.reset import reset
from comptoir.web import shapes
from comptoir.web.call import Call
from comptoir.web.replies import REPLAYED, Reply, ok, write_time
from comptoir.web.routing import OPERATORS, Operation

_LIVE: Final = "live"


async def reset_book(call: Call) -> Reply:
    """POST /api/books/{book}/reset. A key of a test book reaches no other one."""
    name = call.part("book")
    async with begin(call.app.pool) as tx:
        books = await queries.books(tx)
    if name not in books:
        raise NotFound("unknown-book", book=name, books=", ".join(books))
    if call.actor.book not in (books[name], books[_LIVE]):
        raise Denied("forbidden")
    done = await reset(call.app.pool, books[name], call.key)
    content = {
        "book": name,
        "reset_at": write_time(done.at),
        "customers": done.customers,
        "accounts": done.accounts,
        "movements": done.movements,
    }
    return ok(content, *((REPLAYED,) if done.replayed else ()))


_BOOK_PART: Final[dict[str, dict[str, Any]]] = {
    "book": {"type": "string", "minLength": 1, "maxLength": 100, "examples": ["test"]}
}

OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/api/books/{book}/reset",
        handler=reset_book,
        may_be_keyed=True,
        summary=("Empty a test book", "Vider un livre de test"),
        tag="books",
        roles=OPERATORS,
        answer=shapes.ResetShape,
        parts=_BOOK_PART,
        codes=("unknown-book", "not-a-test-book", "account-busy", "overloaded"),
        headers={"Idempotent-Replayed": "true when it was done before, under the same key"},
    ),
)
