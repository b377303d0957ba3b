"""Every statement of the ledger's tables. Times cross as microseconds, ids as 16 bytes.

Statements work on whole batches: a column a parameter, each an array literal in text form, which
is quicker to make in Python than psycopg's lists and as quick for PostgreSQL to read.
"""

import re
from functools import cache
from typing import Final

_ACCOUNT: Final = """a.id, a.asset_id, a.posted, a.held, a.debt, a.floor, a.filled, a.version,
    a.lots_made, a.open_lots, comptoir.micros(a.next_expiry), comptoir.micros(a.at), a.anonymous,
    a.level, a.low_at"""

_LOT: Final = """l.account_id, l.no, l.source, l.priority, comptoir.micros(l.expires_at), l.granted,
    l.remaining, l.pinned, l.plain, l.lapsed, l.paid, l.tax, l.currency, l.version"""

_HELD: Final = """h.id, h.account_id, h.contra_id, h.amount, h.captured, h.state, h.on_excess,
    comptoir.micros(h.expires_at), h.group_id, h.pin_lots, h.pin_parts, h.opened, h.closed,
    comptoir.micros(h.at)"""

_LINE: Final = """m.account_id, m.version, m.contra_id, m.amount, m.posted, m.held, m.debt,
    m.filled, m.kind, comptoir.micros(m.at), m.request_id, m.lots, m.parts, m.hold_id, m.reverses"""

_LOCK: Final = f"""
SELECT {_ACCOUNT} FROM comptoir.accounts a
WHERE a.book_id = %s AND a.id = ANY(%s::bigint[]) AND a.bounded
ORDER BY a.id FOR NO KEY UPDATE OF a"""

LOCK: Final = _LOCK
LOCK_FREE: Final = f"{_LOCK} SKIP LOCKED"

READ_ACCOUNT: Final = f"""
SELECT {_ACCOUNT}, comptoir.micros(clock_timestamp()) FROM comptoir.accounts a
WHERE a.book_id = %s AND a.id = ANY(%s::bigint[]) AND a.bounded"""

SEEN: Final = """
SELECT comptoir.micros(clock_timestamp()), r.id FROM (SELECT) one
LEFT JOIN comptoir.requests r ON r.book_id = %s AND r.id = ANY(%s::bytea[])"""
"""The database's time, read after the locks, and which ids were decided before: usually none."""

UNSEEN: Final = "SELECT comptoir.micros(clock_timestamp()), NULL"
"""The database's time alone, where whoever writes an id that was decided before fails."""

KNOWN: Final = f"""
SELECT r.id, r.mark, r.op, r.outcome, r.account_id,
    comptoir.micros(r.at), comptoir.micros(r.expires_at), r.captured, r.late, r.needed,
    r.available, h.amount, x.version IS NOT NULL, {_LINE}, {_LINE.replace("m.", "x.")}
FROM comptoir.requests r
LEFT JOIN comptoir.movements m
    ON (m.book_id, m.account_id, m.version) = (r.book_id, r.account_id, r.version)
LEFT JOIN comptoir.holds h ON (h.book_id, h.id) = (m.book_id, m.hold_id)
LEFT JOIN LATERAL (
    SELECT * FROM comptoir.movements
    WHERE (book_id, account_id, version) = (r.book_id, m.contra_id, r.mirror_version) LIMIT 1
) x ON true
WHERE r.book_id = %s AND r.id = ANY(%s::bytea[])"""
"""LIMIT keeps the planner from merging the mirrored lines with the journal of the whole book."""

LOTS_OF_ONE: Final = f"""
SELECT {_LOT} FROM comptoir.lots l WHERE l.book_id = %s AND l.account_id = %s AND l.open
ORDER BY l.book_id, l.account_id, l.priority, l.expires_at, l.no LIMIT %s"""

LOTS_FIRST: Final = f"""
SELECT {_LOT} FROM unnest(%s::bigint[]) AS want(id)
CROSS JOIN LATERAL (
    SELECT * FROM comptoir.lots
    WHERE book_id = %s AND account_id = want.id AND open
    ORDER BY book_id, account_id, priority, expires_at, no LIMIT %s
) l"""

LOTS_ALL: Final = f"""
SELECT {_LOT} FROM comptoir.lots l
WHERE l.book_id = %s AND l.account_id = ANY(%s::bigint[]) AND l.open"""

LOTS_EQUAL: Final = f"""
SELECT {_LOT}
FROM unnest(%s::bigint[], %s::text[], %s::smallint[], %s::bigint[]) AS want(id, src, prio, until)
CROSS JOIN LATERAL (
    SELECT * FROM comptoir.lots o
    WHERE o.book_id = %s AND o.account_id = want.id AND o.open AND o.priority = want.prio
        AND o.plain AND NOT o.lapsed AND o.source = want.src
        AND o.expires_at IS NOT DISTINCT FROM comptoir.moment(want.until)
    LIMIT 1
) l"""

LOTS_NAMED: Final = f"""
SELECT {_LOT} FROM unnest(%s::bigint[], %s::integer[]) AS want(id, no)
JOIN comptoir.lots l ON l.book_id = %s AND l.account_id = want.id AND l.no = want.no"""

LOTS_PINNED: Final = f"""
SELECT {_LOT} FROM comptoir.holds h
CROSS JOIN LATERAL unnest(h.pin_lots) AS pin(no)
JOIN comptoir.lots l ON l.book_id = h.book_id AND l.account_id = h.account_id AND l.no = pin.no
WHERE h.book_id = %s AND h.id = ANY(%s::bytea[])"""

LOTS_DUE: Final = f"""
SELECT {_LOT} FROM comptoir.lots l
WHERE l.book_id = %s AND l.account_id = ANY(%s::bigint[]) AND l.open AND NOT l.lapsed
    AND l.expires_at <= comptoir.moment(%s)"""

HOLDS_NAMED: Final = f"""
SELECT {_HELD} FROM comptoir.holds h WHERE h.book_id = %s AND h.id = ANY(%s::bytea[])"""

HOLDS_DUE: Final = f"""
SELECT {_HELD} FROM comptoir.holds h
WHERE h.book_id = %s AND h.account_id = ANY(%s::bigint[]) AND h.state = 'open'
    AND h.expires_at <= comptoir.moment(%s)"""

HOLDS_OPEN: Final = f"""
SELECT {_HELD} FROM comptoir.holds h
WHERE h.book_id = %s AND h.account_id = %s AND h.state = 'open'"""

HOLDS_THEN: Final = f"""
SELECT {_HELD}, h.first_lots, h.first_parts FROM comptoir.holds h
WHERE h.book_id = %s AND h.account_id = %s AND h.opened <= %s
    AND (h.closed IS NULL OR h.closed > %s)
    AND (h.expires_at IS NULL OR h.expires_at > comptoir.moment(%s))"""
"""The holds that were open at a version, and what they pinned at first.

One that expired and was captured late is closed by its capture, so its expiry is asked as well."""

HOLD_PLACES: Final = """
SELECT h.id, h.account_id, h.group_id FROM comptoir.holds h
WHERE h.book_id = %s AND h.id = ANY(%s::bytea[])"""

GROUP_PLACES: Final = """
SELECT h.id, h.account_id, h.group_id FROM comptoir.holds h
WHERE h.book_id = %s AND h.group_id = ANY(%s::bytea[])
ORDER BY h.group_id, h.opened, h.account_id, h.id"""

TARGETS: Final = f"""
SELECT {_LINE}, EXISTS (
    SELECT FROM comptoir.movements u
    WHERE u.book_id = m.book_id AND u.account_id = m.account_id AND u.reverses = m.version
        AND u.kind = 'reversal'
) FROM unnest(%s::bigint[], %s::bigint[]) AS want(id, version)
JOIN comptoir.movements m
    ON m.book_id = %s AND m.account_id = want.id AND m.version = want.version"""

TAKEN: Final = f"""
SELECT {_LINE} FROM unnest(%s::bigint[], %s::bigint[]) AS want(id, version)
JOIN comptoir.movements m
    ON m.book_id = %s AND m.account_id = want.id AND m.reverses = want.version AND m.amount < 0
WHERE NOT EXISTS (
    SELECT FROM comptoir.movements u
    WHERE u.book_id = m.book_id AND u.account_id = m.account_id AND u.reverses = m.version
)
ORDER BY m.account_id, m.version"""
"""What reversals and refunds took back of some movements, as far as these stand themselves."""

FORGET_REFUSALS: Final = """
DELETE FROM comptoir.requests WHERE book_id = %s AND id = ANY(%s::bytea[])"""

ADD_REQUESTS: Final = """
INSERT INTO comptoir.requests (book_id, id, mark, op, outcome, account_id, version, mirror_version,
    expires_at, captured, late, needed, available, at, seal)
SELECT r.*, hash_record_extended(r, 0) FROM (
    SELECT %s::integer, t.id, t.mark, t.op, t.outcome, t.account_id, t.version, t.mirror_version,
        comptoir.moment(t.expires_at), t.captured, t.late, t.needed, t.available,
        comptoir.moment(t.at)
    FROM unnest(%s::bytea[], %s::bytea[], %s::text[], %s::text[], %s::bigint[], %s::bigint[],
        %s::bigint[], %s::bigint[], %s::bigint[], %s::boolean[], %s::bigint[], %s::bigint[],
        %s::bigint[])
        AS t(id, mark, op, outcome, account_id, version, mirror_version, expires_at, captured, late,
            needed, available, at)
) r"""

ADD_LINES: Final = """
INSERT INTO comptoir.movements (book_id, account_id, version, contra_id, amount, posted, held, debt,
    filled, kind, at, request_id, lots, parts, hold_id, reverses, seal)
SELECT m.*, hash_record_extended(m, 0) FROM (
    SELECT %s::integer, t.account_id, t.version, t.contra_id, t.amount, t.posted, t.held, t.debt,
        t.filled, t.kind, comptoir.moment(t.at), t.request_id, t.lots::integer[],
        t.parts::bigint[], t.hold_id, t.reverses
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
        %s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::bytea[], %s::text[], %s::text[],
        %s::bytea[], %s::bigint[])
        AS t(account_id, version, contra_id, amount, posted, held, debt, filled, kind, at,
            request_id, lots, parts, hold_id, reverses)
) m"""

ADD_LOTS: Final = """
INSERT INTO comptoir.lots (book_id, account_id, no, source, priority, expires_at, granted,
    remaining, pinned, plain, lapsed, open, paid, tax, currency, version, seal)
SELECT l.*, hash_record_extended(l, 0) FROM (
    SELECT %s::integer, t.account_id, t.no, t.source, t.priority, comptoir.moment(t.expires_at),
        t.granted, t.remaining, t.pinned, t.plain, t.lapsed, t.remaining > 0, t.paid, t.tax,
        t.currency, t.version
    FROM unnest(%s::bigint[], %s::integer[], %s::text[], %s::smallint[], %s::bigint[],
        %s::bigint[], %s::bigint[], %s::bigint[], %s::boolean[], %s::boolean[], %s::bigint[],
        %s::bigint[], %s::text[], %s::bigint[])
        AS t(account_id, no, source, priority, expires_at, granted, remaining, pinned, plain,
            lapsed, paid, tax, currency, version)
) l"""

CHANGE_LOTS: Final = """
UPDATE comptoir.lots l SET granted = t.granted, remaining = t.remaining, pinned = t.pinned,
    lapsed = t.lapsed, open = t.remaining > 0,
    seal = hash_record_extended(ROW(l.book_id, l.account_id, l.no, l.source, l.priority,
        l.expires_at, t.granted, t.remaining, t.pinned, l.plain, t.lapsed, t.remaining > 0, l.paid,
        l.tax, l.currency, l.version), 0)
FROM unnest(%s::bigint[], %s::integer[], %s::bigint[], %s::bigint[], %s::bigint[], %s::boolean[])
    AS t(account_id, no, granted, remaining, pinned, lapsed)
WHERE l.book_id = %s AND l.account_id = t.account_id AND l.no = t.no"""

ADD_HOLDS: Final = """
INSERT INTO comptoir.holds (book_id, id, account_id, contra_id, amount, captured, state, on_excess,
    expires_at, group_id, pin_lots, pin_parts, opened, closed, at, seal, first_lots, first_parts,
    first_seal)
SELECT h.*, hash_record_extended(h, 0), f.*, hash_record_extended(ROW(h.id, f.lots, f.parts), 0)
FROM unnest(%s::bytea[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[],
    %s::text[], %s::bigint[], %s::bytea[], %s::text[], %s::text[], %s::bigint[], %s::bigint[],
    %s::bigint[], %s::text[], %s::text[])
    AS t(id, account_id, contra_id, amount, captured, state, on_excess, expires_at, group_id,
        pin_lots, pin_parts, opened, closed, at, first_lots, first_parts)
CROSS JOIN LATERAL (
    SELECT %s::integer, t.id, t.account_id, t.contra_id, t.amount, t.captured, t.state,
        t.on_excess, comptoir.moment(t.expires_at), t.group_id, t.pin_lots::integer[],
        t.pin_parts::bigint[], t.opened, t.closed, comptoir.moment(t.at)
) h
CROSS JOIN LATERAL (
    SELECT t.first_lots::integer[] AS lots, t.first_parts::bigint[] AS parts
) f"""

CHANGE_HOLDS: Final = """
UPDATE comptoir.holds h SET captured = t.captured, state = t.state,
    expires_at = comptoir.moment(t.expires_at), pin_lots = t.pin_lots::integer[],
    pin_parts = t.pin_parts::bigint[], closed = t.closed,
    seal = hash_record_extended(ROW(h.book_id, h.id, h.account_id, h.contra_id, h.amount,
        t.captured, t.state, h.on_excess, comptoir.moment(t.expires_at), h.group_id,
        t.pin_lots::integer[], t.pin_parts::bigint[], h.opened, t.closed, h.at), 0)
FROM unnest(%s::bytea[], %s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::text[],
    %s::bigint[]) AS t(id, captured, state, expires_at, pin_lots, pin_parts, closed)
WHERE h.book_id = %s AND h.id = t.id"""

_CHANGE_ACCOUNTS: Final = """
UPDATE comptoir.accounts a SET posted = t.posted, held = t.held, debt = t.debt, filled = t.filled,
    version = t.version, lots_made = t.lots_made, open_lots = t.open_lots,
    next_expiry = t.next_expiry, at = t.at, level = t.level,
    seal = hash_record_extended(ROW(a.book_id, a.id, a.asset_id, a.customer_id, a.name, a.bounded,
        t.posted, t.held, t.debt, a.floor, t.filled, t.version, t.lots_made, t.open_lots,
        t.next_expiry, t.at), 0)
FROM (
    SELECT u.id, u.posted, u.held, u.debt, u.filled, u.version, u.lots_made, u.open_lots,
        {next_expiry} AS next_expiry, comptoir.moment(u.at) AS at, u.level
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
        %s::integer[], %s::integer[], %s::bigint[], %s::bigint[], %s::smallint[])
        AS u(id, posted, held, debt, filled, version, lots_made, open_lots, next_expiry, at, level)
) t
WHERE a.book_id = %s AND a.id = t.id"""

CHANGE_ACCOUNTS: Final = _CHANGE_ACCOUNTS.format(next_expiry="comptoir.moment(u.next_expiry)")

CHANGE_ACCOUNTS_ANEW: Final = _CHANGE_ACCOUNTS.format(
    next_expiry="""least(
            (SELECT min(h.expires_at) FROM comptoir.holds h
                WHERE h.book_id = %s AND h.account_id = u.id AND h.state = 'open'),
            (SELECT min(l.expires_at) FROM comptoir.lots l
                WHERE l.book_id = %s AND l.account_id = u.id AND l.open AND NOT l.lapsed)
        )"""
)
"""The same for accounts whose next expiry has gone: the database finds the one after it."""

ADD_SIGNALS: Final = """
INSERT INTO comptoir.outbox (book_id, type, customer_id, account_id, version)
SELECT a.book_id, CASE WHEN a.low_at IS NULL THEN t.type ELSE 'stock.low' END, a.customer_id,
    t.account_id, t.version
FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS t(account_id, version, type)
JOIN comptoir.accounts a ON a.book_id = %s AND a.id = t.account_id AND NOT a.anonymous
    AND (a.customer_id IS NOT NULL OR a.low_at IS NOT NULL)"""
"""What customers have becomes low by itself; stock does where whoever sells it has said when."""

ADD_NOTES: Final = """
INSERT INTO comptoir.notes (book_id, account_id, version, reason, reference, metadata)
SELECT %s::integer, t.*
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::jsonb[])
    AS t(account_id, version, reason, reference, metadata)"""

ADD_MEMOS: Final = """
INSERT INTO comptoir.memos (book_id, account_id, version, price_id, quantity, model, cost)
SELECT %s::integer, t.*
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[])
    AS t(account_id, version, price_id, quantity, model, cost)"""


USUALLY_SAME: Final = frozenset(
    {
        "op", "outcome", "mirror_version", "expires_at", "captured", "late", "needed", "available",
        "at", "contra_id", "debt", "kind", "hold_id", "reverses", "lapsed", "state", "on_excess",
        "group_id", "closed", "level",
    }
)  # fmt: skip
"""Columns that have one value in most commits, for most are of spends alone: an array less to read,
of which PostgreSQL makes a table first."""

_ROWS: Final = re.compile(r"unnest\(([^)]*)\)\s+AS (\w+)\(([^)]*)\)")


@cache
def same_columns(statement: str) -> tuple[int, ...]:
    """The places of the columns of a statement that usually have one value."""
    return tuple(n for n, name in enumerate(_names(statement)) if name in USUALLY_SAME)


@cache
def spelled(statement: str, same: tuple[int, ...]) -> str:
    """A statement that takes plain parameters for some columns, then arrays for the others."""
    rows = _ROWS.search(statement)
    assert rows is not None, "every statement that takes rows says so in one way"
    types = [each.strip() for each in rows[1].split(",")]
    names = _names(statement)
    plain = {n: f"{types[n].removesuffix('[]')} AS {names[n]}" for n in same}
    wanted = ", ".join(plain.get(n, name) for n, name in enumerate(names))
    arrays = ", ".join(types[n] for n in range(len(names)) if n not in plain)
    varying = ", ".join(name for n, name in enumerate(names) if n not in plain)
    source = f" FROM unnest({arrays}) AS v({varying})" if arrays else ""
    made = f"(SELECT {wanted}{source}) AS {rows[2]}"
    return statement[: rows.start()] + made + statement[rows.end() :]


def _names(statement: str) -> list[str]:
    rows = _ROWS.search(statement)
    assert rows is not None, "every statement that takes rows says so in one way"
    return [each.strip() for each in rows[3].split(",")]
