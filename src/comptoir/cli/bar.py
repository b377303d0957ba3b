"""A progress bar for long copies: on a terminal only, and on stderr."""

from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from comptoir.store.copying import Report


@contextmanager
def bar() -> Generator[Report]:
    """Something to tell how far each table is."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _nothing
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def report(table: str, done: int, total: int) -> None:
            if table not in tasks:
                tasks[table] = progress.add_task(table)
            progress.update(tasks[table], completed=done, total=total)

        yield report


def _nothing(_table: str, _done: int, _total: int) -> None:
    """What a pipe or a log wants to hear of it."""
