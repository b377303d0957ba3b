"""Which trouble comes when, and to whom: made from the seed alone, so that it can be replayed.

A new kind of trouble is a member of Kind, a line of SORTS, a card in a deck of STREAMS, and what
it does in troubles.PLAYS.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256
from heapq import merge
from random import Random
from typing import Final, TypeVar

SERVERS: Final = 4
CROWDS: Final = 4
"""Parts of the callers that go away together."""

LOCKABLE: Final = 7
"""Accounts that a stranger may lock: the hot customers and the articles of the program."""

_BACKENDS: Final = 64
_HOUR: Final = 3_600
_YEAR: Final = 365 * 24 * _HOUR
_CLOCKS: Final = (-_YEAR, -_HOUR, -90, 90, _HOUR, _YEAR)

Card = TypeVar("Card")


class Kind(StrEnum):
    """A kind of trouble."""

    KILL_SERVER = "kill-server"
    SHIFT_CLOCK = "shift-clock"
    """A server is killed, and comes back with a clock that is wrong."""
    KILL_POSTGRES = "kill-postgres"
    KILL_BACKEND = "kill-backend"
    """One process of PostgreSQL is killed, which ends all of its sessions."""
    LOCK_ROWS = "lock-rows"
    """A stranger's connection holds rows of accounts for a while."""
    KILL_REDIS = "kill-redis"
    FREEZE_REDIS = "freeze-redis"
    FLUSH_REDIS = "flush-redis"
    HANG_UP = "hang-up"
    """Callers close their connections in the middle of a request, and repeat it later."""


@dataclass(frozen=True, slots=True)
class Sort:
    """What there is to know of a kind of trouble.

    Attributes:
        text: the key of its name.
        victims: how many there are to choose from; whatever has equally many shares its turns.
        figures: what it may come with: seconds of a clock, milliseconds of a lock.
        kills: whether it ends a process with SIGKILL.
    """

    text: str
    victims: int
    figures: tuple[int, ...] = (0,)
    kills: bool = False


SORTS: Final[Mapping[Kind, Sort]] = {
    Kind.KILL_SERVER: Sort("torture.kill-server", SERVERS, kills=True),
    Kind.SHIFT_CLOCK: Sort("torture.shift-clock", SERVERS, _CLOCKS, kills=True),
    Kind.KILL_POSTGRES: Sort("torture.kill-postgres", 1, kills=True),
    Kind.KILL_BACKEND: Sort("torture.kill-backend", _BACKENDS, kills=True),
    Kind.LOCK_ROWS: Sort("torture.lock-rows", LOCKABLE, (200, 1_000, 3_000, 6_000)),
    Kind.KILL_REDIS: Sort("torture.kill-redis", 1, kills=True),
    Kind.FREEZE_REDIS: Sort("torture.freeze-redis", 1, (200, 1_000, 3_000)),
    Kind.FLUSH_REDIS: Sort("torture.flush-redis", 1),
    Kind.HANG_UP: Sort("torture.hang-up", CROWDS),
}


@dataclass(frozen=True, slots=True)
class Stream:
    """Troubles that follow each other.

    Attributes:
        deck: the kinds, as often as they come among so many; dealt out, then shuffled again.
        gap: the least and the most milliseconds between two of them.
    """

    deck: tuple[Kind, ...]
    gap: tuple[int, int]


# The watcher of the embedded PostgreSQL gives up on a server that dies ten times a minute: two
# deaths among twelve kills, which take at least 22 seconds, are at most eight of them.
STREAMS: Final[Mapping[str, Stream]] = {
    "kills": Stream(
        (Kind.KILL_SERVER,) * 4
        + (Kind.SHIFT_CLOCK,) * 3
        + (Kind.KILL_POSTGRES,) * 2
        + (Kind.KILL_BACKEND,) * 3,
        (1_900, 2_500),
    ),
    "locks": Stream((Kind.LOCK_ROWS,), (3_000, 7_000)),
    "redis": Stream((Kind.KILL_REDIS, Kind.FREEZE_REDIS, Kind.FLUSH_REDIS), (3_000, 9_000)),
    "callers": Stream((Kind.HANG_UP,), (600, 1_800)),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble.

    Attributes:
        at: milliseconds after the beginning.
        victim: the number of who or what meets it.
        figure: see Sort.figures.
    """

    at: int
    kind: Kind
    victim: int
    figure: int

    def as_json(self) -> dict[str, object]:
        """In the order of its fields."""
        return asdict(self)


def schedule(seed: int, seconds: int) -> tuple[Trouble, ...]:
    """Every trouble of so many seconds, in order."""
    streams = [_stream(seed, name, seconds * 1_000) for name in STREAMS]
    return tuple(merge(*streams, key=lambda trouble: trouble.at))


def digest(troubles: Sequence[Trouble]) -> str:
    """What tells two schedules apart."""
    lines = (f"{t.at} {t.kind} {t.victim} {t.figure}\n" for t in troubles)
    return sha256("".join(lines).encode()).hexdigest()[:16]


def _stream(seed: int, name: str, until: int) -> Iterator[Trouble]:
    """The troubles of one stream; chance of its own keeps it as it is when another changes."""
    draw = Random(f"{seed}/{name}")  # noqa: S311  # not a secret: it must be repeatable
    stream = STREAMS[name]
    kinds = dealt(draw, stream.deck)
    turns = {count: dealt(draw, range(count)) for count in _victims(stream.deck)}
    at = draw.randint(*stream.gap)
    while at < until:
        kind = next(kinds)
        sort = SORTS[kind]
        yield Trouble(at, kind, next(turns[sort.victims]), draw.choice(sort.figures))
        at += draw.randint(*stream.gap)


def _victims(deck: Sequence[Kind]) -> list[int]:
    return sorted({SORTS[kind].victims for kind in deck})


def dealt(draw: Random, deck: Sequence[Card]) -> Iterator[Card]:
    """The cards of a deck one by one without end, shuffled again when all have been dealt."""
    while True:  # bounded by whoever takes the cards
        yield from draw.sample(deck, len(deck))
