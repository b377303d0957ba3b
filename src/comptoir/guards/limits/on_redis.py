"""What was admitted, kept by a Redis for all processes. It may be lost: then limits begin anew."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final, Self

import msgspec

from comptoir.guards.limits.lua import RING
from comptoir.guards.limits.ring import Policy, Verdict
from comptoir.guards.limits.stores import Question
from comptoir.guards.redis.link import Link, Script
from comptoir.kit.gathering import Gathering

TOGETHER: Final = 32
"""Questions in one call: Redis does nothing else meanwhile, for less than a millisecond."""

_SERVER_TIME: Final = -1
_FIGURES: Final = 4
_RING: Final = Script.of(RING)


class RedisStore:
    """One limit for all processes, through one Redis. Use it as an async context manager."""

    def __init__(self, link: Link, book: int, now: int = _SERVER_TIME) -> None:
        """Keep limits of a book.

        Args:
            link: to the Redis.
            book: whose limits.
            now: microseconds in place of the server's own time, for tests.
        """
        self.now = now
        self._link = link
        self._book = book
        self._asking = Gathering(self._ask, TOGETHER, lanes=2)

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
        return await self._link.spread(questions, self._decide)

    async def _decide(self, questions: Sequence[Question]) -> list[list[Verdict]]:
        keys = [key for question in questions for key in self._keys(question)]
        given: list[int] = [self.now, len(questions)]
        for question in questions:
            given += (question.cost, len(question.policies))
            for policy in question.policies:
                given += (policy.limit, policy.window, policy.grain)
        said = await self._link.run(_RING, keys, [msgspec.msgpack.encode(given)])
        figures = iter(msgspec.msgpack.decode(said, type=list[int]))
        return [[_verdict(policy, figures) for policy in each.policies] for each in questions]

    def _keys(self, question: Question) -> Iterator[str]:
        """Where states are: those of one subject in one slot of a cluster, and no names in them."""
        subject = _digest(question.subject)
        for policy in question.policies:
            yield f"comptoir:limit:{{{self._book}.{subject}}}:{_kind(policy)}"


def _verdict(policy: Policy, figures: Iterator[int]) -> Verdict:
    admitted, remaining, wait, resets = (next(figures) for _ in range(_FIGURES))
    return Verdict(policy, admitted == 1, remaining, wait, resets)


@lru_cache(maxsize=1_000)
def _kind(policy: Policy) -> str:
    return _digest(f"{policy.name}\x1f{policy.limit}/{policy.window}")


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=12).hexdigest()
