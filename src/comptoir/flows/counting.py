"""Stock from files: a count sets what there is, a delivery adds to it; and a file of all there is.

A count says so many there are: what differs is one adjustment, decided while the size is locked.
So whoever counts twice, or after a crash, or beside somebody else, ends with the count. A delivery
says so many have come: its lines are named by what the whole file says, so that each happens once.
As a file that was corrected would be another one, a delivery with a fault is refused as a whole.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain as joined
from typing import BinaryIO, Final

from comptoir.domains.credits.imports.model import Fault as Unreadable
from comptoir.domains.credits.imports.model import Form as Written
from comptoir.domains.credits.imports.model import Record
from comptoir.domains.credits.imports.reading import Lines, records
from comptoir.domains.stock import commands, count_queries, queries
from comptoir.domains.stock.counts.cells import Columns, escaped
from comptoir.domains.stock.counts.model import (
    BYTES,
    LINES,
    Change,
    Fault,
    Form,
    Known,
    Part,
    Report,
    Row,
)
from comptoir.domains.stock.counts.sheet import Sheet
from comptoir.domains.stock.counts.terms import (
    below_reserved,
    is_changed,
    is_new,
    lacking,
    short,
    terms_of,
)
from comptoir.domains.stock.model import (
    ASSET,
    MovementType,
    Product,
)
from comptoir.flows.delivering import deliver, known_lines
from comptoir.flows.reserving import DONE, noted
from comptoir.flows.till import Till
from comptoir.kit.errors import Conflict, Invalid, OutcomeUnknown, Unavailable
from comptoir.kit.ids import request_id
from comptoir.ledger.fingerprint import fingerprint
from comptoir.ledger.model import Kind
from comptoir.ledger.requests import Chain, Grant, Spend
from comptoir.store.facts import Asset
from comptoir.store.ledger import execute
from comptoir.store.pool import begin

TOGETHER: Final = 200
"""Lines that are looked up, and then decided, at a time."""

_TRIES: Final = 3
_PAGE: Final = 200

Watch = Callable[[str, int, int], None]
"""Told, now and then: of which file, how many lines are done, and of how many."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that is to be imported.

    Attributes:
        stream: its bytes.
        name: as the journal says it.
        key: under which a delivery is made; made of what it says by default.
    """

    stream: BinaryIO
    name: str
    key: str | None = None


async def survey(till: Till, book: int, file: File, watch: Watch) -> Report:
    """Say what an import would change, and change nothing.

    Raises:
        Invalid: the file cannot be read as a whole, or its columns cannot be told.
        Unavailable: the database cannot be reached.
    """
    return await (await _begun(till, book, file)).survey(watch)


async def carry(till: Till, book: int, file: File, watch: Watch) -> Report:
    """Import a file; again, also after a crash in the middle, changes nothing more.

    Raises:
        Invalid: the file cannot be read as a whole, or its columns cannot be told.
        Unavailable: the database cannot be reached; some of the file may be imported, and a repeat
            imports the rest.
    """
    work = await _begun(till, book, file)
    if work.report.form is Form.COUNT:
        await work.count(watch)
    else:
        await work.take_in(watch)
    till.shelf.forget()
    till.outbox.ring()
    return work.report


async def _begun(till: Till, book: int, file: File) -> "_Work":
    sheet = _read(file.stream)
    parts = sheet.parts()
    digest = sha256()
    for part in parts:
        for row in part.rows:
            digest.update(repr((row.product, row.size, row.quantity)).encode())
    columns = sheet.columns
    report = Report(columns.form, digest.hexdigest(), lines=sheet.lines, unread=columns.unread)
    report.faults.extend(sheet.faults)
    asset = await till.directory.asset(book, ASSET)
    return _Work(till, book, asset, file, parts, report)


def _read(stream: BinaryIO) -> Sheet:
    if os.fstat(stream.fileno()).st_size > BYTES:
        raise Invalid("count-file-too-large", most=BYTES // 1024**2)
    found = records(Lines(stream), Written.CSV, LINES)
    early: list[Unreadable] = []
    for record in found:
        if isinstance(record, Record):
            return _sheet(Columns.choose(tuple(record.cells)), joined(early, [record], found))
        early.append(record)
    raise Invalid("import-nothing-readable", line=early[0].line)


def _sheet(columns: Columns, found: Iterator[Record | Unreadable]) -> Sheet:
    sheet = Sheet(columns)
    for record in found:
        if isinstance(record, Record):
            sheet.add(record.line, record.cells)
        else:
            sheet.unreadable(Fault(record.line, None, record.error, {}))
    return sheet


@dataclass(frozen=True, slots=True)
class _Work:
    """A file on its way into the books."""

    till: Till
    book: int
    asset: Asset
    file: File
    parts: Sequence[Part]
    report: Report

    @property
    def key(self) -> str:
        """What the lines of a delivery are named by."""
        return self.file.key or self.report.digest

    async def survey(self, watch: Watch) -> Report:
        """Fill the report with what would be."""
        is_count = self.report.form is Form.COUNT
        for some in self._rounds(watch):
            known = await self._look(some)
            fit = self._fit(some, known)
            self._tally(fit, known)
            rows = [row for part in fit for row in part.rows]
            done: set[str] = set()
            if not is_count:
                done = await known_lines(self.till, self.book, self.key, rows)
            for row in rows:
                before = _stock(known, row)
                after = row.quantity if is_count else before + row.quantity
                is_done = _place(row) in done
                self.report.add(Change(*_names(row), before, before if is_done else after))
        if not is_count and self.report.faults:
            self._leave_out()
        return self.report

    async def count(self, watch: Watch) -> None:
        """Set every size to its count."""
        for some in self._rounds(watch):
            known, fit = await self._put(some)
            rows = [row for part in fit for row in part.rows]
            differing = [row for row in rows if _stock(known, row) != row.quantity]
            self.report.same += len(rows) - len(differing)
            if differing:
                accounts = [known[row.product].sizes[row.size].account for row in differing]
                await self._again(list(zip(accounts, differing, strict=True)))

    async def take_in(self, watch: Watch) -> None:
        """Add what has come, unless anything is wrong with the file."""
        for some in self._rounds(_unseen):
            known = await self._look(some)
            self._fit(some, known)
        if self.report.faults:
            self._leave_out()
            return
        for some in self._rounds(watch):
            known, fit = await self._put(some)
            rows = [row for part in fit for row in part.rows if row.quantity]
            self.report.same += sum(len(part.rows) for part in fit) - len(rows)
            placed = [(known[row.product].sizes[row.size].account, row) for row in rows]
            reason = _reason(self.file)
            for row, told in await deliver(
                self.till, (self.book, self.asset), (self.key, reason), placed
            ):
                if isinstance(told, Change):
                    self.report.add(told)
                else:
                    self.report.faults.append(Fault(row.line, None, told, row.cells))

    def _leave_out(self) -> None:
        """Nothing of a delivery that has a fault is done."""
        report = self.report
        report.new_products = report.changed_products = report.new_sizes = 0
        report.moved = report.same = report.up = report.down = 0
        report.changes.clear()
        report.left_out = report.lines - len(report.faults)

    def _rounds(self, watch: Watch) -> Iterator[list[Part]]:
        total = sum(len(part.rows) for part in self.parts)
        some: list[Part] = []
        size = done = 0
        watch(self.file.name, 0, total)
        for part in self.parts:
            some.append(part)
            size += len(part.rows)
            if size >= TOGETHER:
                yield some
                done += size
                watch(self.file.name, done, total)
                some, size = [], 0
        if some:
            yield some
            watch(self.file.name, total, total)

    async def _look(self, parts: Sequence[Part]) -> dict[str, Known]:
        async with begin(self.till.pool) as tx:
            return await count_queries.stocked(tx, self.book, [part.product for part in parts])

    def _fit(self, parts: Sequence[Part], known: dict[str, Known]) -> list[Part]:
        """What can be done of some products; the rest is a fault."""
        fit: list[Part] = []
        for part in parts:
            there = known.get(part.product)
            faults = lacking(part, there)
            if there is not None and self.report.form is Form.COUNT:
                faults = below_reserved(part, there)
            self.report.faults.extend(faults)
            lines = {each.line for each in faults}
            rows = [row for row in part.rows if row.line not in lines]
            if rows:
                fit.append(Part.of(part.product, rows) if lines else part)
        return fit

    def _tally(self, parts: Sequence[Part], known: dict[str, Known]) -> None:
        for part in parts:
            there = known.get(part.product)
            self.report.new_products += there is None
            self.report.changed_products += there is not None and is_changed(part, there)
            self.report.new_sizes += sum(is_new(row, there) for row in part.rows)

    async def _put(self, parts: Sequence[Part]) -> tuple[dict[str, Known], list[Part]]:
        """Sell what some lines say, and look at it then."""
        known = await self._look(parts)
        fit = self._fit(parts, known)
        changed = [part for part in fit if terms_of(part, known.get(part.product)) is not None]
        for part in changed:
            await self._sell(part)
        self._tally(changed, known)
        return (await self._look(parts) if changed else known), fit

    async def _sell(self, part: Part) -> None:
        async with begin(self.till.pool) as tx:
            await commands.lock_product(tx, self.book, part.product)
            now = (await count_queries.stocked(tx, self.book, [part.product])).get(part.product)
            terms = terms_of(part, now)
            if terms is not None:
                await commands.add_to_product(tx, self.book, self.asset.id, terms)

    async def _again(self, rows: Sequence[tuple[int, Row]]) -> None:
        """Set counts, again where somebody else was in the way; what is set then is so already."""
        for attempt in range(_TRIES):
            try:
                changes, faults = await self._set(rows)
            except OutcomeUnknown:
                raise
            except Unavailable:
                if attempt == _TRIES - 1:
                    raise
            else:
                for each in changes:
                    self.report.add(each)
                self.report.faults.extend(faults)
                return

    async def _set(self, rows: Sequence[tuple[int, Row]]) -> tuple[list[Change], list[Fault]]:
        """Make each size what was counted, in one commit."""
        changes: list[Change] = []
        faults: list[Fault] = []
        facts = await self.till.directory.facts(self.book)
        async with begin(self.till.pool) as tx:
            there = await count_queries.lock_counts(tx, self.book, [account for account, _ in rows])
            asked: list[tuple[Row, Change, Chain]] = []
            for account, row in rows:
                stock, reserved, version = there[account]
                change = Change(*_names(row), stock, row.quantity)
                if row.quantity < reserved:
                    faults.append(short(row, stock, reserved))
                elif stock == row.quantity:
                    changes.append(change)
                else:
                    asked.append((row, change, (self._adjustment(account, version, change),)))
            answers = await execute(
                tx, self.book, facts, [chain for _, _, chain in asked], self.till.ledger_clock
            )
            for (row, change, _), [answer] in zip(asked, answers, strict=True):
                if answer.outcome in DONE:
                    changes.append(change)
                else:
                    error = Conflict("movement-refused", outcome=answer.outcome.value)
                    faults.append(Fault(row.line, None, error, row.cells))
        return changes, faults

    def _adjustment(self, account: int, version: int, change: Change) -> Grant | Spend:
        """What makes the difference; a size is adjusted once from each state that it had."""
        id_ = request_id(self.book, f"count\x1f{account}\x1f{version}\x1f{change.after}")
        mark = fingerprint((("op", "count"), ("quantity", change.after)))
        note = noted(MovementType.ADJUSTMENT, _reason(self.file), None, None)
        more = change.after - change.before
        if more < 0:
            return Spend(id_, mark, account, self.asset.breakage, -more, Kind.ADJUSTMENT, note)
        return Grant(
            id_, mark, account, self.asset.supplier, more, kind=Kind.ADJUSTMENT, source="stock",
            note=note,
        )  # fmt: skip


def _unseen(_name: str, _done: int, _total: int) -> None:
    """A first look, of which nobody is told."""


def _reason(file: File) -> str:
    return f"Import {file.name}"


def _names(row: Row) -> tuple[str, str]:
    return row.product, row.size


def _place(row: Row) -> str:
    return f"{row.product}:{row.size}"


def _stock(known: dict[str, Known], row: Row) -> int:
    there = known.get(row.product)
    size = None if there is None else there.sizes.get(row.size)
    return 0 if size is None else size.stock


async def export(till: Till, book: int) -> AsyncIterator[list[list[str]]]:
    """The rows of a file of all that is sold, in the order of its columns; some at a time.

    Raises:
        Unavailable: the database cannot be reached.
    """
    after = ""
    while True:  # bounded: each page begins after the last product of the one before
        async with begin(till.pool) as tx:
            found = await queries.products(tx, book, after, _PAGE)
        if not found:
            return
        yield [row for product in found for row in _rows(product)]
        after = found[-1].product


def _rows(of: Product) -> Iterator[list[str]]:
    for size in of.sizes:
        yield [
            of.product, escaped(size.size), escaped(of.name), str(of.amount), of.currency,
            str(size.low_at), str(size.stock), str(size.reserved), str(size.available),
            of.on_refund.value,
        ]  # fmt: skip
