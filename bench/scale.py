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


FULL: Final = Scale(calls=200_000, seconds=3.0, trial=0.8, repetitions=5)
QUICK: Final = Scale(calls=60_000, seconds=1.0, trial=0.25, repetitions=2)
