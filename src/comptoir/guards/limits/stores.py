"""Where what was admitted is kept: in this process, or in PostgreSQL for all processes."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self

from comptoir.guards.limits import sql
from comptoir.guards.limits.ring import Policy, State, Verdict, charge, decide, judge, settle
from comptoir.guards.names import named
from comptoir.kit.errors import Invalid
from comptoir.kit.gathering import Gathering
from comptoir.store.pool import Pool, begin

SUBJECTS: Final = 100_000
"""Subjects that one process remembers; those that were not heard of for longest go first."""

POLICIES: Final = 8
_TOGETHER: Final = 200
_SEPARATOR: Final = "\x1f"


@dataclass(frozen=True, slots=True)
class Question:
    """A call that would like to go through.

    Attributes:
        subject: whose call it is.
        policies: all of which must admit it.
        cost: how much of each it takes.
    """

    subject: str
    policies: tuple[Policy, ...]
    cost: int = 1

    def check(self) -> None:
        """See whether it can be asked.

        Raises:
            Invalid: it cannot, or never go through.
        """
        named("subject", self.subject)
        if not 1 <= len(self.policies) <= POLICIES:
            raise Invalid("field-invalid", field="policies")
        for policy in self.policies:
            policy.check(self.cost)

    def places(self) -> list[str]:
        """Where each policy keeps what it has admitted of this subject."""
        return [
            f"{self.subject}{_SEPARATOR}{each.name}{_SEPARATOR}{each.limit}/{each.window}"
            for each in self.policies
        ]


class LimitStore(Protocol):
    """Keeps what was admitted, and decides."""

    async def ask(self, question: Question) -> list[Verdict]:
        """What each policy says; the call goes through if all admit it, and only then is charged.

        Raises:
            Invalid: it can never go through.
            Unavailable: the store is down: nothing was decided.
        """
        ...


class MemoryStore:
    """In this process: for one process alone, or where a share of the limit for each will do."""

    def __init__(self, clock: Callable[[], int], subjects: int = SUBJECTS) -> None:
        """Keep so many subjects.

        Args:
            clock: microseconds of a clock that does not go back.
            subjects: how many are remembered.
        """
        self._clock = clock
        self._most = subjects
        self._states: OrderedDict[str, State] = OrderedDict()

    async def ask(self, question: Question) -> list[Verdict]:
        """As `LimitStore.ask`; it is never down."""
        return self.decide(question)

    def decide(self, question: Question) -> list[Verdict]:
        """The same for callers without a loop."""
        question.check()
        states = [self._state(key) for key in question.places()]
        return decide(question.policies, states, question.cost, self._clock())

    def peek(self, question: Question) -> list[Verdict]:
        """What each policy would say; nothing is charged."""
        question.check()
        now = self._clock()
        states = [self._state(key) for key in question.places()]
        for policy, state in zip(question.policies, states, strict=True):
            settle(policy, state, now)
        pairs = zip(question.policies, states, strict=True)
        return [judge(policy, state, question.cost) for policy, state in pairs]

    def note(self, question: Question) -> None:
        """Charge what was admitted elsewhere."""
        now = self._clock()
        for policy, key in zip(question.policies, question.places(), strict=True):
            state = self._state(key)
            settle(policy, state, now)
            charge(policy, state, question.cost)

    def _state(self, key: str) -> State:
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = State()
            while len(self._states) > self._most:
                self._states.popitem(last=False)
        self._states.move_to_end(key)
        return state


class PostgresStore:
    """In the database: one limit for all processes. Use it as an async context manager.

    What it writes does not wait for the disk: a crash of PostgreSQL may forget half a second.
    """

    def __init__(self, pool: Pool, book: int) -> None:
        self._pool = pool
        self._book = book
        self._asking = Gathering(self._ask, _TOGETHER)

    async def __aenter__(self) -> Self:
        await self._asking.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._asking.__aexit__()

    async def ask(self, question: Question) -> list[Verdict]:
        """As `LimitStore.ask`."""
        question.check()
        return await self._asking.ask(question)

    async def _ask(self, questions: Sequence[Question]) -> list[list[Verdict]]:
        keys = sorted({key for question in questions for key in question.places()})
        async with begin(self._pool) as tx:
            await tx.execute(sql.NO_WAIT)
            states, now = await self._load(tx, keys)
            verdicts: list[list[Verdict]] = []
            changed: dict[str, tuple[State, Policy]] = {}
            for question in questions:
                own = question.places()
                said = decide(question.policies, [states[k] for k in own], question.cost, now)
                verdicts.append(said)
                if all(verdict.is_admitted for verdict in said):
                    for key, policy in zip(own, question.policies, strict=True):
                        changed[key] = (states[key], policy)
            await self._save(tx, changed)
        return verdicts

    async def _load(self, tx: sql.Tx, keys: list[str]) -> tuple[Mapping[str, State], int]:
        found, now = await self._read(tx, keys)
        missing = [key for key in keys if key not in found]
        if missing:
            await tx.execute(sql.MAKE, (self._book, missing))
            more, now = await self._read(tx, missing)
            found |= more
        return found, now

    async def _read(self, tx: sql.Tx, keys: list[str]) -> tuple[dict[str, State], int]:
        cursor = await tx.execute(sql.READ, (self._book, keys))
        rows = await cursor.fetchall()
        now = max((row[4] for row in rows), default=0)
        return {row[0]: State(row[1], row[2], row[3]) for row in rows}, now

    async def _save(self, tx: sql.Tx, changed: Mapping[str, tuple[State, Policy]]) -> None:
        if not changed:
            return
        states = [state for state, _ in changed.values()]
        columns = (
            list(changed),
            [state.last for state in states],
            [_array(state.slots) for state in states],
            [_array(state.costs) for state in states],
            [state.last + policy.window + 2 * policy.grain for state, policy in changed.values()],
        )
        await tx.execute(sql.SAVE, (self._book, *columns))


def _array(values: Sequence[int]) -> str:
    return "{" + ",".join(map(str, values)) + "}"


def loop_clock() -> int:
    """Microseconds of the running loop's clock, which never goes back."""
    return int(asyncio.get_running_loop().time() * 1_000_000)
