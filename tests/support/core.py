"""A book in memory for the pure core: what the store does around `apply`, without a database."""

from collections.abc import Sequence
from typing import Final

from comptoir.kit.limits import DAY, SECOND
from comptoir.ledger.apply import apply
from comptoir.ledger.model import Account, Answer, Book, HoldState, Kind, Line, Lot, Signal, Target
from comptoir.ledger.requests import Chain, Refund, Reverse
from tests.support.asking import NOWHERE, Clerk
from tests.support.tables import SCALES, Ask, Opening, Told

ASSETS: Final = {code: number for number, code in enumerate(SCALES, 1)}
_CONTRAS: Final = ("issuer", "revenue", "breakage")


class Shelf:
    """Keeps one book whole, and hands it to `apply` batch by batch."""

    def __init__(self) -> None:
        self.book = Book()
        self.journal: dict[int, list[Line]] = {}
        self.lots: dict[tuple[int, int], Lot] = {}
        self.signals: list[Signal] = []
        for asset in ASSETS.values():
            for number, kind in enumerate(_CONTRAS):
                self.book.assets[_contra(asset, kind)] = asset
                assert _contra(asset, kind) == -(10 * asset + number)
            self.book.breakage[asset] = _contra(asset, "breakage")

    def add(self, asset: str, floor: int) -> int:
        """Open a bounded account; returns its id."""
        id_ = len(self.book.accounts) + 1
        self.book.accounts[id_] = Account(id_, ASSETS[asset], floor=floor)
        self.journal[id_] = []
        return id_

    def run(self, chains: Sequence[Chain], now: int) -> list[list[Answer]]:
        """Apply chains as one commit, and get the book ready for the next."""
        self._forget(now)
        self._load(chains)
        answers = apply(self.book, chains, now)
        self._write()
        return answers

    def _forget(self, now: int) -> None:
        """Refusals count for thirty days: what the store sees to, and the core is never told."""
        self.book.known = {
            id_: answer
            for id_, answer in self.book.known.items()
            if answer.outcome == "created" or answer.at >= now - 30 * DAY
        }

    def _load(self, chains: Sequence[Chain]) -> None:
        book = self.book
        for account in book.accounts.values():
            account.due = [
                held
                for held in book.holds.values()
                if held.account == account.id and held.state is HoldState.OPEN
            ]
        book.targets = {}
        asked = [r for chain in chains for r in chain if isinstance(r, Reverse | Refund)]
        for place in ((request.account, request.version) for request in asked):
            lines = self.journal.get(place[0], [])
            if place[1] <= len(lines):
                book.targets[place] = self._target(lines[place[1] - 1], lines)

    def _target(self, line: Line, lines: Sequence[Line]) -> Target:
        lots = {no: self.lots[line.account, no] for no in line.lots}
        undoing = [each for each in lines if each.reverses == line.version]
        undone = {each.reverses for each in lines}
        standing = [e for e in undoing if e.amount < 0 and e.version not in undone]
        return Target(line, lots, any(e.kind is Kind.REVERSAL for e in undoing), standing)

    def _write(self) -> None:
        book = self.book
        for account in book.accounts.values():
            account.due = []
        for line in book.lines:
            self.journal[line.account].append(line)
        self.signals += book.signals
        book.signals.clear()
        for owner, lot in book.dirty_lots:
            self.lots[owner, lot.no] = lot
            lot.stored, lot.changed = True, False
        for held in book.dirty_holds:
            held.stored, held.changed = True, False
        for account in book.dirty_accounts:
            if account.stale_expiry:
                account.next_expiry = self.next_expiry(account)
            account.settled = -1
            account.stale_expiry = account.changed = False
        for changes in (book.lines, book.answers, book.dirty_accounts):
            changes.clear()
        book.dirty_lots.clear()
        book.dirty_holds.clear()

    def picture(self) -> str:
        """Everything but stored answers, to the last figure."""
        book = self.book
        return repr((book.accounts, book.holds, book.groups, self.lots, self.journal))

    def next_expiry(self, account: Account) -> int | None:
        """The earliest expiry among an account's open holds and lots."""
        holds = [
            held.expires_at
            for held in self.book.holds.values()
            if held.account == account.id and held.state is HoldState.OPEN
        ]
        lots = [lot.expires_at for lot in account.lots if not lot.lapsed]
        return min((at for at in (*holds, *lots) if at is not None), default=None)


class CoreDriver:
    """Runs a table on the pure core."""

    def __init__(self, prefix: str = "") -> None:
        self.shelf = Shelf()
        self.clerk = Clerk(self, prefix)
        self._accounts: dict[str, int] = {}

    def account(self, name: str) -> int:
        return self._accounts.get(name, NOWHERE)

    def contra(self, asset: str, kind: str) -> int:
        return _contra(ASSETS[asset], kind)

    def opened(self, name: str) -> Account:
        """An account of the book by its name in the case."""
        return self.shelf.book.accounts[self._accounts[name]]

    def add(self, account: Opening) -> None:
        """Open an account under its name in the case."""
        self._accounts[account.name] = self.shelf.add(account.asset, account.floor)

    def decide(self, chains: Sequence[Sequence[Ask]]) -> list[list[Told]]:
        """Decide chains in one commit."""
        asked = [self.clerk.chain(asks) for asks in chains]
        answers = self.shelf.run(asked, self.clerk.now)
        return [self.clerk.told(a, b) for a, b in zip(chains, answers, strict=True)]

    async def open(self, account: Opening) -> None:
        self.add(account)

    async def submit(self, chains: Sequence[Sequence[Ask]]) -> list[list[Told]]:
        return self.decide(chains)

    async def tick(self, seconds: int) -> None:
        self.clerk.now += seconds * SECOND

    async def balance(self, account: str) -> tuple[int, int, int]:
        found = self.opened(account)
        return (found.posted, found.held, found.debt)

    async def lots(self, account: str) -> list[tuple[int, int]]:
        return [(lot.left, lot.pinned) for lot in self.opened(account).lots]

    async def paid(self, account: str) -> list[int]:
        return [lot.paid for lot in self.opened(account).lots]

    async def state(self, hold: str) -> tuple[str, int]:
        held = self.shelf.book.holds[self.clerk.id(hold)]
        return (held.state.value, held.captured)

    async def journal(self, account: str) -> list[tuple[str, int]]:
        lines = self.shelf.journal[self._accounts[account]]
        return [(line.kind.value, line.amount) for line in lines if line.amount]


def _contra(asset: int, kind: str) -> int:
    return -(10 * asset + _CONTRAS.index(kind))
