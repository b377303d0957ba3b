"""What the run has come to so far, as far as those who take part know."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

from comptoir.cli.torture.schedule import SORTS, Kind

_SECONDS_SHOWN: Final = 40
_LINES: Final = 8
_FAULTS: Final = 20


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that must not be.

    Attributes:
        number: the figure of the receipt that it counts in.
        text: the key of its text, and the figures of that.
    """

    number: str
    text: str
    figures: dict[str, object]


@dataclass(slots=True)
class Tally:
    """What callers and troubles have come to. Changed by the tasks of one event loop.

    Attributes:
        acknowledged: requests that were answered, repeats not counted; refused: those that said no.
        replayed: repeats that got the stored answer; reused: keys that were rightly refused.
        in_vain: requests without an answer, by what came in its place.
        troubles: those that met somebody, by kind.
        lines: the last of them: moment, kind, victim.
        found: what callers saw that must not be, by the figure of the receipt that it counts in;
            faults: the first of it in words.
    """

    acknowledged: int = 0
    refused: int = 0
    replayed: int = 0
    reused: int = 0
    in_vain: Counter[str] = field(default_factory=Counter[str])
    troubles: Counter[Kind] = field(default_factory=Counter[Kind])
    lines: deque[tuple[int, Kind, str]] = field(
        default_factory=lambda: deque[tuple[int, Kind, str]](maxlen=_LINES)
    )
    rates: deque[int] = field(default_factory=lambda: deque[int](maxlen=_SECONDS_SHOWN))
    found: Counter[str] = field(default_factory=Counter[str])
    faults: list[Fault] = field(default_factory=list[Fault])
    _counted: int = 0

    @property
    def kills(self) -> int:
        """Processes that were ended with SIGKILL."""
        return sum(count for kind, count in self.troubles.items() if SORTS[kind].kills)

    def second(self) -> None:
        """A second has passed: remember how many requests were answered in it."""
        self.rates.append(self.acknowledged - self._counted)
        self._counted = self.acknowledged

    def blame(self, fault: Fault) -> None:
        """Count what must not be, and keep the first of it."""
        self.found[fault.number] += 1
        if len(self.faults) < _FAULTS:
            self.faults.append(fault)
