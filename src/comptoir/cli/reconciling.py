"""`comptoir reconcile`: what was lost between Stripe and the books, found, said and mended."""

from typing import Annotated, Any, Final

import typer

from comptoir.cli.asking import read
from comptoir.cli.desk import Desk, Exit, desk_of, print_json
from comptoir.cli.front import Asked
from comptoir.cli.opening import run_now
from comptoir.web.api.inbox import OPERATIONS

_ROUTE: Final = next(each for each in OPERATIONS if each.path == "/api/admin/reconcile")
_BOOK: Final = "live"  # Stripe does not know of books: all of them are looked at


def reconcile(
    ctx: typer.Context,
    fix: Annotated[bool, typer.Option("--fix", help="option.reconcile-fix")] = False,
    since: Annotated[
        str | None, typer.Option("--since", metavar="WHEN", help="option.reconcile-since")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="option.json")] = False,
) -> Exit:
    """Compare Stripe with the books; exit code 3 if something is left."""
    desk = desk_of(ctx)
    asked = Asked(_ROUTE, {"fix": fix, "since": since})
    report = run_now(read(desk, _BOOK, asked)).body
    left = [each for each in report["findings"] if not each["mended"]]
    if as_json:
        print_json(report)
    else:
        _tell(desk, report, len(left), fix=fix)
    return Exit.NOT_BALANCED if left else Exit.DONE


def _tell(desk: Desk, report: dict[str, Any], left: int, *, fix: bool) -> None:
    looked = {name: desk.say.number(report[name]) for name in ("events", "objects", "payments")}
    desk.tell("reconcile.looked", **looked)
    for each in report["findings"]:
        print(each["words"], flush=True)
    found = len(report["findings"])
    if not found:
        desk.tell("reconcile.nothing")
        return
    figures = {"found": desk.say.number(found), "left": desk.say.number(left)}
    if not left:
        desk.tell("reconcile.all-mended", **figures)
        return
    desk.tell("reconcile.stays" if fix else "reconcile.left", **figures)
