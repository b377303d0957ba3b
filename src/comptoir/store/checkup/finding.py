"""What a check has found."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's.

    Attributes:
        check: what was looked at.
        code: what was found; the doctor's table has its severity, its text and its fix.
        figures: what the text shows.
    """

    check: str
    code: str
    figures: Mapping[str, object] = field(default_factory=dict[str, object])
