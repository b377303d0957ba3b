"""`comptoir credits import`: opening balances and histories of another system, from a file."""

import re
import stat
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO, Final, Literal

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from comptoir.cli.desk import Desk, Exit, desk_of, print_json
from comptoir.cli.failures import explain_code
from comptoir.cli.opening import book_of, reading, run_now, writing
from comptoir.domains.credits.imports.carrying import Place, carry, survey
from comptoir.domains.credits.imports.model import (
    Fault,
    Form,
    Import,
    Report,
    Trouble,
    Watch,
)
from comptoir.domains.credits.imports.reading import shown
from comptoir.kit.amounts import format_amount
from comptoir.kit.errors import Invalid
from comptoir.kit.limits import SECOND

_SHOWN: Final = 20
_SOURCE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}", re.ASCII)
_FORMS: Final = {".csv": Form.CSV, ".jsonl": Form.JSONL, ".ndjson": Form.JSONL}
_ASSETS: Final = {Form.CSV: "credits", Form.JSONL: "credits", Form.REDIS: "tokens"}


def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    asset: Annotated[
        str | None, typer.Option("--asset", metavar="CODE", help="option.import-asset")
    ] = None,
    source: Annotated[
        str, typer.Option("--source", metavar="NAME", help="option.import-source")
    ] = "import",
    form: Annotated[
        Literal["csv", "jsonl", "redis-json"] | None,
        typer.Option("--format", help="option.import-format"),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD", help="option.import-map"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="option.dry-run")] = False,
    book: Annotated[str, typer.Option("--book", metavar="live|test", help="option.book")] = "live",
    as_json: Annotated[bool, typer.Option("--json", help="option.json")] = False,
) -> Exit:
    """Import opening balances or a history."""
    desk = desk_of(ctx)
    written = _form(file, form)
    wanted = Import(asset or _ASSETS[written], _source(source), written, _columns(columns or ()))
    began = desk.clock()
    with opened_file(file) as stream, _watching(desk, file) as watch:
        report = run_now(_run(desk, book, wanted, stream, watch, dry_run=dry_run))
    ended = _Ended(desk, book, wanted, report, desk.clock() - began, dry_run)
    if as_json:
        print_json(ended.as_json())
    else:
        ended.tell()
    return Exit.DONE if report.is_clean else Exit.REFUSED


async def _run(
    desk: Desk, book: str, wanted: Import, stream: BinaryIO, watch: Watch, *, dry_run: bool
) -> Report:
    opening = reading if dry_run else writing
    async with opening(desk.settings()) as opened:
        place = Place(await opened.door(await book_of(opened, book)), opened.pool)
        found = await survey(place, wanted, stream, watch)
        return found.report if dry_run else await carry(place, found, watch)


def _form(file: Path, said: str | None) -> Form:
    if said is not None:
        return Form(said)
    form = _FORMS.get(file.suffix.lower())
    if form is None:
        raise Invalid("import-form-unsaid", path=shown(file.name))
    return form


def _source(said: str) -> str:
    if not _SOURCE.fullmatch(said):
        raise Invalid("import-source")
    return said


def _columns(said: Sequence[str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for each in said:
        column, equals, field = each.rpartition("=")
        if not equals or not column or column in columns:
            raise Invalid("import-map", value=shown(each))
        columns[column] = field
    return columns


@contextmanager
def opened_file(file: Path) -> Generator[BinaryIO]:
    """The file, which must be one that can be read twice."""
    try:
        is_file = stat.S_ISREG(file.stat().st_mode)
        stream = file.open("rb") if is_file else None
    except OSError as error:
        reason = error.strerror or ""
        raise Invalid("import-not-a-file", path=shown(file), reason=reason) from None
    if stream is None:
        reason = stat.filemode(file.stat().st_mode)
        raise Invalid("import-not-a-file", path=shown(file), reason=reason)
    with stream:
        yield stream


@contextmanager
def _watching(desk: Desk, file: Path) -> Generator["_Bar"]:
    """A bar on a terminal; says how far the import came when it is broken off."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    progress = Progress(
        *columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal
    )
    bar = _Bar(desk, progress, file.stat().st_size)
    try:
        with progress:
            yield bar
    except BaseException:
        if bar.lines:
            desk.note("import.broken-off", lines=desk.say.number(bar.lines))
        raise


class _Bar:
    """Shows how far an import has come."""

    def __init__(self, desk: Desk, progress: Progress, size: int) -> None:
        self.lines = 0
        self._desk = desk
        self._progress = progress
        self._size = size
        self._checking = progress.add_task(desk.say("import.checking"), total=size)
        self._importing: TaskID | None = None

    def checked(self, bytes_read: int) -> None:
        """The file is checked up to there."""
        self._progress.update(self._checking, completed=bytes_read)

    def carried(self, bytes_read: int, lines: int) -> None:
        """The file is imported up to there."""
        self.lines = lines
        if self._importing is None:
            about = self._desk.say("import.importing")
            self._importing = self._progress.add_task(about, total=self._size)
        self._progress.update(self._importing, completed=bytes_read)


@dataclass(frozen=True, slots=True)
class _Ended:
    """An import that is over, and how it is told."""

    desk: Desk
    book: str
    wanted: Import
    report: Report
    micros: int
    is_dry: bool

    @property
    def rate(self) -> int:
        """Lines a second."""
        return self.report.lines * SECOND // max(self.micros, 1)

    def as_json(self) -> dict[str, object]:
        """Every figure, and every fault that is kept."""
        report, faults = self.report, self.report.faults
        return {
            "asset": self.wanted.asset,
            "book": self.book,
            "source": self.wanted.source,
            "dry_run": self.is_dry,
            "columns": {field: shown(column) for field, column in report.columns.items()},
            "unread": [shown(column) for column in report.unread],
            "lines": report.lines,
            "customers": report.customers,
            "new": report.new,
            "there": report.there,
            "zero": report.zero,
            "left_out": report.left_out,
            "conflicts": faults.counts[Trouble.CONFLICT],
            "refused": faults.counts[Trouble.REFUSED],
            "invalid": faults.counts[Trouble.INVALID],
            "mismatched": faults.counts[Trouble.MISMATCH],
            "granted": self._amount(report.granted),
            "spent": self._amount(report.spent),
            "change": self._amount(report.granted - report.spent),
            "faults": [self._fault(fault) for fault in faults.in_order],
            "truncated": len(faults.shown) < faults.total,
            "seconds": round(self.micros / SECOND, 3),
            "lines_per_second": self.rate,
        }

    def tell(self) -> None:
        """The same for a person, with the first faults."""
        desk, report = self.desk, self.report
        about = {"asset": self.wanted.asset, "book": self.book, "source": self.wanted.source}
        desk.tell("import.dry-run" if self.is_dry else "import.done", **about)
        read = [f"{field} = {shown(column)}" for field, column in report.columns.items()]
        desk.tell("import.columns", columns=", ".join(read))
        if report.unread:
            desk.tell("import.unread", columns=", ".join(map(shown, report.unread)))
        desk.table(("column.import-what", "column.import-count"), self._rows())
        desk.tell(
            "import.speed",
            lines=desk.say.number(report.lines),
            seconds=f"{self.micros / SECOND:.1f}",
            rate=desk.say.number(self.rate),
        )
        for fault in report.faults.in_order[:_SHOWN]:
            figures = {"line": fault.line, "customer": fault.customer, "detail": self._said(fault)}
            desk.note("import.fault-of" if fault.customer else "import.fault", **figures)
        more = report.faults.total - _SHOWN
        if more > 0:
            desk.note("import.more", more=desk.say.number(more))
        if not report.is_clean:
            desk.note("import.faults")

    def _rows(self) -> list[tuple[str, str]]:
        say, report, counts = self.desk.say, self.report, self.report.faults.counts
        numbers = {
            "import.row.lines": report.lines,
            "import.row.customers": report.customers,
            "import.row.to-import" if self.is_dry else "import.row.new": report.new,
            "import.row.there": report.there,
            "import.row.zero": report.zero,
            "import.row.left-out": report.left_out,
            "import.row.conflict": counts[Trouble.CONFLICT],
            "import.row.refused": counts[Trouble.REFUSED],
            "import.row.invalid": counts[Trouble.INVALID],
            "import.row.mismatch": counts[Trouble.MISMATCH],
        }
        amounts = {
            "import.row.granted": report.granted,
            "import.row.spent": report.spent,
            "import.row.change": report.granted - report.spent,
        }
        return [
            *((say(key), say.number(number)) for key, number in numbers.items()),
            *((say(key), self._amount(amount)) for key, amount in amounts.items()),
        ]

    def _amount(self, units: int) -> str:
        return format_amount(units, self.report.scale)

    def _said(self, fault: Fault) -> str:
        return explain_code(self.desk.say, fault.error.code, fault.error.figures)[0]

    def _fault(self, fault: Fault) -> dict[str, object]:
        return {
            "line": fault.line,
            "customer": fault.customer,
            "trouble": fault.trouble.value,
            "code": fault.error.code,
            "detail": self._said(fault),
        }
