"""The lines of a delivery: each is a restock of its own, many of which share a commit."""

import asyncio
from collections.abc import Sequence

from comptoir.domains.stock import count_queries
from comptoir.domains.stock.counts.model import Change, Row
from comptoir.domains.stock.model import MovementType
from comptoir.flows.reserving import DONE, noted
from comptoir.flows.till import Till
from comptoir.kit.errors import ComptoirError, Conflict
from comptoir.kit.ids import request_id
from comptoir.ledger.fingerprint import fingerprint
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import Grant
from comptoir.store.facts import Asset
from comptoir.store.pool import begin


async def deliver(
    till: Till,
    into: tuple[int, Asset],
    said: tuple[str, str],
    rows: Sequence[tuple[int, Row]],
) -> list[tuple[Row, Change | ComptoirError]]:
    """Add what has come, once for each line of a delivery.

    Args:
        till: what it takes.
        into: the book, and its asset.
        said: what names the delivery, and why it is there.
        rows: lines with the accounts of their sizes.

    Returns:
        What each line did; one that was done before changes nothing. Or why it could not be.

    Raises:
        Unavailable: the database cannot be reached.
    """
    book, asset = into
    key, reason = said
    told: dict[int, Change | ComptoirError] = {}
    errors: list[ComptoirError] = []

    async def one(account: int, row: Row) -> None:
        request = Grant(
            _id(book, key, row),
            fingerprint(
                (
                    ("op", "delivery"), ("product", row.product), ("size", row.size),
                    ("quantity", row.quantity),
                )
            ),
            account, asset.supplier, row.quantity, source="stock",
            note=noted(MovementType.RESTOCK, reason, None, None),
        )  # fmt: skip
        try:
            [answer] = await till.submit(book, (request,), ())
        except ComptoirError as error:
            errors.append(error)
            return
        if answer.outcome in DONE and answer.line is not None:
            after = answer.line.posted
            before = after if answer.replayed else after - row.quantity
            told[row.line] = Change(row.product, row.size, before, after)
        elif answer.outcome is Outcome.EXISTS_DIFFERENT:
            told[row.line] = Conflict("idempotency-key-reused", field=answer.field or "quantity")
        elif answer.outcome is Outcome.BALANCE_LIMIT:
            told[row.line] = Conflict("balance-limit")
        else:
            told[row.line] = Conflict("movement-refused", outcome=answer.outcome.value)

    async with asyncio.TaskGroup() as tasks:
        for account, row in rows:
            tasks.create_task(one(account, row))
    if errors:
        raise errors[0]
    return [(row, told[row.line]) for _, row in rows]


async def known_lines(till: Till, book: int, key: str, rows: Sequence[Row]) -> set[str]:
    """Those lines of a delivery that have happened, by their places."""
    ids = {_id(book, key, row): f"{row.product}:{row.size}" for row in rows}
    async with begin(till.pool) as tx:
        return {ids[each] for each in await count_queries.decided(tx, book, list(ids))}


def _id(book: int, key: str, row: Row) -> bytes:
    return request_id(book, f"delivery\x1f{key}\x1f{row.product}\x1f{row.size}")
