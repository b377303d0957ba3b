"""An oracle for the ledger: slow, naive, and written from the rules alone, with none of our code.

Every single unit of every grant is an object of its own. A balance is counted, never kept; what a
refused chain must leave behind is a copy taken before.
"""

from collections.abc import Sequence
from copy import deepcopy
from math import inf
from typing import Final

from tests.support.oracle_books import Books, Entry, Owner, Pile, Pledge, Unit, burn
from tests.support.tables import Ask, Told

STICKY: Final = frozenset(
    {"created", "insufficient", "hold_not_open", "already_reversed", "partly_spent"}
)
GIVING: Final = frozenset({"grant", "purchase", "allowance", "adjustment"})
TAKING: Final = frozenset({"spend", "capture", "adjustment"})


class Oracle:
    """Says what must become of requests. Times are in the unit of its callers."""

    def __init__(self, second: int = 1) -> None:
        self.books = Books()
        self._second = second
        self._start = 0

    def open(self, name: str, asset: str, lowest: int) -> None:
        self.books.owners[name] = Owner(asset, lowest)

    def submit(self, chain: Sequence[Ask], now: float) -> list[Told]:
        """What must become of a chain at `now`, in seconds since the beginning."""
        if len(chain) == 1:
            return [self._one(chain[0], now, None, inf)]
        if any(ask.label in self.books.known for ask in chain):
            return [self._again(ask) for ask in chain]
        before = deepcopy(self.books)
        holds = [ask for ask in chain if ask.op == "hold"]
        band = holds[0].label if len(holds) > 1 else None
        life = min((ask.ttl for ask in holds if ask.ttl is not None), default=inf)
        told: list[Told] = []
        for ask in chain:
            told.append(self._one(ask, now, band, life))
            if told[-1].outcome != "created":
                self.books = before
                self._remember(ask, told[-1])
                broken = Told(outcome="chain_broken")
                return [told[-1] if other is ask else broken for other in chain]
        return told

    def _again(self, ask: Ask) -> Told:
        if ask.label not in self.books.known:
            return Told(outcome="chain_broken")
        first, told = self.books.known[ask.label]
        if first != ask:
            return Told(outcome="exists_different")
        outcome = "exists" if told.outcome == "created" else told.outcome
        return Told(
            outcome=outcome,
            replayed=True,
            late=told.late,
            needed=told.needed,
            available=told.available,
            captured=told.captured,
        )

    def _remember(self, ask: Ask, told: Told) -> None:
        if told.outcome in STICKY:
            self.books.known[ask.label] = (ask, told)

    def _one(self, ask: Ask, now: float, band: str | None, life: float) -> Told:
        if ask.label in self.books.known:
            return self._again(ask)
        if ask.op == "hold":
            told = self._hold(ask, now, band, life)
        else:
            told = getattr(self, f"_{ask.op}")(ask, now)
        self._remember(ask, told)
        return told

    # What time does.

    def _settle(self, owner: Owner, at: float) -> None:
        while True:  # each round ends a hold or a pile
            due: list[tuple[float, int, Pledge | Pile]] = [
                *((p.ends, 0, p) for p in owner.pledges if p.state == "open" and p.ends <= at),
                *((p.expires, 1, p) for p in owner.open if not p.lapsed and p.expires <= at),
            ]
            if not due:
                return
            when, _, thing = min(due, key=lambda entry: entry[:2])
            if isinstance(thing, Pledge):
                thing.state = "expired"
                owner.note("hold_expiry", 0, when)
                self._unpin(owner, thing, thing.units, when)
            else:
                thing.lapsed = True
                self._clear(owner, when)

    def _unpin(self, owner: Owner, pledge: Pledge, units: Sequence[Unit], at: float) -> None:
        for unit in list(units):
            unit.pledge = None
            pledge.units.remove(unit)
        self._clear(owner, at)

    def _clear(self, owner: Owner, at: float) -> None:
        """Nothing that has lapsed stays free."""
        for pile in owner.open:
            units = [unit for unit in pile.units if pile.lapsed and not unit.pledge]
            if units:
                burn(units)
                owner.note("expiry", -len(units), at)

    # What is asked. Each returns what is told.

    def _meet(self, ask: Ask, now: float) -> tuple[Owner | None, float, str]:
        """The account, settled; or why not."""
        owner = self.books.owners.get(ask.account or "")
        if owner is None:
            return None, now, "account_not_found"
        if (ask.contra or ask.asset) != owner.asset:
            return None, now, "asset_mismatch"
        at = max(now, owner.last)
        self._settle(owner, at)
        return owner, at, ""

    def _grant(self, ask: Ask, now: float) -> Told:
        owner, at, why = self._meet(ask, now)
        if owner is None:
            return Told(outcome=why)
        expires = inf if ask.expires is None else ask.expires
        if expires <= at:
            return Told(outcome="expired")
        plain = ask.paid == 0 and ask.reference is None
        priority = 50 if ask.priority is None else ask.priority
        pile = Pile(0, ask.source or "grant", priority, expires, plain, ask.paid)
        amount = ask.amount or 0
        kept = owner.add(pile, amount)
        self._done(ask, Entry(owner, ask.kind or "grant", amount, [kept]), at)
        return Told(outcome="created")

    def _done(self, ask: Ask, entry: Entry, at: float) -> None:
        entry.owner.note(entry.kind, entry.amount, at)
        self.books.entries[ask.label] = entry

    def _short(self, owner: Owner, amount: int) -> Told:
        available = owner.posted - owner.held
        return Told(outcome="insufficient", needed=amount, available=available)

    def _affords(self, owner: Owner, amount: int) -> bool:
        return owner.posted - owner.held - amount >= owner.floor

    def _spend(self, ask: Ask, now: float) -> Told:
        owner, at, why = self._meet(ask, now)
        amount = ask.amount or 0
        if owner is None:
            return Told(outcome=why)
        if not self._affords(owner, amount):
            return self._short(owner, amount)
        units = owner.free(amount)
        owner.owed += amount - len(units)
        self._done(ask, Entry(owner, ask.kind or "spend", -amount, burn(units)), at)
        return Told(outcome="created")

    def _hold(self, ask: Ask, now: float, band: str | None, life: float) -> Told:
        owner, at, why = self._meet(ask, now)
        amount = ask.amount or 0
        if owner is None:
            return Told(outcome=why)
        if not self._affords(owner, amount):
            return self._short(owner, amount)
        ttl = life if band else inf if ask.ttl is None else ask.ttl
        pledge = Pledge(owner, amount, ask.on_excess or "refuse", at + ttl, band)
        pledge.units = owner.free(amount)
        for unit in pledge.units:
            unit.pledge = pledge
        owner.pledges.append(pledge)
        self.books.pledges[ask.label] = pledge
        self._done(ask, Entry(owner, "hold", 0, []), at)
        return Told(outcome="created", captured=0)

    def _band(self, pledge: Pledge) -> list[Pledge]:
        """The hold and the others of its chain."""
        others = [
            other
            for owner in self.books.owners.values()
            for other in owner.pledges
            if other.band and other.band == pledge.band and other is not pledge
        ]
        return [pledge, *others]

    def _capture(self, ask: Ask, now: float) -> Told:
        pledge = self.books.pledges.get(ask.hold or "")
        if pledge is None:
            return Told(outcome="hold_not_found")
        if pledge.band is None or ask.amount is not None:
            return self._take(ask, pledge, now)
        before = deepcopy(self.books)
        told = self._take(ask, pledge, now)
        told_others = [
            self._take(ask, other, now)
            for other in self._band(pledge)[1:]
            if other.state in {"open", "expired"}
        ]
        failed = [each for each in (told, *told_others) if each.outcome != "created"]
        if failed:
            self.books = before
            return failed[0]
        entry = self.books.entries[ask.label]
        assert entry.amount < 0
        return told

    def _take(self, ask: Ask, pledge: Pledge, now: float) -> Told:
        owner = pledge.owner
        at = max(now, owner.last)
        self._settle(owner, at)
        late = pledge.state == "expired"
        if not late and pledge.state != "open":
            return Told(outcome="hold_not_open")
        asked = pledge.rest if ask.amount is None else ask.amount
        if asked > pledge.rest and pledge.excess == "refuse":
            return Told(outcome="exceeds_hold")
        amount = asked
        if pledge.excess != "debt":
            spare = max(0, owner.posted - owner.held - owner.floor)
            amount = min(asked, pledge.rest, spare if late else asked)
        if amount == 0 or (late and pledge.excess == "refuse" and amount < asked):
            return self._short(owner, asked)
        final = ask.final or pledge.taken + amount >= pledge.amount
        self._consume(ask, pledge, amount, at)
        pledge.taken += amount
        if final:
            pledge.state = "captured"
            self._unpin(owner, pledge, pledge.units, at)
        return Told(outcome="created", late=late, captured=pledge.taken)

    def _consume(self, ask: Ask, pledge: Pledge, amount: int, at: float) -> None:
        """Its own units first, then what is free, then debt."""
        owner = pledge.owner
        own = pledge.units[:amount]
        del pledge.units[:amount]
        piles = burn(own)
        more = owner.free(amount - len(own))
        owner.owed += amount - len(own) - len(more)
        entry = Entry(owner, "capture", -amount, [*piles, *burn(more)])
        known = self.books.entries.get(ask.label)
        self._done(ask, entry, at)
        if known is not None:
            self.books.entries[ask.label] = known

    def _ended(self, ask: Ask, now: float) -> tuple[list[Pledge], float, Told | None]:
        """The hold and its open mates, with all of their accounts settled; or why not."""
        pledge = self.books.pledges.get(ask.hold or "")
        if pledge is None:
            return [], now, Told(outcome="hold_not_found")
        band = self._band(pledge)
        at = max(now, *(each.owner.last for each in band))
        for each in band:
            self._settle(each.owner, at)
        if pledge.state != "open":
            return [], now, Told(outcome="hold_not_open")
        return [each for each in band if each.state == "open"], at, None

    def _release(self, ask: Ask, now: float) -> Told:
        band, at, refused = self._ended(ask, now)
        if refused:
            return refused
        for each in band:
            each.state = "released"
            each.owner.note("release", 0, at)
            self._unpin(each.owner, each, each.units, at)
        self._done(ask, Entry(band[0].owner, "release", 0, []), at)
        return Told(outcome="created", captured=band[0].taken)

    def _renew(self, ask: Ask, now: float) -> Told:
        band, at, refused = self._ended(ask, now)
        if refused:
            return refused
        for each in band:
            each.ends = at + (ask.ttl or 0)
            each.owner.note("renewal", 0, at)
        self._done(ask, Entry(band[0].owner, "renewal", 0, []), at)
        return Told(outcome="created", captured=band[0].taken)

    def _transfer(self, ask: Ask, now: float) -> Told:
        source = self.books.owners.get(ask.account or "")
        target = self.books.owners.get(ask.target or "")
        if source is None or target is None:
            return Told(outcome="account_not_found")
        if source.asset != target.asset:
            return Told(outcome="asset_mismatch")
        if source is target:
            return Told(outcome="same_account")
        at = max(now, source.last, target.last)
        self._settle(source, at)
        self._settle(target, at)
        amount = ask.amount or 0
        if not self._affords(source, amount):
            return self._short(source, amount)
        units = source.free(amount)
        owed = amount - len(units)
        by_pile = [(p, sum(unit.pile is p for unit in units)) for p in source.open]
        prices = [(pile, count, pile.price(count)) for pile, count in by_pile if count]
        burn(units)
        source.owed += owed
        for pile, count, paid in prices:
            new = Pile(0, pile.source, pile.priority, pile.expires, pile.plain, paid)
            target.add(new, count)
        if owed:
            target.add(Pile(0, "transfer", 0, inf, plain=True, paid=0), owed)
        target.note("transfer", amount, at)
        self._done(ask, Entry(source, "transfer", -amount, []), at)
        return Told(outcome="created")

    def _reverse(self, ask: Ask, now: float) -> Told:
        entry = self.books.entries.get(ask.movement or "")
        if entry is None:
            return Told(outcome="movement_not_found")
        owner = entry.owner
        at = max(now, owner.last)
        self._settle(owner, at)
        if entry.undone:
            return Told(outcome="already_reversed")
        if entry.amount > 0 and entry.kind in GIVING:
            told = self._take_back(ask, entry, entry.left, "reversal", at)
            entry.undone = entry.undone or told.outcome == "created"
            return told
        if entry.amount < 0 and (entry.kind in TAKING or (entry.kind == "refund" and entry.of)):
            return self._give_back(ask, entry, at)
        return Told(outcome="not_reversible")

    def _refund(self, ask: Ask, now: float) -> Told:
        entry = self.books.entries.get(ask.movement or "")
        if entry is None:
            return Told(outcome="movement_not_found")
        at = max(now, entry.owner.last)
        self._settle(entry.owner, at)
        if entry.amount <= 0 or entry.kind not in GIVING:
            return Told(outcome="not_reversible")
        return self._take_back(ask, entry, ask.amount or 0, "refund", at)

    def _take_back(self, ask: Ask, entry: Entry, amount: int, kind: str, at: float) -> Told:
        owner = entry.owner
        if entry.left == 0:
            return Told(outcome="already_reversed")
        if amount > entry.left:
            return Told(outcome="exceeds_movement")
        units: list[Unit] = []
        for pile, count in entry.piles:
            before = sum(n for piece in entry.pieces for p, n in piece.piles if p is pile)
            free = [unit for unit in pile.units if not unit.pledge]
            units += free[: min(count - before, amount - len(units))]
        if len(units) < amount and ask.if_spent != "debt":
            return Told(outcome="partly_spent", needed=amount, available=len(units))
        owner.owed += amount - len(units)
        piece = Entry(owner, kind, -amount, burn(units), of=entry)
        entry.pieces.append(piece)
        self._done(ask, piece, at)
        return Told(outcome="created")

    def _give_back(self, ask: Ask, entry: Entry, at: float) -> Told:
        owner, amount = entry.owner, -entry.amount
        given = sum(count for _, count in entry.piles)
        for pile, count in entry.piles:
            pile.units += [Unit(pile) for _ in range(count)]
            pile.lapsed = pile.expires <= at
        if given < amount:
            owner.add(Pile(0, "reversal", 50, inf, plain=True, paid=0), amount - given)
        entry.undone = True
        if entry.of is not None:
            entry.of.pieces.remove(entry)
        self._done(ask, Entry(owner, "reversal", amount, []), at)
        self._clear(owner, at)
        return Told(outcome="created")
