"""What an import is about: the lines of a file as entries, what is wrong with them, the report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from comptoir.kit.errors import ComptoirError
from comptoir.kit.limits import IMPORT_FAULTS

FIELDS: Final = ("customer", "amount", "kind", "id", "at", "reason", "reference", "balance")
"""What a column may mean. `balance` is what a customer must have after his last line."""


class Form(StrEnum):
    """How a file is written."""

    CSV = "csv"
    JSONL = "jsonl"
    REDIS = "redis-json"


class Verb(StrEnum):
    """What a line does: it opens a balance, or is a past grant or spend."""

    OPENING = "opening"
    GRANT = "grant"
    SPEND = "spend"


class Trouble(StrEnum):
    """What sort of fault a line or a customer has."""

    INVALID = "invalid"
    """The line says something that no books could accept."""
    CONFLICT = "conflict"
    """The line was imported before, and says something else now."""
    REFUSED = "refused"
    """The books as they are refuse it."""
    MISMATCH = "mismatch"
    """The lines of a customer do not come to the balance that the file gives."""


@dataclass(frozen=True, slots=True)
class Import:
    """What is asked for.

    Attributes:
        asset: the code of the asset.
        source: which system the file comes from. Keys are made from it: what was imported from a
            source once is known, whatever its file is called.
        form: how the file is written.
        columns: columns that the caller explains, each with one of FIELDS.
    """

    asset: str
    source: str
    form: Form
    columns: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Record:
    """A line as it was written: its number, and what stands under each name."""

    line: int
    cells: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line that makes sense by itself.

    Attributes:
        units: the amount in the asset's smallest unit; zero moves nothing.
        id: what the other system calls the line.
        at: when it happened there, in UTC.
        final: what the customer must have after this line, if the file says so.
    """

    line: int
    verb: Verb
    customer: str
    units: int
    id: str | None = None
    reason: str | None = None
    reference: str | None = None
    at: str | None = None
    final: int | None = None

    @property
    def signed(self) -> int:
        """What the line adds to the balance."""
        return -self.units if self.verb is Verb.SPEND else self.units


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line is not imported.

    Attributes:
        customer: whose line it is, as far as it can be read.
        error: the code and the figures of the text.
    """

    line: int
    trouble: Trouble
    error: ComptoirError
    customer: str | None = None


@dataclass(slots=True)
class Faults:
    """The first faults of a file, and how many of each sort there are."""

    shown: list[Fault] = field(default_factory=list[Fault])
    counts: dict[Trouble, int] = field(default_factory=lambda: dict.fromkeys(Trouble, 0))

    def add(self, fault: Fault) -> None:
        """Count a fault, and keep it unless there are too many."""
        self.counts[fault.trouble] += 1
        if len(self.shown) < IMPORT_FAULTS:
            self.shown.append(fault)

    @property
    def in_order(self) -> list[Fault]:
        """Those that are kept, in the order of the file."""
        return sorted(self.shown, key=lambda fault: fault.line)

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a file, or would. Every line counts once; amounts are in smallest units.

    Attributes:
        scale: the decimals of the asset.
        lines: all lines that are neither blank nor the heading.
        customers: how many customers have a line that makes sense.
        new: lines that are imported now.
        there: lines that were imported before, just like that.
        zero: lines that move nothing.
        left_out: lines without a fault, of customers who have a fault in another line.
        granted, spent: the sums of what is new.
        faults: a mismatch counts customers, whose lines are left out; the others count lines.
        columns: for each field the column from which it was read.
        unread: columns that nothing was read from.
    """

    scale: int
    lines: int
    customers: int
    new: int
    there: int
    zero: int
    left_out: int
    granted: int
    spent: int
    faults: Faults
    columns: Mapping[str, str]
    unread: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Every line is in the books, or would be."""
        return self.faults.total == 0


class Watch(Protocol):
    """Is told how far an import has come."""

    def checked(self, bytes_read: int) -> None:
        """The file was read and compared with the books up to there; nothing has changed yet."""

    def carried(self, bytes_read: int, lines: int) -> None:
        """The file is imported up to there; so many lines are new in the books."""
