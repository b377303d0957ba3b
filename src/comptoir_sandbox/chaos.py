"""What goes wrong on purpose: with deliveries of events, and with answers of the API."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from comptoir_sandbox.objects import Object
from comptoir_sandbox.refused import Refused

_MOST: Final = 10**6


@dataclass(slots=True)
class Chaos:
    """The knobs. As they are from the beginning nothing goes wrong.

    Attributes:
        copies: how often each event is delivered, 1 to so many times.
        shuffle: events that are gathered and then delivered in any order; 0 for as they come.
        delay_ms: milliseconds that a delivery waits at most before it sets out.
        drop_percent: of deliveries that never set out, and are not tried again.
        together: deliver at the same time, and not one after the other.
        before_answer: deliver what a call has caused before the call is answered.
        fail: so many of the next API calls fail with `fail_status`.
        fail_after: they fail after they have done their work.
        slow_ms: milliseconds that each API call takes at least.
        only: part of the path of calls that fail or are slow; all by default.
    """

    copies: int = 1
    shuffle: int = 0
    delay_ms: int = 0
    drop_percent: int = 0
    together: bool = False
    before_answer: bool = False
    fail: int = 0
    fail_status: int = 500
    fail_after: bool = False
    slow_ms: int = 0
    only: str = ""

    def turn(self, said: dict[str, Any]) -> None:
        """Set some of the knobs.

        Raises:
            Refused: there is no such knob, or it cannot be set to that.
        """
        kinds: dict[str, type[object]] = {
            each.name: type(getattr(self, each.name)) for each in fields(self)
        }
        for name, value in said.items():
            if name not in kinds:
                raise Refused(f"There is no knob {name}; there are {', '.join(kinds)}.", param=name)
            if type(value) is not kinds[name] or not _fits(value):
                raise Refused(f"The knob {name} cannot be {value!r}.", param=name)
        for name, value in said.items():
            setattr(self, name, value)

    def shown(self) -> Object:
        """All of them."""
        return asdict(self)

    def fails(self, path: str) -> bool:
        """Whether this call is one of those that fail; counts it if so."""
        if self.fail <= 0 or self.only not in path:
            return False
        self.fail -= 1
        return True

    def pause(self, path: str) -> float:
        """Seconds that this call takes at least."""
        return self.slow_ms / 1_000 if self.only in path else 0.0


def _fits(value: object) -> bool:
    return not isinstance(value, int) or 0 <= value <= _MOST
