"""What a worker can do: handlers by type, and jobs that come back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from comptoir.jobs.model import Handler
from comptoir.jobs.schedule import Periodic


@dataclass(frozen=True, slots=True)
class Duties:
    """What a worker can do.

    Attributes:
        handlers: by the type of the jobs that they do.
        periodic: jobs that come back.
    """

    handlers: Mapping[str, Handler] = field(default_factory=dict[str, Handler])
    periodic: Sequence[Periodic] = ()

    @classmethod
    def of(cls, *handlers: Handler, periodic: Sequence[Periodic] = ()) -> Self:
        """The duties that some handlers make."""
        return cls({each.type: each for each in handlers}, tuple(periodic))

    def plus(self, more: "Duties") -> "Duties":
        """These and more; of two handlers of a type the one of `more` does it."""
        return Duties({**self.handlers, **more.handlers}, (*self.periodic, *more.periodic))
