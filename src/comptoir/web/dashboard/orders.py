"""Orders and reservations: how far they have come, and all that is known of one of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.identity.queries import customer_by_id
from comptoir.domains.payments import overview as money
from comptoir.domains.payments import queries as paid
from comptoir.domains.payments.model import Payment, Refund
from comptoir.domains.stock import overview, queries
from comptoir.domains.stock.model import Line, Order, OrderStatus, Origin
from comptoir.domains.stock.overview import FIRST, Listed, Place, ReservedAfter, Sought
from comptoir.kit.errors import NotFound
from comptoir.kit.ids import movement_name
from comptoir.kit.limits import DAY
from comptoir.store.pool import begin_brief
from comptoir.web import words_payments
from comptoir.web.api.selling import named
from comptoir.web.dashboard import tables
from comptoir.web.dashboard.visits import HOME, Visit, reading
from comptoir.web.pages.tables import number_of
from comptoir.web.replies import Reply, write_moment, write_time

ORDERS: Final = f"{HOME}/orders"
MISSING: Final = "order-not-found"
RETURNED_AT_ONCE: Final = 20
"""Lines of one form for what came back."""

_RESERVATIONS: Final = f"{HOME}/reservations"
_WINDOWS: Final = {"24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY}
_USUAL: Final = "30d"
_FILTERS: Final = ("customer", "product", "paid_from", "paid_to")
_LINES: Final = 3
_CASES: Final = 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HEADINGS: Final = (
    "id", "number", "reference", "sold_by", "made_at", "customer", "email", "lines", "amount",
    "currency", "status", "set_aside_until", "paid_at", "delivered_at", "ended_at",
)  # fmt: skip
_RESERVED: Final = (
    "order", "reference", "product", "size", "quantity", "customer", "email", "made_at",
    "set_aside_until",
)  # fmt: skip


def address_of(id_: UUID) -> str:
    """Where the page of an order is."""
    return f"{ORDERS}/{id_}"


async def orders(visit: Visit) -> Reply:
    """GET /dashboard/orders: how far those of a time have come, and the newest first.

    How far they have come is of all of that time: it is left out where only some are wanted, and of
    files.
    """
    limit, window = tables.rows_of(visit), _window(visit)
    first = FIRST
    if window in _WINDOWS:
        first = overview.first_since(visit.call.now - _WINDOWS[window])
    customer, is_known = await _customer(visit)
    async with begin_brief(visit.call.app.pool) as tx:
        is_whole = not _wants_some(visit) and not tables.wants_file(visit)
        funnel = await overview.funnel(tx, visit.book, first) if is_whole else None
        sought = Sought(
            limit, _place(visit), first, _status(visit), customer, visit.query.get("product"),
            _paid(visit),
        )  # fmt: skip
        page = overview.Page((), None, 0)
        if is_known:
            page = await overview.orders(tx, visit.book, sought)
        ids = [each.id for each in page.orders]
        lines = await overview.first_lines(tx, visit.book, ids, _LINES + 1)
    more = visit.here(after=f"{page.after[0]}.{page.after[1]}") if page.after else ""
    if tables.wants_file(visit):
        rows = (_row(visit, each, lines.get(each.id, [])) for each in page.orders)
        return tables.file(visit, "orders", _HEADINGS, rows, more)
    found = [(each, _words(visit, lines.get(each.id, []))) for each in page.orders]
    return visit.page(
        "orders.html", found=found, more=more, funnel=funnel, page=page, now=visit.call.now,
        window=window, windows=(*_WINDOWS, "all"), chosen=sought.status,
        statuses=tuple(OrderStatus), is_narrow=sought.is_narrow,
    )  # fmt: skip


def _window(visit: Visit) -> str:
    """Whoever asks for somebody, something or some days wants them however long ago it was."""
    said = visit.query.get("window", "")
    if said in (*_WINDOWS, "all"):
        return said
    return "all" if _wants_some(visit) else _USUAL


def _wants_some(visit: Visit) -> bool:
    return any(visit.query.get(each) for each in _FILTERS)


def _status(visit: Visit) -> OrderStatus | None:
    said = visit.query.get("status", "")
    return OrderStatus(said) if said in list(OrderStatus) else None


async def _customer(visit: Visit) -> tuple[int | None, bool]:
    """Whose orders are wanted, and whether there is such a customer."""
    said = visit.query.get("customer", "").strip()
    if not said:
        return None, True
    found = await visit.call.app.directory.find_customer(visit.book, said)
    return found, found is not None


def _paid(visit: Visit) -> tuple[int, int] | None:
    since, until = _day(visit.query.get("paid_from")), _day(visit.query.get("paid_to"))
    if since is None and until is None:
        return None
    return since or 0, visit.call.now + DAY if until is None else until + DAY


def _day(said: str | None) -> int | None:
    """The beginning of a day of the address, in UTC; what is none counts as not said."""
    try:
        day = datetime.strptime(said or "", "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    micros = (day - _EPOCH) // timedelta(microseconds=1)
    return micros if 0 <= micros < _FAR else None


_FAR: Final = 2**52


def _place(visit: Visit) -> Place | None:
    at, _, id_ = visit.query.get("after", "").partition(".")
    micros = number_of(at, -1)
    try:
        return (micros, UUID(id_)) if 0 <= micros < _FAR else None
    except ValueError:
        return None


def _words(visit: Visit, lines: Sequence[tuple[str, str, int]]) -> str:
    said = [f"{visit.look.amount(n)} × {product} {size}" for product, size, n in lines[:_LINES]]
    return ", ".join(said) + (", …" if len(lines) > _LINES else "")


def _row(visit: Visit, of: Listed, lines: Sequence[tuple[str, str, int]]) -> list[object]:
    return [
        str(of.id), of.number, of.reference, of.origin.value, write_time(of.created_at),
        of.customer, of.email, _words(visit, lines), of.amount, of.currency, of.status.value,
        write_time(of.expires_at), write_moment(of.paid_at), write_moment(of.fulfilled_at),
        write_moment(of.ended_at),
    ]  # fmt: skip


async def order(visit: Visit) -> Reply:
    """GET /dashboard/orders/{id}."""
    return visit.page("order.html", **await _known(visit))


async def live(visit: Visit) -> Reply:
    """GET /dashboard/orders/{id}/live: what is asked for again and again.

    What may be done comes along when the order is not any more what the page has seen.
    """
    known = await _known(visit)
    return visit.page("order_live.html", **known, has_changed="seen" in visit.query
                      and visit.query["seen"] != known["seen"])  # fmt: skip


async def _known(visit: Visit) -> dict[str, Any]:
    """All that is known of the order that the path names.

    Raises:
        NotFound: the book has none of that id.
    """
    id_, book = named(visit.call.part("id"), MISSING), visit.book
    async with begin_brief(visit.call.app.pool) as tx:
        found = await queries.order(tx, book, id_)
        lines = await queries.lines_of(tx, found)
        buyer = await buyer_of(tx, found)
        payment = await payment_of(tx, found)
        refunds = [] if payment is None else await paid.refunds(tx, payment)
        disputes = [] if payment is None else await paid.disputes(tx, payment)
        about = [
            str(id_), *(each.provider_id for each in disputes),
            *(each.provider_id for each in refunds if each.provider_id),
        ]  # fmt: skip
        kinds = words_payments.CASE_KINDS
        cases = await money.cases_about(tx, book, kinds, about, _CASES)
        story = await overview.story(tx, found, lines, [each.id for each in refunds])
    left = 0 if payment is None else left_of(payment, refunds)
    return {
        "order": found, "lines": lines, "buyer": buyer, "payment": payment, "refunds": refunds,
        "disputes": disputes, "story": story, "name_of": movement_name, "home": address_of(id_),
        "cases": [(each, words_payments.case(each.kind, visit.look.language)) for each in cases],
        "now": visit.call.now, "left": left, "is_ours": found.origin is Origin.CHECKOUT,
        "seen": f"{found.status}.{left}.{sum(each.returned for each in lines)}",
        "back": back_of(visit, found, lines),
    }  # fmt: skip


async def buyer_of(tx: AsyncConnection, of: Order) -> str | None:
    """The buyer's own id; None for a guest, and for who was erased."""
    if of.customer is None:
        return None
    try:
        return (await customer_by_id(tx, of.book, of.customer)).customer
    except NotFound:
        return None


async def payment_of(tx: AsyncConnection, of: Order) -> Payment | None:
    """The payment of an order; None where its caller is paid."""
    if of.origin is not Origin.CHECKOUT:
        return None
    try:
        return await paid.find(tx, of.book, of.id)
    except NotFound:
        return None


def left_of(payment: Payment, refunds: Sequence[Refund]) -> int:
    """What can still go back of a payment, in minor units."""
    return (payment.received or 0) - sum(each.amount for each in refunds if each.stands)


def back_of(visit: Visit, of: Order, lines: Sequence[Line]) -> Sequence[Line]:
    """The lines of which something may still come back: as many as a form has room for."""
    if of.origin is not Origin.CHECKOUT or of.number is None:
        return ()
    first = number_of(visit.query.get("line"), 0)
    return [each for each in lines if each.left and each.no >= first][: RETURNED_AT_ONCE + 1]


async def reservations(visit: Visit) -> Reply:
    """GET /dashboard/reservations: what ends first comes first."""
    limit, product = tables.rows_of(visit), visit.query.get("product") or None
    async with begin_brief(visit.call.app.pool) as tx:
        found, last = await overview.reserved(tx, visit.book, product, limit, _reserved(visit))
    more = visit.here(after=f"{last.expires_at}.{last.order}.{last.no}") if last else ""
    if tables.wants_file(visit):
        rows = (
            [
                str(each.order), each.reference, each.product, each.size, each.quantity,
                each.customer, each.email, write_time(each.created_at), write_time(each.expires_at),
            ]
            for each in found
        )  # fmt: skip
        return tables.file(visit, "reservations", _RESERVED, rows, more)
    return visit.page(
        "reservations.html", reserved=found, product=product, more=more, now=visit.call.now
    )  # fmt: skip


def _reserved(visit: Visit) -> ReservedAfter | None:
    at, _, rest = visit.query.get("after", "").partition(".")
    id_, _, line = rest.partition(".")
    micros, no = number_of(at, -1), number_of(line, -1)
    try:
        is_place = 0 <= micros < _FAR and 0 <= no < _MOST
        return ReservedAfter(micros, UUID(id_), no) if is_place else None
    except ValueError:
        return None


_MOST: Final = 2**31


OPERATIONS: Final = (
    reading(ORDERS, orders),
    reading(f"{ORDERS}/{{id}}", order),
    reading(f"{ORDERS}/{{id}}/live", live),
    reading(_RESERVATIONS, reservations),
)
