"""Jobs: what waits, runs, is dead; one with all its tries; trying again, and cancelling."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from comptoir.domains.identity import operators
from comptoir.domains.identity.operators import Deed
from comptoir.jobs import overview, queue
from comptoir.jobs.model import ATTEMPTS, Payload, Status, is_type
from comptoir.jobs.overview import Sought
from comptoir.kit.errors import NotFound
from comptoir.store.pool import begin, begin_brief
from comptoir.web.dashboard import tables
from comptoir.web.dashboard.deeds import ReasonForm, deed, fit
from comptoir.web.dashboard.veils import veiled
from comptoir.web.dashboard.visits import HOME, Visit, acting, reading
from comptoir.web.pages.forms import go, own_page
from comptoir.web.pages.look import micros, moment
from comptoir.web.pages.tables import number_of
from comptoir.web.replies import Reply, write_moment

_JOBS: Final = f"{HOME}/jobs"
_RETRY_DEAD: Final = f"{HOME}/dead-jobs/retry"
_HEADINGS: Final = (
    "id", "type", "state", "attempts", "of", "due_at", "ended_at", "error", "subject",
)  # fmt: skip
MOST: Final = 100
"""Dead jobs that one form retries."""

_SUBJECTS: Final = 2
_SUBJECT: Final = 60
_BOUND: Final = 2**62
RETRYABLE: Final = frozenset({Status.DEAD, Status.CANCELLED, Status.FAILED})
CANCELLABLE: Final = frozenset({Status.PENDING, Status.FAILED, Status.RUNNING})


class _Twice(Exception):
    """The same form has acted before."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A job that comes back. Times are microseconds since 1970."""

    type: str
    cron: str
    zone: str
    last: int | None
    job: UUID | None
    next: int | None


async def works(visit: Visit) -> Reply:
    """GET /dashboard/jobs: the newest first."""
    said = visit.query.get("state", "")
    status = Status(said) if said in list(Status) else None
    type_, after = _type(visit.query), visit.query.get("after")
    before = number_of(after, _BOUND)
    sought = Sought(status, type_, before, tables.rows_of(visit))
    async with begin_brief(visit.call.app.pool) as tx:
        page = await overview.listed(tx, visit.book, sought)
        if tables.wants_file(visit):
            return _file(visit, page)
        counts = await overview.counts(tx, visit.book)
        schedule = await _schedule(visit, tx)
    shown = [(each, _most(visit, each.type), subject(each.payload)) for each in page.rows]
    known = {each.type for each in page.rows} | {*visit.call.app.duties.handlers}
    return visit.page(
        "works.html", found=shown, state=status or "", type=type_ or "", looked=page.looked,
        types=sorted(known | ({type_} if type_ else set())), more=_more(visit, page),
        states=[(each, _counted(visit, counts[each])) for each in Status],
        schedule=schedule, retryable=RETRYABLE, cancellable=CANCELLABLE, most=MOST,
        now=visit.call.now,
    )  # fmt: skip


def _type(said: Mapping[str, str]) -> str | None:
    """The type that is asked for; what can be none counts as not said."""
    type_ = said.get("type", "")
    return type_ if is_type(type_) else None


def _counted(visit: Visit, number: int) -> str:
    most = overview.COUNTED
    return visit.look.amount(number) if number <= most else f"{visit.look.amount(most)}+"


def _more(visit: Visit, page: overview.Page) -> str:
    return "" if page.last is None else visit.here(after=str(page.last))


def _file(visit: Visit, page: overview.Page) -> Reply:
    rows = (
        [
            str(each.id), each.type, each.status.value, each.attempts, _most(visit, each.type),
            write_moment(each.due_at), write_moment(each.ended_at), each.error,
            subject(each.payload),
        ]
        for each in page.rows
    )  # fmt: skip
    return tables.file(visit, "jobs", _HEADINGS, rows, _more(visit, page))


def _most(visit: Visit, type_: str) -> int:
    """How often a job is tried, as far as this process knows its handler."""
    handler = visit.call.app.duties.handlers.get(type_)
    return ATTEMPTS if handler is None else handler.attempts


def subject(payload: Payload | None) -> str:
    """What a job is about, in short: the first things that its payload names."""
    said: Mapping[str, Any] = veiled(payload or {})
    named = [f"{name}: {each}" for name, each in said.items() if isinstance(each, str | int)]
    text = ", ".join(islice(named, _SUBJECTS))
    return text if len(text) <= _SUBJECT else f"{text[: _SUBJECT - 1]}…"


async def _schedule(visit: Visit, tx: AsyncConnection) -> Sequence[Slot]:
    """The jobs of this book that come back, as far as this process knows them."""
    known = [each for each in visit.call.app.duties.periodic if each.book == visit.book]
    last = await overview.last_slots(tx, [each.task for each in known])
    now = moment(visit.call.now)
    return [
        Slot(
            each.type, each.cron, each.zone, *last.get(each.task, (None, None)),
            next=next((micros(slot) for slot in each.slots(now)), None),
        )
        for each in known
    ]  # fmt: skip


async def work(visit: Visit) -> Reply:
    """GET /dashboard/jobs/{id}."""
    async with begin_brief(visit.call.app.pool) as tx:
        found = await overview.find(tx, visit.book, _id(visit))
    row = found.row
    return visit.page(
        "work.html", job=row, most=_most(visit, row.type), happened=found.happened,
        payload=_pretty(row.payload),
        result=None if found.result is None else _pretty(found.result),
        may_retry=row.status in RETRYABLE, may_cancel=row.status in CANCELLABLE,
    )  # fmt: skip


def _pretty(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(veiled(value)), indent=2).decode()


async def retry(visit: Visit) -> Reply:
    """POST /dashboard/jobs/{id}/retry."""
    id_ = _id(visit)
    line = _line(visit, "retry-job", str(id_))
    async with begin(visit.call.app.pool) as tx:
        if await operators.note(tx, line):
            await queue.retry_beside(tx, visit.book, id_)
    return _back(visit, f"{_JOBS}/{id_}", "retried")


async def cancel(visit: Visit) -> Reply:
    """POST /dashboard/jobs/{id}/cancel."""
    id_ = _id(visit)
    line = _line(visit, "cancel-job", str(id_))
    async with begin(visit.call.app.pool) as tx:
        if await operators.note(tx, line):
            await queue.cancel_beside(tx, visit.book, id_)
    return _back(visit, f"{_JOBS}/{id_}", "cancelled")


async def retry_dead(visit: Visit) -> Reply:
    """POST /dashboard/dead-jobs/retry: those of a list, the newest first, at most MOST of them."""
    type_ = _type(visit.form)
    line = _line(visit, "retry-jobs", type_ or "jobs")
    before = number_of(visit.form.get("upto"), _BOUND - 1) + 1
    sought = Sought(Status.DEAD, type_, before, MOST)
    done: list[UUID] = []
    try:
        async with begin(visit.call.app.pool) as tx:
            page = await overview.listed(tx, visit.book, sought)
            done = await queue.retry_each(tx, visit.book, [each.id for each in page.rows])
            said = {"jobs": [str(each) for each in done]}
            await _note_once(tx, replace(line, figures=said))
    except _Twice:
        return _back(visit, _JOBS, "retried-all")
    return _back(visit, _JOBS, "retried-all" if done else "retried-none")


async def _note_once(tx: AsyncConnection, line: Deed) -> None:
    """Undo what a form does the second time, which finds other jobs that are dead.

    Raises:
        _Twice: it has acted before.
    """
    if not await operators.note(tx, line):
        raise _Twice


def _line(visit: Visit, action: str, subject_: str) -> Deed:
    """The line of one button: a list has several in one form, and so under one key.

    Raises:
        Unfit: there is no reason, or no key.
    """
    reason = fit(ReasonForm, {"reason": visit.form.get("reason", "")}).reason
    line = deed(visit, action, subject_, reason)
    return replace(line, key=f"{line.key}-{action}-{subject_}")


def _back(visit: Visit, otherwise: str, done: str) -> Reply:
    """To the list from which a button was pressed, or to the job's own page."""
    said = visit.form.get("next")
    address = own_page(HOME, said) if said else otherwise
    return go(f"{address}{'&' if '?' in address else '?'}done={done}")


def _id(visit: Visit) -> UUID:
    try:
        return UUID(visit.call.part("id"))
    except ValueError:
        raise NotFound("job-not-found") from None


OPERATIONS: Final = (
    reading(_JOBS, works),
    reading(f"{_JOBS}/{{id}}", work),
    acting(_RETRY_DEAD, retry_dead),
    acting(f"{_JOBS}/{{id}}/retry", retry),
    acting(f"{_JOBS}/{{id}}/cancel", cancel),
)
