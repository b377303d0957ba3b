"""The demo's shop, as its own pages see it: nothing but `comptoir demo` ever has one."""

from dataclasses import asdict, dataclass, field
from typing import Final, Literal, Protocol

Wish = Literal["look", "break", "stop", "move"]
"""What may be asked of a demo: how it is, a race, or traffic that stops or goes on."""

Act = Literal["", "seed", "stampede", "deliveries", "receipt"]
"""What of a race is under way; empty for none."""

BOXES: Final = ("http", "python", "badge", "trigger")
"""What a newcomer may do himself, in this order."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the race came to.

    Attributes:
        buyers: buyers whose request for a unit was decided.
        units: units that there were.
        sold: units that left the stock; oversold: those of them that were not there.
        deliveries: how often the webhook of one purchase was delivered at once.
        grants: how often its credits were given.
        balanced: every balance follows from the journal, by verify and by the stand-alone SQL.
    """

    buyers: int
    units: int
    sold: int
    oversold: int
    deliveries: int
    grants: int
    balanced: bool

    def as_json(self) -> dict[str, object]:
        """In the order of the contract."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Outcome(Receipt):
    """What a race came to, and what was seen of it on the way.

    Attributes:
        answered: deliveries of the one webhook that were answered.
        packs, granted: bought while webhooks were in chaos, and what of them the buyer saw.
        faults: keys of texts with what was found and what was wanted.
        seconds: how long all of it took.
        at: when it ended, in microseconds since 1970.
    """

    answered: int
    packs: int
    granted: int
    faults: list[tuple[str, str, str]]
    seconds: float
    at: int


@dataclass(frozen=True, slots=True)
class State:
    """How the demo is.

    Attributes:
        moves: whether traffic is wanted.
        act: what of a race is under way.
        failed: the last race did not come to its end.
        number: of the last race that was begun.
        product, once, regular: of that race: what it sells, and its two buyers of packs.
        event: the webhook of that race that is delivered again and again, once there is one.
        outcome: of the last race that ended.
        key, token: of the newcomer, by whom his calls are known.
        boxes: what he may paste, by the name of the box.
        seen: the boxes whose call has come.
    """

    moves: bool = True
    act: Act = ""
    failed: bool = False
    number: int = 0
    product: str = ""
    once: str = ""
    regular: str = ""
    event: str = ""
    outcome: Outcome | None = None
    key: str = ""
    token: str = ""
    boxes: dict[str, str] = field(default_factory=dict[str, str])
    seen: list[str] = field(default_factory=list[str])


class Demo(Protocol):
    """The demo beside a process that serves its shop."""

    @property
    def state(self) -> State | None:
        """How it was half a second ago; None before it was heard of."""
        ...

    async def ask(self, wish: Wish) -> None:
        """Ask it for something.

        Raises:
            Unavailable: it does not answer.
        """
        ...
