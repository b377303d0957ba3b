"""What an import would do: every line judged by the file itself and by what the books know.

A customer is imported with all of his lines or not at all: one fault leaves the others out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from comptoir.domains.credits.imports.asking import Keyed
from comptoir.domains.credits.imports.columns import Columns
from comptoir.domains.credits.imports.model import Entry, Fault, Faults, Report, Trouble, Verb
from comptoir.kit.amounts import format_amount
from comptoir.kit.errors import Conflict, Invalid
from comptoir.kit.limits import BALANCE_MAX, REFUSAL_DAYS
from comptoir.ledger.fingerprint import differing_field
from comptoir.ledger.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Known:
    """What the books know under an id: the fingerprint of the request, and what became of it."""

    mark: bytes
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Books:
    """What the books know about some lines.

    Attributes:
        known: by id, what was decided before.
        available: by customer, what he may spend. Who is not there has nothing.
    """

    known: Mapping[bytes, Known]
    available: Mapping[str, int]


@dataclass(slots=True)
class Person:
    """What the file says of one customer.

    Attributes:
        opened: the line of his opening balance; 0 without one.
        total: what all of his lines come to.
        final, final_line: the balance that the file gives last, and where.
        there: how many of his lines the books have.
        new: how many they do not have.
        granted, spent: the sums of those.
        is_faulty: one of his lines has a fault.
        is_wanted: the file is over, the books lack something of him, and none of it has a fault.
    """

    opened: int = 0
    total: int = 0
    final: int | None = None
    final_line: int = 0
    there: int = 0
    new: int = 0
    granted: int = 0
    spent: int = 0
    is_faulty: bool = False
    is_wanted: bool = False


@dataclass(slots=True)
class Survey:
    """Judges lines in the order of the file, and remembers what it needs of each customer."""

    scale: int
    faults: Faults = field(default_factory=Faults)
    lines: int = 0
    zero: int = 0
    _people: dict[str, Person] = field(default_factory=dict[str, Person])
    _ids: set[bytes] = field(default_factory=set[bytes])

    def blame(self, fault: Fault) -> None:
        """A fault of a line, or of a customer as a whole; nothing of him is imported."""
        self.faults.add(fault)
        if fault.customer is not None:
            self.person(fault.customer).is_faulty = True

    def unreadable(self, fault: Fault) -> None:
        """A line that makes no sense by itself."""
        self.lines += 1
        self.blame(fault)

    def judge(self, keyed: Keyed, books: Books) -> None:
        """A line that makes sense by itself: is it new?"""
        entry = keyed.entry
        self.lines += 1
        person = self.person(entry.customer)
        repeated = self._repeated(keyed, person)
        if repeated is not None:
            self.blame(repeated)
            return
        person.total += entry.signed
        if entry.final is not None:
            person.final, person.final_line = entry.final, entry.line
        known = books.known.get(keyed.id)
        if known is not None:
            self._judge_known(keyed, person, known)
        elif entry.units == 0:
            self.zero += 1
        else:
            have = books.available.get(entry.customer, 0) + person.granted - person.spent
            self._judge_new(entry, person, have)

    def _repeated(self, keyed: Keyed, person: Person) -> Fault | None:
        """A file says everything once."""
        entry = keyed.entry
        if entry.verb is Verb.OPENING:
            if person.opened:
                error = Invalid("import-customer-twice", first=person.opened)
                return Fault(entry.line, Trouble.INVALID, error, entry.customer)
            person.opened = entry.line
        elif entry.id is not None:
            if keyed.id in self._ids:
                error = Invalid("import-id-twice", id=entry.id)
                return Fault(entry.line, Trouble.INVALID, error, entry.customer)
            self._ids.add(keyed.id)
        return None

    def _judge_known(self, keyed: Keyed, person: Person, known: Known) -> None:
        fault = objection(keyed, known)
        if fault is None:
            person.there += 1
        else:
            self.blame(fault)

    def _judge_new(self, entry: Entry, person: Person, have: int) -> None:
        fault = refusal(entry, have, self.scale)
        if fault is not None:
            self.blame(fault)
            return
        person.new += 1
        if entry.verb is Verb.SPEND:
            person.spent += entry.units
        else:
            person.granted += entry.units

    def close(self) -> None:
        """The file is over: do the lines of each customer come to the balance that it gives?"""
        for customer, person in self._people.items():
            if person.final is None or person.final == person.total or person.is_faulty:
                continue
            error = Invalid(
                "import-mismatch",
                total=format_amount(person.total, self.scale),
                final=format_amount(person.final, self.scale),
            )
            self.blame(Fault(person.final_line, Trouble.MISMATCH, error, customer))
        for person in self._people.values():
            person.is_wanted = person.new > 0 and not person.is_faulty

    def there_of_others(self) -> int:
        """How many lines the books have of customers of whom they lack nothing that is wanted."""
        return sum(person.there for person in self._people.values() if not person.is_wanted)

    def person(self, customer: str) -> Person:
        """What the file says of a customer."""
        person = self._people.get(customer)
        if person is None:
            person = self._people[customer] = Person()
        return person

    def report(self, columns: Columns) -> Report:
        """What would become of the file, now that it is over."""
        fit = [person for person in self._people.values() if not person.is_faulty]
        unfit = [person for person in self._people.values() if person.is_faulty]
        return Report(
            scale=self.scale,
            lines=self.lines,
            customers=len(self._people),
            new=sum(person.new for person in fit),
            there=sum(person.there for person in self._people.values()),
            zero=self.zero,
            left_out=sum(person.new for person in unfit),
            granted=sum(person.granted for person in fit),
            spent=sum(person.spent for person in fit),
            faults=self.faults,
            columns=columns.read,
            unread=columns.unread,
        )


def objection(keyed: Keyed, known: Known) -> Fault | None:
    """Why a line does not agree with what was decided under its id; None when it was imported."""
    line, customer = keyed.entry.line, keyed.entry.customer
    if known.mark != keyed.mark:
        error = Conflict("import-conflict", field=differing_field(known.mark, keyed.mark))
        return Fault(line, Trouble.CONFLICT, error, customer)
    if known.outcome is not Outcome.CREATED:
        return Fault(line, Trouble.REFUSED, Conflict("import-refused", days=REFUSAL_DAYS), customer)
    return None


def refusal(entry: Entry, have: int, scale: int) -> Fault | None:
    """Why the ledger would refuse a line of a customer who has so much; None if it would not.

    It is asked beforehand because the ledger remembers a refused spend for its id: asked too early,
    the same line would be refused again after more was granted.
    """
    if entry.verb is Verb.SPEND and entry.units > have:
        error = Conflict(
            "import-insufficient",
            needed=format_amount(entry.units, scale),
            available=format_amount(have, scale),
        )
    elif entry.verb is not Verb.SPEND and have + entry.units > BALANCE_MAX:
        error = Conflict("balance-limit")
    else:
        return None
    return Fault(entry.line, Trouble.REFUSED, error, entry.customer)
