"""Text tables: requests line by line, each with what must become of it.

The same tables run on the pure core, on PostgreSQL both ways in, and over HTTP. Whoever wants to
run them writes a `Driver`; `Case.needs` says what a case asks beyond what HTTP can say.

A file holds cases. `== title` begins one; `#` begins a comment. Lines of a case:

    account NAME [ASSET] [floor=-5]
    grant LABEL ACCOUNT AMOUNT [expires=SECOND] [priority=N] [reference=R] [source=S] [kind=K]
        [paid=MINOR] [tax=MINOR] [currency=C] [contra=ASSET]
    spend LABEL ACCOUNT AMOUNT [kind=K] [contra=ASSET]
    hold LABEL ACCOUNT AMOUNT [ttl=SECONDS] [on_excess=refuse|cap|debt] [contra=ASSET]
    capture LABEL HOLD [AMOUNT] [final=no]
    release LABEL HOLD
    renew LABEL HOLD ttl=SECONDS
    transfer LABEL ACCOUNT TARGET AMOUNT
    reverse LABEL MOVEMENT [if_spent=refuse|debt]
    refund LABEL MOVEMENT AMOUNT [if_spent=refuse|debt]
    chain, together         the indented lines below are one chain, or share one commit
    times N LINE            the line N times, in one commit; {n} counts from 1
    tick SECONDS            time passes; a negative number sets the clock back
    balance ACCOUNT POSTED HELD [DEBT]
    lots ACCOUNT [LEFT[/PINNED]...]        the open lots in burning order
    paid ACCOUNT [MINOR...]                what was paid for each open lot
    state HOLD STATE CAPTURED
    journal ACCOUNT [KIND:AMOUNT...]       the movements that changed the posted balance

Requests end in `-> OUTCOME`, with the field after a colon for exists_different, and then any of:
`late`, `again` (a refusal that is answered from store), `needed=`, `available=`, `captured=`.
A label is an idempotency key, and the name of the hold or movement that its request made. Times
are seconds since the case began; `expires=60` is the same moment in every line.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol

TABLES: Final = Path(__file__).resolve().parents[1] / "ledger" / "tables"
SCALES: Final = {"credits": 6, "tokens": 0, "stock": 0}


class Need(StrEnum):
    """What a case asks of a driver beyond what HTTP can say at once."""

    TIME = "time"
    """Time must pass: Case.seconds says how much."""
    PAST = "past"
    """The clock is set back."""
    FLOOR = "floor"
    TERMS = "terms"
    """Source, kind or price of a grant, and what a lot was paid."""
    CONTRA = "contra"
    """The other side is in another asset."""
    GHOST = "ghost"
    """An account that nobody has opened."""
    ENDLESS = "endless"
    """A hold without a time to live."""
    REFUND = "refund"
    """A part of a grant is taken back: what payments do, and no route."""
    ANY_CHAIN = "any_chain"
    """A chain or a shared commit with a verb that the batch route does not take."""


@dataclass(frozen=True, slots=True)
class Opening:
    """An account that a case uses."""

    name: str
    asset: str = "credits"
    floor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request. Amounts are in the smallest unit, times in seconds since the case began."""

    op: str
    label: str
    asset: str = "credits"
    account: str | None = None
    target: str | None = None
    hold: str | None = None
    movement: str | None = None
    amount: int | None = None
    text: str | None = None
    """The amount as it was written."""
    ttl: int | None = None
    on_excess: str | None = None
    final: bool = True
    if_spent: str | None = None
    expires: int | None = None
    priority: int | None = None
    reference: str | None = None
    source: str | None = None
    kind: str | None = None
    paid: int = 0
    tax: int = 0
    currency: str | None = None
    contra: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a driver was answered. None where the outcome has no such figure."""

    outcome: str
    field: str | None = None
    replayed: bool = False
    late: bool = False
    needed: int | None = None
    available: int | None = None
    captured: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A request with the answer that it must get."""

    ask: Ask
    outcome: str
    differing: str | None
    again: bool
    late: bool
    figures: dict[str, int]
    line: int


@dataclass(frozen=True, slots=True)
class Flush:
    """Chains that share one commit; usually one chain of one request."""

    chains: list[list[Row]]


@dataclass(frozen=True, slots=True)
class Tick:
    seconds: int


@dataclass(frozen=True, slots=True)
class Look:
    """A look at the books: what is looked at, of whom, and what must be seen."""

    verb: str
    name: str
    seen: tuple[object, ...]
    line: int


Step = Opening | Flush | Tick | Look


@dataclass(slots=True)
class Case:
    """A run of steps on fresh accounts."""

    file: str
    title: str
    steps: list[Step] = field(default_factory=list[Step])
    needs: set[Need] = field(default_factory=set[Need])

    @property
    def seconds(self) -> int:
        """How much time passes in all."""
        return sum(step.seconds for step in self.steps if isinstance(step, Tick))

    @property
    def rows(self) -> list[Row]:
        """The requests, one a line of the file."""
        found: dict[int, Row] = {}
        for step in self.steps:
            for chain in step.chains if isinstance(step, Flush) else ():
                found.update({row.line: row for row in chain})
        return list(found.values())

    def __str__(self) -> str:
        return f"{self.file}: {self.title}"


class Driver(Protocol):
    """Runs the steps of one case somewhere. Accounts, labels and time are the case's own."""

    async def open(self, account: Opening) -> None: ...

    async def submit(self, chains: Sequence[Sequence[Ask]]) -> list[list[Told]]:
        """Decide the chains in order, in one commit where there are commits."""
        ...

    async def tick(self, seconds: int) -> None: ...

    async def balance(self, account: str) -> tuple[int, int, int]:
        """Posted, held, debt; as of the last request."""
        ...

    async def lots(self, account: str) -> list[tuple[int, int]]:
        """Left and pinned of each open lot, in burning order."""
        ...

    async def paid(self, account: str) -> list[int]:
        """What each open lot was paid, in burning order."""
        ...

    async def state(self, hold: str) -> tuple[str, int]:
        """The state of a hold, and what was captured of it."""
        ...

    async def journal(self, account: str) -> list[tuple[str, int]]:
        """Kind and amount of the movements that changed the posted balance, oldest first."""
        ...


async def play(case: Case, driver: Driver) -> None:
    """Run a case; fails with the line that differs."""
    for step in case.steps:
        match step:
            case Opening():
                await driver.open(step)
            case Tick():
                await driver.tick(step.seconds)
            case Flush():
                await _submit(case, driver, step)
            case Look():
                seen = await _look(driver, step)
                assert seen == step.seen, (
                    f"{case.file}:{step.line}: {step.verb} {step.name}: {seen}"
                )


async def _submit(case: Case, driver: Driver, flush: Flush) -> None:
    answers = await driver.submit([[row.ask for row in chain] for chain in flush.chains])
    rows = [row for chain in flush.chains for row in chain]
    told = [each for chain in answers for each in chain]
    assert len(rows) == len(told), f"{case.file}: {len(told)} answers to {len(rows)} requests"
    for row, answer in zip(rows, told, strict=True):
        place = f"{case.file}:{row.line}: {row.ask.op} {row.ask.label}"
        wanted = (row.outcome, row.differing, row.again or row.outcome == "exists", row.late)
        given = (answer.outcome, answer.field, answer.replayed, answer.late)
        assert given == wanted, f"{place}: {answer}"
        figures = {name: getattr(answer, name) for name in row.figures}
        assert figures == row.figures, f"{place}: {answer}"


async def _look(driver: Driver, look: Look) -> tuple[object, ...]:
    match look.verb:
        case "balance":
            return await driver.balance(look.name)
        case "state":
            return await driver.state(look.name)
        case "lots":
            return tuple(await driver.lots(look.name))
        case "paid":
            return tuple(await driver.paid(look.name))
        case _:
            return tuple(await driver.journal(look.name))


def cases() -> list[Case]:
    """Every case of every table."""
    return [case for path in sorted(TABLES.glob("*.txt")) for case in parse(path.name, path)]


def parse(name: str, source: Path | str) -> list[Case]:
    """The cases of a file, or of a text."""
    text = source.read_text() if isinstance(source, Path) else source
    found: list[_Reader] = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.split("#")[0].rstrip()
        if bare.startswith("=="):
            found.append(_Reader(Case(name, bare.strip("= "))))
        elif bare:
            assert found, f"{name}:{number}: a case begins with =="
            found[-1].read(bare, number)
    return [reader.case for reader in found]


def units(text: str, asset: str) -> int:
    """A decimal in the smallest unit of its asset."""
    amount = Decimal(text).scaleb(SCALES[asset])
    assert amount == int(amount), f"{text} is too precise for {asset}"
    return int(amount)


_IN_BATCHES: Final = frozenset({"grant", "spend", "hold", "capture", "release", "transfer"})
_TERMS: Final = frozenset({"source", "kind", "paid", "tax", "currency"})
_NUMBERS: Final = frozenset({"ttl", "expires", "priority", "paid", "tax"})
_FLAGS: Final = frozenset({"late", "again"})


class _Reader:
    """Reads the lines of one case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._asset_of: dict[str, str] = {}
        self._block: list[list[Row]] | None = None
        self._one_chain = False

    def read(self, line: str, number: int) -> None:
        words = line.split()
        if line[0].isspace():
            self._member(words, number)
            return
        self._block = None
        match words:
            case ["account", name, *rest]:
                self._account(name, rest)
            case ["chain"] | ["together"]:
                self._one_chain = words[0] == "chain"
                self._block = [[]] if self._one_chain else []
                self.case.steps.append(Flush(self._block))
            case ["times", count, *rest]:
                rows = list(self._times(int(count), rest, number))
                self.case.steps.append(Flush([[row] for row in rows]))
            case ["tick", seconds]:
                self.case.needs.add(Need.TIME if int(seconds) > 0 else Need.PAST)
                self.case.steps.append(Tick(int(seconds)))
            case [verb, name, *rest] if verb in _LOOKS:
                self._look(verb, name, rest, number)
            case _:
                self.case.steps.append(Flush([[self._row(words, number)]]))

    def _account(self, name: str, rest: list[str]) -> None:
        options = dict(word.split("=") for word in rest if "=" in word)
        plain = [word for word in rest if "=" not in word]
        asset = plain[0] if plain else "credits"
        floor = units(options.get("floor", "0"), asset)
        if floor:
            self.case.needs.add(Need.FLOOR)
        self._asset_of[name] = asset
        self.case.steps.append(Opening(name, asset, floor))

    def _member(self, words: list[str], number: int) -> None:
        assert self._block is not None, f"{self.case.file}:{number}: indented, but in no block"
        row = self._row(words, number)
        if row.ask.op not in _IN_BATCHES:
            self.case.needs.add(Need.ANY_CHAIN)
        if self._one_chain:
            self._block[0].append(row)
        else:
            self._block.append([row])

    def _times(self, count: int, words: list[str], number: int) -> Iterator[Row]:
        for n in range(1, count + 1):
            yield self._row([word.replace("{n}", str(n)) for word in words], number)

    def _look(self, verb: str, name: str, rest: list[str], number: int) -> None:
        asset = self._asset_of.get(name, "credits")
        if verb == "paid":
            self.case.needs.add(Need.TERMS)
        seen = _LOOKS[verb](rest, asset)
        self.case.steps.append(Look(verb, name, seen, number))

    def _row(self, words: list[str], number: int) -> Row:
        assert "->" in words, f"{self.case.file}:{number}: no outcome"
        at = words.index("->")
        ask = self._ask(words[:at])
        outcome, _, differing = words[at + 1].partition(":")
        rest = words[at + 2 :]
        flags = {word for word in rest if "=" not in word}
        assert flags <= _FLAGS, f"{self.case.file}:{number}: {flags}"
        pairs = [word.split("=") for word in rest if "=" in word]
        figures = {name: units(text, ask.asset) for name, text in pairs}
        return Row(
            ask, outcome, differing or None, "again" in flags, "late" in flags, figures, number
        )

    def _ask(self, words: list[str]) -> Ask:
        options = dict(word.split("=") for word in words if "=" in word)
        match [word for word in words if "=" not in word]:
            case ["grant" | "spend" | "hold" as op, label, account, text]:
                asset = self._asset_of.setdefault(label, self._asset(account))
                places = {"account": account, "text": text}
            case ["transfer" as op, label, account, target, text]:
                asset = self._asset(account)
                if self._asset(target) != asset:
                    self.case.needs.add(Need.CONTRA)
                places = {"account": account, "target": target, "text": text}
            case ["capture" as op, label, hold, *texts]:
                asset = self._asset_of.get(hold, "credits")
                places = {"hold": hold, **({"text": texts[0]} if texts else {})}
            case ["release" | "renew" as op, label, hold]:
                asset = self._asset_of.get(hold, "credits")
                places = {"hold": hold}
            case ["reverse" as op, label, movement]:
                asset = self._asset_of.get(movement, "credits")
                places = {"movement": movement}
            case ["refund" as op, label, movement, text]:
                asset = self._asset_of.get(movement, "credits")
                places = {"movement": movement, "text": text}
                self.case.needs.add(Need.REFUND)
            case other:
                raise AssertionError(f"{self.case.file}: cannot read {other}")
        self._note_needs(op, options)
        text: str | None = places.get("text")
        amount = None if text is None else units(text, asset)
        return Ask(op=op, label=label, asset=asset, amount=amount, **places, **_options(options))

    def _asset(self, account: str) -> str:
        if account not in self._asset_of:
            self.case.needs.add(Need.GHOST)
        return self._asset_of.get(account, "credits")

    def _note_needs(self, op: str, options: dict[str, str]) -> None:
        if _TERMS & options.keys():
            self.case.needs.add(Need.TERMS)
        if "contra" in options:
            self.case.needs.add(Need.CONTRA)
        if op == "hold" and "ttl" not in options:
            self.case.needs.add(Need.ENDLESS)


def _options(options: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, text in options.items():
        if name == "final":
            made[name] = text != "no"
        else:
            made[name] = int(text) if name in _NUMBERS else text
    return made


def _seen_balance(words: list[str], asset: str) -> tuple[object, ...]:
    posted, held, debt = [*words, "0"][:3]
    return (units(posted, asset), units(held, asset), units(debt, asset))


def _seen_lots(words: list[str], asset: str) -> tuple[object, ...]:
    pairs = [re.split("/", f"{word}/0")[:2] for word in words]
    return tuple((units(left, asset), units(pinned, asset)) for left, pinned in pairs)


def _seen_paid(words: list[str], asset: str) -> tuple[object, ...]:
    return tuple(int(word) for word in words)


def _seen_state(words: list[str], asset: str) -> tuple[object, ...]:
    return (words[0], units(words[1], asset))


def _seen_journal(words: list[str], asset: str) -> tuple[object, ...]:
    pairs = [word.split(":") for word in words]
    return tuple((kind, units(amount, asset)) for kind, amount in pairs)


_LOOKS: Final = {
    "balance": _seen_balance,
    "lots": _seen_lots,
    "paid": _seen_paid,
    "state": _seen_state,
    "journal": _seen_journal,
}
