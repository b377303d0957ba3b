"""How long and how often: for publishing, or for a glance while working."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Scale:
    """Bounds of every run of a bench.

    Attributes:
        calls: at most so many in one run.
        seconds: at most so long a run.
        trial: so long for each form of a recipe when the best is looked for.
        repetitions: turns of ours, the recipes and the ceiling.
    """

    calls: int
    seconds: float
    trial: float
    repetitions: int


FULL: Final = Scale(calls=200_000, seconds=2.0, trial=0.4, repetitions=3)
QUICK: Final = Scale(calls=60_000, seconds=0.5, trial=0.1, repetitions=1)
