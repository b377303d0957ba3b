"""Tokens month by month: stats, starting anew, statements, and billing them if that is wanted."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final

from psycopg import AsyncConnection

from comptoir.domains.credits import sql_tokens as sql
from comptoir.domains.credits import tokens
from comptoir.domains.credits.tokens import Account, Counted, Statement, Tally
from comptoir.domains.payments import compat
from comptoir.flows import crediting
from comptoir.flows.subscribing import customer_there
from comptoir.flows.till import Till
from comptoir.jobs.model import Job, Result
from comptoir.jobs.schedule import Periodic
from comptoir.kit.books import BOOKS, TEST
from comptoir.kit.errors import NotFound
from comptoir.kit.ids import request_id
from comptoir.ledger.fingerprint import fingerprint
from comptoir.ledger.model import Kind, Line, Note
from comptoir.ledger.requests import Grant, Spend
from comptoir.store import outbox
from comptoir.store.answers import Deed, Figures, once
from comptoir.store.pool import begin

TYPE: Final = "tokens.statements"
PERIODIC: Final = Periodic(TYPE, "23 * * * *")
"""Every hour: a month ends at another hour in each time zone."""

_NOT_BILLED: Final = "none"
TEST_USER: Final = "test-user-id"
FIGURES: Final = {"development": (1_000, 250), "other": (100, 0)}
"""What the test user has at first, and has spent of it: in development, and elsewhere."""


@dataclass(frozen=True, slots=True)
class Stats:
    """What a customer has done with tokens."""

    customer: str
    balance: int
    counted: Counted
    unit_price: int
    currency: str

    @property
    def billed(self) -> int:
        """What the month that runs costs so far, in minor units."""
        return tokens.cost_of(self.counted.this_month.spent, self.unit_price)


async def stats(till: Till, book: int, customer: str, line: Line | None = None) -> Stats:
    """What a customer has done with tokens; nothing for whoever never had any.

    Args:
        till: what it takes.
        book: whose book.
        customer: his own id.
        line: as of this line of his journal; by default as of the last one.
    """
    asset = await till.directory.asset(book, tokens.TOKENS)
    async with begin(till.pool) as tx:
        of = await tokens.account(tx, book, asset.id, customer)
        if of is not None and line is not None and line.account == of.id:
            of = replace(of, posted=line.posted, version=line.version)
            counted = await tokens.counted(tx, book, of, line.at)
        else:
            counted = await _nothing(tx) if of is None else await tokens.counted(tx, book, of)
    balance = 0 if of is None else of.posted
    return Stats(customer, balance, counted, till.terms.token_price, till.terms.currency)


async def _nothing(tx: AsyncConnection) -> Counted:
    now = await (await tx.execute(sql.NOW, (None, "UTC"))).fetchone()
    assert now is not None, "there is always a time"
    starts_at, ends_at = await tokens.bounds(tx, now[1], "UTC")
    return Counted(0, 0, 0, [], Tally(now[1], 0, 0, 0), starts_at, ends_at)


async def reset(till: Till, book: int, customer: str, key: str) -> tuple[Stats, bool]:
    """Give somebody what he had at first, and count anew; the journal stays as it is.

    Returns:
        How he stands now, and whether it was done before, under the same key.

    Raises:
        NotFound: he never had any tokens.
        Conflict: the key was used for somebody else.
    """
    asset = await till.directory.asset(book, tokens.TOKENS)

    async def work(tx: AsyncConnection) -> Figures:
        of = await tokens.account(tx, book, asset.id, customer)
        if of is None:
            raise NotFound("unknown-customer")
        wanted = await tokens.initial(tx, book, of.id)
        version = await _set(tx, till, book, (of, wanted, asset.issuer), key)
        await tokens.note_reset(tx, book, of.id, version)
        return {"version": version}

    deed = Deed(book, "tokens-reset", key, {"customer": customer})
    _, replayed = await once(till.pool, deed, work)
    return await stats(till, book, customer), replayed


async def _set(
    tx: AsyncConnection, till: Till, book: int, whom: tuple[Account, int, int], key: str
) -> int:
    """Move a balance to a figure by one movement; returns the line, or the last one there is."""
    of, wanted, contra = whom
    change = wanted - of.posted
    if change == 0:
        return of.version
    id_ = request_id(book, f"reset\x1f{key}")
    mark = fingerprint((("op", "reset"), ("account", of.id)))
    note = Note("reset")
    if change > 0:
        request = Grant(
            id_, mark, of.id, contra, change, kind=Kind.ADJUSTMENT, source="reset", note=note
        )
    else:
        request = Spend(id_, mark, of.id, contra, -change, Kind.ADJUSTMENT, note)
    answer = await crediting.decide(tx, till, book, request)
    return of.version if answer.line is None else answer.line.version


async def make_statements(till: Till, _: Job) -> Result:
    """Make the statements of months that have ended and have none yet; each exactly once.

    Raises:
        Unavailable: the database cannot be reached.
    """
    made = 0
    for book in BOOKS:
        after = 0
        while True:  # bounded: each round begins after the last account of the one before
            async with begin(till.pool) as tx:
                rows = await (await tx.execute(sql.ACCOUNTS, (book, after))).fetchall()
            for row in rows:
                async with begin(till.pool) as tx:
                    made += await _state(tx, till, row)
            if not rows:
                break
            after = rows[-1][1]
    billed = await bill(till) if till.terms.token_billing != _NOT_BILLED else 0
    return {"statements": made, "billed": billed}


async def _state(tx: AsyncConnection, till: Till, row: tuple[Any, ...]) -> int:
    book, account, customer, version, zone = row
    months = await tokens.folded(tx, book, account, version, zone)
    known = {
        each.month for each in await tokens.statements(tx, book, account, date.max, len(months) + 1)
    }
    now = await (await tx.execute(sql.NOW, (None, zone))).fetchone()
    assert now is not None, "there is always a time"
    made = 0
    for each in months:
        if each.month >= now[1] or each.month in known or not each.generations:
            continue
        starts_at, ends_at = await tokens.bounds(tx, each.month, zone)
        price, currency = till.terms.token_price, till.terms.currency
        amount = tokens.cost_of(each.spent, price)
        given = (
            book, account, each.month, till.new_id(), customer, starts_at, ends_at, each.spent,
            each.generations, price, currency, amount, till.terms.token_billing,
        )  # fmt: skip
        if await (await tx.execute(sql.ADD_STATEMENT, given)).fetchone() is not None:
            made += 1
            await till.tell(
                tx, book, outbox.STATEMENT_MADE, customer, month=each.month.isoformat()[:7],
                spent=each.spent, amount=amount, currency=currency,
            )  # fmt: skip
    return made


async def bill(till: Till) -> int:
    """Send invoices for statements that have none yet; under keys of their own, so each once.

    Raises:
        Unavailable: nobody has given us a key; or the provider, or the database, cannot be reached.
    """
    async with begin(till.pool) as tx:
        rows = await (await tx.execute(sql.UNBILLED)).fetchall()
    for book, _, id_, customer, month, spent, currency, amount in rows:
        payer = await customer_there(till, book, customer, f"{id_}:customer")
        metadata = {compat.BOOK: str(book), compat.STATEMENT: str(id_)}
        said = {"customer": payer, "currency": currency, "metadata": metadata}
        words = f"{spent} tokens, {month.isoformat()[:7]}"
        invoice = await till.provider.create_invoice(
            said | {"auto_advance": True}, f"{id_}:invoice"
        )
        await till.provider.create_item(
            said | {"amount": amount, "description": words, "invoice": invoice["id"]},
            f"{id_}:item",
        )
        await till.provider.finalize_invoice(str(invoice["id"]), f"{id_}:finalize")
        async with begin(till.pool) as tx:
            await tx.execute(sql.BILLED, (str(invoice["id"]), book, id_))
    return len(rows)


async def statements(
    till: Till, book: int, customer: str, before: date, limit: int
) -> list[Statement]:
    """A customer's statements, the newest first."""
    asset = await till.directory.asset(book, tokens.TOKENS)
    async with begin(till.pool) as tx:
        of = await tokens.account(tx, book, asset.id, customer)
        if of is None:
            return []
        return await tokens.statements(tx, book, of.id, before, limit)


async def seed_test_user(till: Till, environment: str) -> None:
    """Let the test user be there in the test book, with the figures of the environment; once."""
    book = TEST
    given, spent = FIGURES.get(environment, FIGURES["other"])
    asset = await till.directory.asset(book, tokens.TOKENS)
    account = await till.directory.account(book, asset, TEST_USER)
    async with begin(till.pool) as tx:
        of = await tokens.account(tx, book, asset.id, TEST_USER)
        if of is None or of.version:
            return
        mark = fingerprint((("op", "seed"),))
        ids = [request_id(book, f"seed\x1f{TEST_USER}\x1f{number}") for number in range(2)]
        await crediting.decide(
            tx, till, book,
            Grant(ids[0], mark, account, asset.issuer, given, note=Note("initial grant")),
        )  # fmt: skip
        if spent:
            await crediting.decide(
                tx, till, book, Spend(ids[1], mark, account, asset.revenue, spent)
            )


def month_of(text: str) -> date:
    """The first day of a month that is written as 2026-11."""
    return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
