"""Load, apply, write: how requests meet the database, inside of a transaction that is given.

The work is written once, as a generator of rounds of statements: whoever drives it sends each
round through one pipeline and hands back the rows. So the group commit, a caller's own
transaction, async and sync all share one semantic.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, LiteralString, cast

from psycopg import AsyncConnection, AsyncCursor, Connection, Cursor
from psycopg.rows import tuple_row

from comptoir.ledger.apply import apply
from comptoir.ledger.model import Account, Answer, Book, Lot, Target
from comptoir.ledger.outcomes import STICKY
from comptoir.ledger.plan import Plan, plan
from comptoir.ledger.requests import (
    Capture,
    Chain,
    Hold,
    Release,
    Renew,
    Settle,
    Transfer,
    Work,
)
from comptoir.store import rows, sql
from comptoir.store.facts import Facts
from comptoir.store.gate import explained
from comptoir.store.rows import Row, Statement
from comptoir.store.touched import Changed, note

LOT_PREFIX: Final = 8
"""Lots that are loaded of every account at first; more only when these do not cover the need."""

_PART: Final = 128
"""Chains that are decided before PostgreSQL is sent what they make, and works on it meanwhile."""

Round = list[Statement]
Results = list[list[Row]]
Rounds = Generator[Round, Results]
Clock = Callable[[int], int]
"""What counts as now when the database's clock shows so many microseconds."""


def database_time(now: int) -> int:
    """The database's own time: the only clock but a test's."""
    return now


@dataclass(slots=True)
class Admission:
    """What became of some chains.

    Attributes:
        answers: for every chain its answers, or the id of the account that somebody else had
            locked, so that nothing of the chain was decided.
        writes: the statements that are still to be run, in the same transaction. Chains are
            decided, and answers added, while they are asked for.
        changed: the accounts that they change.
    """

    answers: list[list[Answer] | int]
    writes: Iterable[Statement]
    changed: Changed


@dataclass(slots=True)
class _Places:
    """Where holds are: the accounts to lock, and the other holds of their groups."""

    accounts: dict[bytes, tuple[int, ...]] = field(default_factory=dict[bytes, tuple[int, ...]])
    ids: set[bytes] = field(default_factory=set[bytes])
    groups: dict[bytes, list[bytes]] = field(default_factory=dict[bytes, list[bytes]])


class MayBeKnown(Exception):
    """An answer would not be stored, so that its id, if it was decided before, would not clash."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the database is read before anything is decided.

    Attributes:
        lock: the statement that locks accounts: sql.LOCK waits, sql.LOCK_FREE passes over what
            somebody else has locked.
        avoid: accounts to treat as locked by somebody else.
        seen: how ids are found that were decided before: sql.SEEN looks them up; with sql.UNSEEN
            the writes end in a UniqueViolation, or in MayBeKnown, when there may be any.
    """

    lock: str
    avoid: frozenset[int] = frozenset()
    seen: str = sql.SEEN


WAITING: Final = Reading(sql.LOCK)
"""For a transaction that decides whatever it is asked, however long others hold its accounts."""


def admit(
    book_id: int,
    facts: Facts,
    work: Sequence[Work],
    reading: Reading,
    clock: Clock = database_time,
) -> Generator[Round, Results, Admission]:
    """Decide requests on what the database holds; the last writes are left to the caller.

    Args:
        book_id: the book of all the requests.
        facts: the assets of that book.
        work: chains, in the order in which they are to be decided.
        reading: how accounts are locked, and ids looked up.
        clock: tests pass one that they set themselves.
    """
    needs = plan(work)
    places = _in_batch(work)
    if needs.holds:
        yield from _place(book_id, needs, places)
    for account in reading.avoid:
        needs.demand.pop(account, None)
    book = Book(assets=facts.open_accounts, breakage=facts.breakage)
    is_looked_up = reading.seen == sql.SEEN
    locked: Round = [
        (reading.lock, (book_id, rows.wholes(sorted(needs.demand)))),
        (reading.seen, (book_id, rows.octets(needs.ids)) if is_looked_up else ()),
    ]
    forget, now = yield from _load(book_id, book, needs, places, locked, clock)
    # Whoever waits for locks meets no busy account; one that is missing does not exist.
    waits = reading.lock == sql.LOCK
    busy = [None if waits else _busy_account(chain, places, book) for chain in work]
    answers: list[list[Answer] | int] = []
    decided = _decide(book, list(zip(work, busy, strict=True)), now, answers)
    if not is_looked_up:
        decided = _all_stored(decided, answers)
    changed = Changed(book_id, book.dirty_accounts)
    return Admission(answers, _write(book_id, book, forget, decided), changed)


def _decide(
    book: Book,
    work: Sequence[tuple[Work, int | None]],
    now: int,
    answers: list[list[Answer] | int],
) -> Iterator[None]:
    """Decide part after part, and add the answers; each part's effects are then in the book."""
    for start in range(0, len(work), _PART):
        part = work[start : start + _PART]
        decided = iter(apply(book, [chain for chain, busy in part if busy is None], now))
        answers.extend(next(decided) if busy is None else busy for _, busy in part)
        yield


def _all_stored(decided: Iterator[None], answers: list[list[Answer] | int]) -> Iterator[None]:
    """The same parts.

    Raises:
        MayBeKnown: an answer is not stored.
    """
    done = 0
    for _ in decided:
        for each in answers[done:]:
            if isinstance(each, list) and not all(answer.outcome in STICKY for answer in each):
                raise MayBeKnown
        done = len(answers)
        yield


def _write(
    book_id: int, book: Book, forget: list[bytes], decided: Iterator[None]
) -> Iterator[Statement]:
    yield from rows.forget(book_id, forget)
    for _ in decided:
        yield from rows.made(book_id, book)
    yield from rows.changed(book_id, book)


def _in_batch(work: Sequence[Work]) -> _Places:
    """The places of holds that the same requests make."""
    places = _Places()
    for chain in work:
        made = [request for request in chain if isinstance(request, Hold)]
        accounts = tuple(request.account for request in made)
        for request in made:
            places.accounts[request.id] = accounts
    return places


def _place(book_id: int, needs: Plan, places: _Places) -> Rounds:
    asked = rows.octets(sorted(needs.holds))
    [found] = yield [(sql.HOLD_PLACES, (book_id, asked))]
    groups = {row[2] for row in found if row[2] is not None}
    mates: list[Row] = []
    if groups:
        [mates] = yield [(sql.GROUP_PLACES, (book_id, rows.octets(sorted(groups))))]
    for id_, account, group in found:
        members = [row for row in mates if row[2] == group] if group else []
        places.accounts[id_] = (account, *(row[1] for row in members))
        places.ids.update([id_, *(row[0] for row in members)])
        if group:
            places.groups[group] = [row[0] for row in members]
    for id_, most in needs.holds.items():
        for account in places.accounts.get(id_, ()):
            needs.need(account, most)


def _load(
    book_id: int, book: Book, needs: Plan, places: _Places, locked: Round, clock: Clock
) -> Generator[Round, Results, tuple[list[bytes], int]]:
    first = [*locked, _first_lots(book_id, needs)]
    if places.ids:
        named = rows.octets(sorted(places.ids))
        first.append((sql.HOLDS_NAMED, (book_id, named)))
        first.append((sql.LOTS_PINNED, (book_id, named)))
    if needs.grants:
        first.append(_equal_lots(book_id, needs))
    accounts, seen, lots, *more = yield first
    for row in accounts:
        account = rows.account(row)
        book.accounts[account.id] = account
    now = clock(seen[0][0])
    if places.ids:
        _add_holds(book, more.pop(0), places)
    _add_lots(book, [lots, *more])
    forget = yield from _load_rest(book_id, book, needs, now, seen)
    for account in book.accounts.values():
        if len(account.lots) > 1:
            account.lots.sort(key=_rank)
    return forget, now


def _first_lots(book_id: int, needs: Plan) -> Statement:
    """One account is looked up by a statement that takes half as long to start."""
    if len(needs.demand) == 1:
        return sql.LOTS_OF_ONE, (book_id, next(iter(needs.demand)), LOT_PREFIX)
    return sql.LOTS_FIRST, (rows.wholes(sorted(needs.demand)), book_id, LOT_PREFIX)


def _equal_lots(book_id: int, needs: Plan) -> Statement:
    grants = sorted(needs.grants, key=str)
    return sql.LOTS_EQUAL, (
        rows.wholes([account for account, _, _, _ in grants]),
        [source for _, source, _, _ in grants],
        rows.wholes([priority for _, _, priority, _ in grants]),
        rows.numbers([until for _, _, _, until in grants]),
        book_id,
    )


def _load_rest(
    book_id: int, book: Book, needs: Plan, now: int, seen: list[Row]
) -> Generator[Round, Results, list[bytes]]:
    """What is needed only at times: stored answers, due expiries, long lists of lots, reversals.

    Returns:
        The ids of refusals that are too old to count.
    """
    rest: Round = []
    known = [row[1] for row in seen if row[1] is not None]
    if known:
        rest.append((sql.KNOWN, (book_id, rows.octets(known))))
    # A transfer happens at the latest time of its two accounts, and what is due by then goes first.
    until = max([now, *(account.at for account in book.accounts.values())])
    due = [a for a in book.accounts.values() if a.next_expiry and a.next_expiry <= until]
    if due:
        ids = rows.wholes([account.id for account in due])
        rest.append((sql.HOLDS_DUE, (book_id, ids, until)))
        rest.append((sql.LOTS_DUE, (book_id, ids, until)))
    short = [a.id for a in book.accounts.values() if _is_short(a, needs.demand.get(a.id, 0), now)]
    targets = sorted(needs.targets)
    if short:
        rest.append((sql.LOTS_ALL, (book_id, rows.wholes(short))))
    if targets:
        columns = [rows.wholes(column) for column in zip(*targets, strict=True)]
        rest.append((sql.TARGETS, (*columns, book_id)))
        rest.append((sql.TAKEN, (*columns, book_id)))
    if not rest:
        return []
    results = yield rest
    forget = _add_known(book, results.pop(0), now) if known else []
    if due:
        yield from _add_due(book_id, book, results.pop(0))
        _add_lots(book, [results.pop(0)])
    if short:
        _add_lots(book, [results.pop(0)])
    if targets:
        yield from _add_targets(book_id, book, *results)
    return forget


def _is_short(account: Account, demand: int, now: int) -> bool:
    """Whether the prefix of its lots may not cover what is asked; expired lots cover nothing."""
    prefix = account.lots[:LOT_PREFIX]
    if len(prefix) < LOT_PREFIX:
        return False
    at = max(now, account.at)
    living = (lot for lot in prefix if lot.expires_at is None or lot.expires_at > at)
    return sum(lot.free for lot in living) < demand


def _add_known(book: Book, known: list[Row], now: int) -> list[bytes]:
    """Remember stored answers; returns the ids of refusals that are too old to count."""
    forget: list[bytes] = []
    for row in known:
        answer = rows.known(row, now)
        if answer is None:
            forget.append(row[0])
        else:
            book.known[answer.id] = answer
    return forget


def _add_holds(book: Book, found: list[Row], places: _Places) -> None:
    for row in found:
        held = rows.held(row)
        book.holds[held.id] = held
    for group, members in places.groups.items():
        book.groups[group] = [book.holds[id_] for id_ in members if id_ in book.holds]


def _add_lots(book: Book, results: Iterable[list[Row]]) -> None:
    """Add lots to their accounts, each once, whichever statement found it."""
    seen = {(a.id, lot.no) for a in book.accounts.values() for lot in a.lots}
    for found in results:
        for row in found:
            owner, lot = rows.lot(row)
            account = book.accounts.get(owner)
            if account is not None and (owner, lot.no) not in seen:
                seen.add((owner, lot.no))
                account.lots.append(lot)


def _add_due(book_id: int, book: Book, found: list[Row]) -> Rounds:
    """Add holds that are due, and the lots that they pin."""
    for row in found:
        due = rows.held(row)
        due = book.holds.setdefault(due.id, due)
        book.accounts[due.account].due.append(due)
    pins = [(a.id, no) for a in book.accounts.values() for due in a.due for no, _ in due.pins]
    if pins:
        columns = [rows.wholes(column) for column in zip(*pins, strict=True)]
        [lots] = yield [(sql.LOTS_NAMED, (*columns, book_id))]
        _add_lots(book, [lots])


def _add_targets(book_id: int, book: Book, found: list[Row], taken: list[Row]) -> Rounds:
    """Add movements to undo, with every lot that they changed, open or not."""
    lines = [(rows.line(row), bool(row[-1])) for row in found]
    named = sorted({(line.account, no) for line, _ in lines for no in line.lots})
    lots: dict[tuple[int, int], Lot] = {
        (a.id, lot.no): lot for a in book.accounts.values() for lot in a.lots
    }
    missing = [each for each in named if each not in lots]
    if missing:
        columns = [rows.wholes(column) for column in zip(*missing, strict=True)]
        [more] = yield [(sql.LOTS_NAMED, (*columns, book_id))]
        for owner, lot in map(rows.lot, more):
            lots[owner, lot.no] = lot
            if lot.left > 0 and owner in book.accounts:
                book.accounts[owner].lots.append(lot)
    for line, was_reversed in lines:
        own = {no: lots[line.account, no] for no in line.lots}
        book.targets[line.account, line.version] = Target(line, own, was_reversed)
    for line in map(rows.line, taken):
        assert line.reverses is not None, "it was found by what it undoes"
        book.targets[line.account, line.reverses].taken.append(line)


def _rank(lot: Lot) -> tuple[int, float, int]:
    return lot.rank


def _busy_account(chain: Work, places: _Places, book: Book) -> int | None:
    """The first account of a chain that is not locked by us."""
    for request in chain:
        for account in _accounts(request, places):
            if account not in book.accounts:
                return account
    return None


def _accounts(request: object, places: _Places) -> tuple[int, ...]:
    match request:
        case Capture() | Release() | Renew():
            return places.accounts.get(request.hold, ())
        case Transfer():
            return (request.account, request.target)
        case _:
            return (cast("Any", request).account,)


async def execute(
    tx: AsyncConnection[Any],
    book_id: int,
    facts: Facts,
    chains: Sequence[Chain],
    clock: Clock = database_time,
) -> list[list[Answer]]:
    """Decide chains inside of the caller's open transaction, together with his own rows.

    Waits for rows that others have locked. Nothing is committed here.

    Raises:
        psycopg.errors.DeadlockDetected: the caller's transaction must be repeated as a whole.
        Unavailable: the books are moving, or have moved.
    """
    rounds = admit(book_id, facts, chains, WAITING, clock)
    with explained():
        admission = await drive(tx, rounds)
    return _answers(admission)


async def settle_now(
    tx: AsyncConnection[Any],
    book_id: int,
    facts: Facts,
    account: Settle,
    clock: Clock = database_time,
) -> None:
    """Write the expiries of an account that are due, inside of the caller's open transaction."""
    with explained():
        await drive(tx, admit(book_id, facts, [(account,)], WAITING, clock))


def execute_sync(
    tx: Connection[Any],
    book_id: int,
    facts: Facts,
    chains: Sequence[Chain],
    clock: Clock = database_time,
) -> list[list[Answer]]:
    """What `execute` does, for a connection without async."""
    rounds = admit(book_id, facts, chains, WAITING, clock)
    wanted = next(rounds)
    while True:  # bounded: an admission has a handful of rounds
        results = _run_sync(tx, wanted)
        try:
            wanted = rounds.send(results)
        except StopIteration as stop:
            admission: Admission = stop.value
            break
    with explained():
        _run_sync(tx, admission.writes)
    note(tx, admission.changed)
    return _answers(admission)


def _answers(admission: Admission) -> list[list[Answer]]:
    """Whoever waits for locks gets an answer to everything."""
    return [answers for answers in admission.answers if isinstance(answers, list)]


async def drive(
    connection: AsyncConnection[Any], rounds: Generator[Round, Results, Admission]
) -> Admission:
    """Run the rounds of an admission, and then its writes."""
    wanted = next(rounds)
    while True:  # bounded: an admission has a handful of rounds
        results = await run(connection, wanted)
        try:
            wanted = rounds.send(results)
        except StopIteration as stop:
            admission: Admission = stop.value
            break
    await run(connection, admission.writes)
    note(connection, admission.changed)
    return admission


async def run(
    connection: AsyncConnection[Any],
    wanted: Iterable[Statement],
) -> Results:
    """Send statements through one pipeline and fetch what they select.

    Cursors are made here, not by the connection: a caller's own may make other rows than tuples.
    """
    cursors: list[AsyncCursor[Row]] = []
    async with connection.pipeline():
        for text, parameters in wanted:
            cursor = AsyncCursor(connection, row_factory=tuple_row)
            await cursor.execute(cast("LiteralString", text), parameters, prepare=True)
            cursors.append(cursor)
    return [await each.fetchall() if each.description else [] for each in cursors]


def _run_sync(connection: Connection[Any], wanted: Iterable[Statement]) -> Results:
    cursors: list[Cursor[Row]] = []
    with connection.pipeline():
        for text, parameters in wanted:
            cursor = Cursor(connection, row_factory=tuple_row)
            cursor.execute(cast("LiteralString", text), parameters, prepare=True)
            cursors.append(cursor)
    return [each.fetchall() if each.description else [] for each in cursors]
