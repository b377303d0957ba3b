"""Carrying a file into the books: everything is judged first, and then what is new is decided.

The first half alone is the dry run. Both halves may be repeated at any time, also after a crash in
the middle and beside one another: what a line does, it does once.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain as joined
from itertools import islice
from typing import BinaryIO, Final, TypeVar

from comptoir.domains.credits import sql
from comptoir.domains.credits.imports.asking import Keyed, Keys
from comptoir.domains.credits.imports.columns import Columns, choose
from comptoir.domains.credits.imports.model import (
    Entry,
    Fault,
    Import,
    Record,
    Report,
    Trouble,
    Verb,
    Watch,
)
from comptoir.domains.credits.imports.reading import Lines, records
from comptoir.domains.credits.imports.survey import (
    Books,
    Known,
    Person,
    Survey,
    objection,
    refusal,
)
from comptoir.kit.errors import ComptoirError, Conflict, Invalid, Unavailable
from comptoir.kit.limits import REFUSAL_DAYS
from comptoir.ledger.model import Answer
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import Chain
from comptoir.store.crowd import open_accounts
from comptoir.store.door import Door
from comptoir.store.facts import Asset
from comptoir.store.pool import Pool, fetch

_TOGETHER: Final = 1_000
"""Lines that are looked up, and then decided, at a time."""

_TRIES: Final = 5
"""How often lines are looked up anew that somebody else was importing at the same moment."""

_STOCK: Final = "stock"

_REFUSALS: Final = {
    Outcome.INSUFFICIENT: "import-insufficient",
    Outcome.TOO_MANY_LOTS: "too-many-lots",
    Outcome.BALANCE_LIMIT: "balance-limit",
}
"""What the ledger may still refuse, after all that was asked before."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an import goes.

    Attributes:
        door: the way into the ledger of the book.
        pool: connections to look things up with.
    """

    door: Door
    pool: Pool


@dataclass(slots=True)
class Surveyed:
    """A file that was read and judged.

    Attributes:
        report: what would become of it.
    """

    stream: BinaryIO
    wanted: Import
    asset: Asset
    columns: Columns
    survey: Survey
    report: Report
    _was: tuple[int, int] = field(default=(0, 0))

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """The lines that make sense, once more, each with how far the file is read by then.

        Raises:
            Invalid: the file has changed meanwhile.
        """
        if _state(self.stream) != self._was:
            raise Invalid("import-file-changed")
        self.stream.seek(0)
        lines = Lines(self.stream)
        for record in records(lines, self.wanted.form):
            if isinstance(record, Fault):
                continue
            entry = self.columns.entry(record, self.asset.scale)
            if isinstance(entry, Entry):
                yield lines.bytes_read, entry


async def survey(place: Place, wanted: Import, stream: BinaryIO, watch: Watch) -> Surveyed:
    """Read a file to its end and judge every line by what the books know; nothing is changed.

    Raises:
        Invalid: the file cannot be read as a whole, or its columns cannot be told.
        NotFound: the book does not have the asset.
        Unavailable: the database cannot be reached.
    """
    if wanted.asset == _STOCK:
        raise Invalid("import-stock")
    was = _state(stream)
    asset = await place.door.directory.asset(place.door.book, wanted.asset)
    lines, judge = Lines(stream), Survey(asset.scale)
    found = records(lines, wanted.form)
    columns, found = _columns(found, judge, wanted)
    keys = Keys(place.door.book, wanted)
    for some in _some(found):
        entries: list[Entry] = []
        for record in some:
            entry = record if isinstance(record, Fault) else columns.entry(record, asset.scale)
            if isinstance(entry, Fault):
                judge.unreadable(entry)
            else:
                entries.append(entry)
        keyed = keys.give(entries)
        books = await _look_up(place, asset, keyed)
        for each in keyed:
            judge.judge(each, books)
        watch.checked(lines.bytes_read)
    judge.close()
    return Surveyed(stream, wanted, asset, columns, judge, judge.report(columns), was)


async def carry(place: Place, surveyed: Surveyed, watch: Watch) -> Report:
    """Import what a survey found to be new; returns what became of the file.

    Raises:
        Invalid: the file has changed since it was judged.
        Unavailable: the database or an account could not be had; some of the file may be imported,
            and a repeat imports the rest.
    """
    if not surveyed.report.new:
        return surveyed.report
    carried = _Carried(place, surveyed)
    keys = Keys(place.door.book, surveyed.wanted)
    for some in _some(surveyed.entries()):
        try:
            await carried.some(keys.give(entry for _, entry in some))
        finally:
            watch.carried(some[-1][0], carried.new)
    return carried.report()


def _columns(
    found: Iterator[Record | Fault], judge: Survey, wanted: Import
) -> tuple[Columns, Iterator[Record | Fault]]:
    """The columns by the first line that can be read; it is put back before the others."""
    for record in found:
        if isinstance(record, Fault):
            judge.unreadable(record)
            continue
        return choose(tuple(record.cells), wanted), joined([record], found)
    first = judge.faults.shown[0]
    raise Invalid("import-nothing-readable", line=first.line)


def _some(items: Iterator[T]) -> Iterator[list[T]]:
    while some := list(islice(items, _TOGETHER)):
        yield some


def _state(stream: BinaryIO) -> tuple[int, int]:
    found = os.fstat(stream.fileno())
    return found.st_size, found.st_mtime_ns


async def _look_up(place: Place, asset: Asset, keyed: Sequence[Keyed]) -> Books:
    """What the books know about some lines and their customers."""
    book, ids = place.door.book, [each.id for each in keyed]
    rows = await fetch(place.pool, sql.KNOWN_REQUESTS, (book, ids, REFUSAL_DAYS))
    known = {id_: Known(mark, Outcome(outcome)) for id_, mark, outcome in rows}
    lacking = sorted({each.entry.customer for each in keyed if each.id not in known})
    return Books(known, dict(await fetch(place.pool, sql.AVAILABLE, (book, lacking, asset.id))))


class _Carried:
    """What was imported so far.

    The new lines of a customer that are decided together are one chain: he never has the grants of
    a batch without its spends.
    """

    def __init__(self, place: Place, surveyed: Surveyed) -> None:
        self.new = 0
        self._place = place
        self._asset = surveyed.asset
        self._survey = surveyed.survey
        self._plan = surveyed.report
        self._faults = surveyed.survey.faults.total
        self._asked = 0
        self._there = 0
        self._granted = 0
        self._spent = 0

    async def some(self, keyed: Sequence[Keyed]) -> None:
        """Import what is new of some lines."""
        rest = [each for each in keyed if each.entry.units and self._person(each).is_wanted]
        self._asked += len(rest)
        for _ in range(_TRIES):
            rest = await self._attempt(rest)
            if not rest:
                return
        raise Unavailable("account-busy")

    def report(self) -> Report:
        """What became of the file. Plan and outcome differ if others moved the same balances."""
        late_faults = self._survey.faults.total - self._faults
        done = self.new + self._there + late_faults
        return replace(
            self._plan,
            new=self.new,
            there=self._survey.there_of_others() + self._there,
            left_out=self._plan.left_out + self._asked - done,
            granted=self._granted,
            spent=self._spent,
        )

    async def _attempt(self, keyed: Sequence[Keyed]) -> list[Keyed]:
        """Decide what is still new; returns what others have begun to import meanwhile."""
        books = await _look_up(self._place, self._asset, keyed)
        groups = self._fit(keyed, books)
        door = self._place.door
        accounts = await open_accounts(self._place.pool, door.book, self._asset, list(groups))
        chains: list[Chain] = [
            tuple(each.request(self._asset, accounts[customer]) for each in group)
            for customer, group in groups.items()
        ]
        results = await door.submit_each(chains)
        again: list[Keyed] = []
        errors: list[ComptoirError] = []
        for group, result in zip(groups.values(), results, strict=True):
            if isinstance(result, ComptoirError):
                errors.append(result)
            elif not self._is_told(group, result):
                again.extend(group)
        if errors:
            raise errors[0]
        return again

    def _fit(self, keyed: Sequence[Keyed], books: Books) -> dict[str, list[Keyed]]:
        """The lines that are still new and would not be refused, by customer."""
        groups: dict[str, list[Keyed]] = {}
        moved: dict[str, int] = {}
        for each in keyed:
            entry, customer = each.entry, each.entry.customer
            if self._person(each).is_faulty:
                continue
            known = books.known.get(each.id)
            if known is not None:
                fault = objection(each, known)
                self._there += fault is None
            else:
                have = books.available.get(customer, 0) + moved.get(customer, 0)
                fault = refusal(entry, have, self._asset.scale)
                moved[customer] = moved.get(customer, 0) + entry.signed
                groups.setdefault(customer, []).append(each)
            if fault is not None:
                self._survey.blame(fault)
                groups.pop(customer, None)
        return groups

    def _is_told(self, group: Sequence[Keyed], answers: Sequence[Answer]) -> bool:
        """Count what became of a chain; False when others have begun to import it meanwhile."""
        if all(answer.outcome is Outcome.CREATED for answer in answers):
            self._count(group)
            return True
        for each, answer in zip(group, answers, strict=True):
            if answer.outcome in _REFUSALS and not answer.replayed:
                self._survey.blame(self._refused(each, answer))
                return True
        return False

    def _count(self, group: Sequence[Keyed]) -> None:
        self.new += len(group)
        for each in group:
            if each.entry.verb is Verb.SPEND:
                self._spent += each.entry.units
            else:
                self._granted += each.entry.units

    def _refused(self, each: Keyed, answer: Answer) -> Fault:
        if answer.outcome is Outcome.INSUFFICIENT:
            fault = refusal(each.entry, answer.available or 0, self._asset.scale)
            assert fault is not None, "the ledger refuses what its figures refuse"
            return fault
        entry = each.entry
        error = Conflict(_REFUSALS[answer.outcome])
        return Fault(entry.line, Trouble.REFUSED, error, entry.customer)

    def _person(self, each: Keyed) -> Person:
        return self._survey.person(each.entry.customer)
