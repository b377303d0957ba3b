"""`comptoir stock import` and `export`: counts, deliveries and all there is, as CSV."""

import csv
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final, TextIO

import typer

from comptoir.cli.bar import bar
from comptoir.cli.desk import Desk, Exit, desk_of, print_json
from comptoir.cli.failures import explain_code
from comptoir.cli.importing import opened_file
from comptoir.cli.opening import book_of, reading, run_now, writing
from comptoir.cli.options import Book
from comptoir.domains.credits.imports.reading import shown
from comptoir.domains.stock.counts.cells import ABOUT_REFUSED, EXPORTED, escaped
from comptoir.domains.stock.counts.model import Fault, Form, Report
from comptoir.flows import counting
from comptoir.flows.counting import File, Watch

_SHOWN: Final = 20
_CHANGES: Final = 1_000
"""Changes that are listed as JSON; all of them are counted."""


def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="option.dry-run")] = False,
    refused: Annotated[
        Path | None, typer.Option("--refused", metavar="FILE", help="option.refused")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--idempotency-key", metavar="KEY", help="option.delivery-key")
    ] = None,
    book: Book = "live",
    as_json: Annotated[bool, typer.Option("--json", help="option.json")] = False,
) -> Exit:
    """Set stock to what a file has counted, or add what it says was delivered."""
    desk = desk_of(ctx)
    with opened_file(file) as stream, bar() as watch:
        report = run_now(_import(desk, book, _named(file, stream, key), watch, is_dry=dry_run))
    ended = _Ended(desk, book, file, report, dry_run)
    if refused is not None:
        ended.write_refused(refused)
    if as_json:
        print_json(ended.as_json())
    else:
        ended.tell()
    return Exit.DONE if report.is_clean else Exit.REFUSED


def export(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", show_default=False)] = None,
    book: Book = "live",
) -> None:
    """Write all that is sold, as a file that can be imported again."""
    desk = desk_of(ctx)
    if file is None:
        run_now(_export(desk, book, sys.stdout))
        return
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8", newline="") as stream:
            lines = run_now(_export(desk, book, stream))
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
    desk.note("stock.exported", lines=desk.say.number(lines), path=shown(file))


def _named(file: Path, stream: BinaryIO, key: str | None) -> File:
    return File(stream, shown(file.name), key)


async def _import(desk: Desk, book: str, file: File, watch: Watch, *, is_dry: bool) -> Report:
    opening = reading if is_dry else writing
    do = counting.survey if is_dry else counting.carry
    async with opening(desk.settings()) as opened:
        return await do(opened.till, await book_of(opened, book), file, watch)


async def _export(desk: Desk, book: str, stream: TextIO) -> int:
    lines = 0
    async with reading(desk.settings()) as opened:
        found: AsyncIterator[list[list[str]]] = counting.export(
            opened.till, await book_of(opened, book)
        )
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(EXPORTED)
        async for rows in found:
            writer.writerows(rows)
            lines += len(rows)
    return lines


@dataclass(frozen=True, slots=True)
class _Ended:
    """An import that is over, and how it is told."""

    desk: Desk
    book: str
    file: Path
    report: Report
    is_dry: bool

    def as_json(self) -> dict[str, object]:
        """Every figure, and every refused line."""
        report = self.report
        return {
            "file": shown(self.file.name),
            "book": self.book,
            "form": report.form,
            "dry_run": self.is_dry,
            "lines": report.lines,
            "new_products": report.new_products,
            "changed_products": report.changed_products,
            "new_sizes": report.new_sizes,
            "moved": report.moved,
            "unchanged": report.same,
            "left_out": report.left_out,
            "refused": len(report.faults),
            "added": report.up,
            "taken": report.down,
            "unread": [shown(column) for column in report.unread],
            "changes": [
                {
                    "product": each.product, "size": each.size, "stock_before": each.before,
                    "stock_after": each.after,
                }
                for each in report.changes[:_CHANGES]
            ],
            "truncated": len(report.changes) > _CHANGES,
            "faults": [self._fault(each) for each in self._faults()],
        }  # fmt: skip

    def tell(self) -> None:
        """The same for a person, with the first changes and the first refused lines."""
        desk, report = self.desk, self.report
        keys = {
            (Form.COUNT, True): "stock.would-count", (Form.COUNT, False): "stock.counted",
            (Form.DELIVERY, True): "stock.would-deliver",
            (Form.DELIVERY, False): "stock.delivered",
        }  # fmt: skip
        about: dict[str, object] = {"file": shown(self.file.name), "book": self.book}
        desk.tell(keys[report.form, self.is_dry], **about)
        if report.unread:
            desk.tell("import.unread", columns=", ".join(map(shown, report.unread)))
        figures = {
            "stock.row.lines": report.lines,
            "stock.row.new-products": report.new_products,
            "stock.row.changed-products": report.changed_products,
            "stock.row.new-sizes": report.new_sizes,
            "stock.row.moved": report.moved,
            "stock.row.same": report.same,
            "stock.row.added": report.up,
            "stock.row.taken": report.down,
            "stock.row.left-out": report.left_out,
            "stock.row.refused": len(report.faults),
        }
        rows = [(desk.say(key), desk.say.number(number)) for key, number in figures.items()]
        desk.table(("column.import-what", "column.import-count"), rows)
        if self.is_dry:
            for each in report.changes[:_SHOWN]:
                named = f"{each.product} {each.size}"
                desk.tell("stock.change", size=named, before=each.before, after=each.after)
            self._more(len(report.changes))
        self._tell_faults()

    def _tell_faults(self) -> None:
        faults = self._faults()
        for each in faults[:_SHOWN]:
            self.desk.note("import.fault", line=each.line, detail=self._said(each))
        self._more(len(faults))
        if faults:
            is_count = self.report.form is Form.COUNT
            self.desk.note("stock.refused-lines" if is_count else "stock.refused-file")

    def _more(self, count: int) -> None:
        if count > _SHOWN:
            self.desk.note("import.more", more=self.desk.say.number(count - _SHOWN))

    def write_refused(self, path: Path) -> None:
        """Write the refused lines as they were, with the reason beside them, to be corrected."""
        faults = self._faults()
        columns = list(dict.fromkeys(column for each in faults for column in each.cells))
        columns = [column for column in columns if column not in ABOUT_REFUSED]
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow([*columns, *ABOUT_REFUSED])
            for each in faults:
                cells = [escaped(each.cells.get(column, "")) for column in columns]
                said = escaped(self._said(each))
                writer.writerow([*cells, str(each.line), each.column or "", said])

    def _faults(self) -> list[Fault]:
        return sorted(self.report.faults, key=lambda each: each.line)

    def _said(self, of: Fault) -> str:
        figures: dict[str, Any] = dict(of.error.figures)
        if "reserved" in figures:
            return self.desk.say("stock.below-reserved", **figures)
        return explain_code(self.desk.say, of.error.code, figures)[0]

    def _fault(self, of: Fault) -> dict[str, object]:
        return {
            "line": of.line,
            "field": of.column,
            "code": of.error.code,
            "detail": self._said(of),
        }
