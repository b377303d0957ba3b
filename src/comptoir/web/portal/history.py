"""Every movement of a customer's own, in words."""

from typing import Final

from comptoir.domains.credits import statement
from comptoir.domains.credits.statement import SHOWN, Entries, Entry
from comptoir.kit.amounts import format_amount
from comptoir.store.pool import TooLong, begin_brief
from comptoir.web.pages.tables import number_of, sheet
from comptoir.web.portal.home import owned
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
    below = min(number_of(visit.query.get("below"), top), top)
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
        rows = (_line(each, own.asset.scale) for each in found.rows)
        return sheet(own.asset.code, _HEADINGS, rows, more)
    return visit.page(
        "history.html", own=own, mine=mine, shown=shown, choices=tuple(SHOWN), rows=found.rows,
        more=more, is_first=below >= top, is_slow=is_slow, told=told, why=why,
    )  # fmt: skip


def _line(of: Entry, scale: int) -> tuple[object, ...]:
    figures = (of.amount, of.after, of.set_aside, of.held)
    amounts = [format_amount(units, scale) for units in figures]
    said = (of.reason or of.hold_reason, of.reference or of.hold_reference)
    return write_time(of.at), of.kind.value, *amounts, *said


OPERATIONS: Final = (reading(f"{HOME}/history", history),)
