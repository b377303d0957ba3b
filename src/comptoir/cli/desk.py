"""What every command works with: settings, words in the reader's language, a clock, a printer."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from comptoir.cli.say import Say
from comptoir.config import Settings
from comptoir.kit.clock import Clock
from comptoir.web.catalogue import Exit

__all__ = ["INTERRUPTED", "Desk", "Exit", "desk_of", "print_json"]

INTERRUPTED: Final = 130
"""What a shell calls the end of a program by Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What every command works with.

    Attributes:
        say: texts in the reader's language.
        settings: reads the settings; raises pydantic.ValidationError when one cannot be.
        clock: the machine's time.
        randomness: as many random bytes as asked for.
    """

    say: Say
    settings: Callable[[], Settings]
    clock: Clock
    randomness: Callable[[int], bytes]

    def note(self, key: str, /, **figures: object) -> None:
        """A line for the person at the terminal, on stderr."""
        print(self.say(key, **figures), file=sys.stderr, flush=True)

    def tell(self, key: str, /, **figures: object) -> None:
        """A line of the result, on stdout."""
        print(self.say(key, **figures), flush=True)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Rows under headings, which are keys of texts; as wide as they need to be in a pipe."""
        table = Table(*(self.say(heading) for heading in headings), box=SIMPLE_HEAD)
        for row in rows:
            table.add_row(*row)
        console = Console(highlight=False, markup=False)
        if not console.is_terminal:
            console.width = 10_000
            table.box = None
        console.print(table)


def desk_of(ctx: typer.Context) -> Desk:
    """The desk of the program that runs."""
    desk = ctx.find_object(Desk)
    assert desk is not None, "main puts it there"
    return desk


def print_json(value: object) -> None:
    """One line of JSON on stdout."""
    print(json.dumps(value, ensure_ascii=False), flush=True)
