"""Every movement of a customer's own, in words."""

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Final

from comptoir.domains.credits import statement
from comptoir.domains.credits.statement import SHOWN, Entries, Entry
from comptoir.kit.amounts import format_amount
from comptoir.store.pool import TooLong, begin_brief
from comptoir.web.dashboard.look import GUARDED
from comptoir.web.dashboard.tables import cell, number
from comptoir.web.portal.home import Owned, owned
from comptoir.web.portal.visits import HOME, Visit, reading
from comptoir.web.portal.words import told, why
from comptoir.web.replies import Reply, write_time

_ROWS: Final = 50
_FILE_ROWS: Final = 1_000
_HEADINGS: Final = (
    "at", "kind", "change", "balance_after", "on_hold_change", "on_hold_after", "reason",
    "reference",
)  # fmt: skip


async def history(visit: Visit) -> Reply:
    """GET /portal/history."""
    mine = await owned(visit)
    own = next((o for o in mine if o.asset.code == visit.query.get("asset")), mine[0])
    shown = visit.query.get("show", "")
    shown = shown if shown in SHOWN else "all"
    top = own.balance.version + 1
    below = min(number(visit.query.get("below"), top), top)
    is_file = visit.query.get("format") == "csv"
    found, is_slow = Entries((), None), False
    try:
        async with begin_brief(visit.call.app.pool) as tx:
            if own.account:
                place = (visit.who.book, own.account)
                most = _FILE_ROWS if is_file else _ROWS
                found = await statement.entries(tx, place, below, shown, most)
    except TooLong:
        is_slow = True
    more = "" if found.below is None else visit.here(below=str(found.below))
    if is_file and not is_slow:
        return _file(found.rows, own, more)
    return visit.page(
        "history.html", own=own, mine=mine, shown=shown, choices=tuple(SHOWN), rows=found.rows,
        more=more, is_first=below >= top, is_slow=is_slow, told=told, why=why,
    )  # fmt: skip


def _file(rows: Sequence[Entry], own: Owned, more: str) -> Reply:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_HEADINGS)
    for each in rows:
        figures = (each.amount, each.after, each.set_aside, each.held)
        amounts = [format_amount(units, own.asset.scale) for units in figures]
        said = (each.reason or each.hold_reason, each.reference or each.hold_reference)
        line = (write_time(each.at), each.kind.value, *amounts, *said)
        writer.writerow([cell(value) for value in line])
    kept = f'attachment; filename="{own.asset.code}.csv"'
    headers = [*GUARDED, (b"content-disposition", kept.encode("latin-1", "replace"))]
    if more:
        headers.append((b"link", f'<{more}>; rel="next"'.encode("ascii", "replace")))
    return Reply(200, text.getvalue().encode(), b"text/csv; charset=utf-8", headers)


OPERATIONS: Final = (reading(f"{HOME}/history", history),)
