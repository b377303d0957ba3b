"""Where a limit is kept, and what is done when that place is down: the caller says both."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from comptoir.guards.limits.ring import Policy, Verdict
from comptoir.guards.limits.stores import LimitStore, MemoryStore, Question
from comptoir.kit.errors import Unavailable


class Where(StrEnum):
    """Where what was admitted is kept."""

    REDIS = "redis"
    """In Redis; where none is configured, in PostgreSQL."""
    PG = "pg"
    """In PostgreSQL, with or without Redis."""
    LOCAL = "local"
    """In each process: so many processes, so many times the limit at most."""


class WhenDown(StrEnum):
    """What is done while the place is down."""

    LOCAL = "local"
    """Each process keeps the limit by itself."""
    PG = "pg"
    """PostgreSQL keeps it; when that is down too, nothing goes through."""
    OPEN = "open"
    """Everything goes through."""
    CLOSED = "closed"
    """Nothing goes through: the caller is told to come back."""


@dataclass(frozen=True, slots=True)
class Policies:
    """How a question is to be answered.

    Attributes:
        where: where what was admitted is kept.
        when_down: what is done while that place is down.
    """

    where: Where = Where.REDIS
    when_down: WhenDown = WhenDown.LOCAL


@dataclass(frozen=True, slots=True)
class Answer:
    """What was decided, and by whom.

    Attributes:
        by: redis, pg, local, or open when nobody could.
    """

    verdicts: list[Verdict]
    by: str

    @property
    def is_admitted(self) -> bool:
        """Whether the call goes through."""
        return all(verdict.is_admitted for verdict in self.verdicts)


OPEN: Final = "open"


class Limiter:
    """Decides in the place that a policy names. Shared by all tasks of one event loop.

    Attributes:
        fallbacks: how often it was decided elsewhere, by where it should have been and where it
            was.
    """

    def __init__(self, pg: LimitStore, local: MemoryStore, redis: LimitStore | None) -> None:
        """Decide with these stores.

        Args:
            pg: PostgreSQL.
            local: this process.
            redis: Redis, if one is configured.
        """
        self._pg = pg
        self._local = local
        self._redis = redis
        self.fallbacks: Counter[tuple[str, str]] = Counter()

    async def ask(self, question: Question, policies: Policies) -> Answer:
        """Decide.

        Raises:
            Invalid: it can never go through.
            Unavailable: the place is down, and nothing is to go through then.
        """
        where, store = self._place(policies.where)
        try:
            return Answer(await store.ask(question), where)
        except Unavailable:
            if policies.when_down is WhenDown.CLOSED or where == policies.when_down:
                raise
        return await self._without(where, question, policies.when_down)

    def _place(self, where: Where) -> tuple[Where, LimitStore]:
        match where:
            case Where.LOCAL:
                return where, self._local
            case Where.REDIS if self._redis is not None:
                return where, self._redis
            case _:
                return Where.PG, self._pg

    async def _without(self, where: str, question: Question, when_down: WhenDown) -> Answer:
        self.fallbacks[where, when_down.value] += 1
        match when_down:
            case WhenDown.PG:
                return Answer(await self._pg.ask(question), Where.PG)
            case WhenDown.LOCAL:
                return Answer(await self._local.ask(question), Where.LOCAL)
            case _:
                return Answer([_through(each) for each in question.policies], OPEN)


def _through(policy: Policy) -> Verdict:
    return Verdict(policy, is_admitted=True, remaining=policy.limit, wait=0, resets=0)
