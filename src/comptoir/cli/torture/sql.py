"""What the judge asks: plain SQL over the journal and over what callers were told.

Each of LOST, DOUBLED and OVERSOLD yields a row for each finding: what it is about, how many there
are of it, and which of the texts says so. Told was what the answers said: see answers.Told.
"""

from typing import Final

TOLD: Final = """
CREATE TEMPORARY TABLE told (
    id bytea NOT NULL, outcome text NOT NULL, lines integer NOT NULL, account bigint,
    version bigint, kind text, amount bigint, posted bigint, held bigint, debt bigint,
    hold bytea, set_aside bigint
)"""

FILL: Final = "COPY told FROM STDIN (FORMAT csv)"

# The journal of a long run is joined as a whole, and no session of a server waits for this one.
PREPARE: Final = """
SELECT set_config(name, value, false) FROM (VALUES
    ('statement_timeout', '0'), ('idle_in_transaction_session_timeout', '0'),
    ('plan_cache_mode', 'auto'), ('work_mem', '128MB')) AS setting(name, value)"""

ANALYZE: Final = "ANALYZE told, comptoir.movements, comptoir.requests, comptoir.holds"

_WRITTEN: Final = """
written AS (
    SELECT request_id AS id, count(*) AS lines FROM comptoir.movements
    WHERE book_id = %(book)s AND request_id IS NOT NULL GROUP BY request_id
),
wanted AS (SELECT id, max(lines) AS lines FROM told GROUP BY id)"""

LOST: Final = f"""
WITH {_WRITTEN},
missing AS (
    SELECT t.id, 'movement' AS what FROM told t
    WHERE t.outcome = 'created' AND NOT EXISTS (
        SELECT FROM comptoir.movements m
        WHERE m.book_id = %(book)s AND m.request_id = t.id AND m.version = t.version
            AND (m.kind, m.amount, m.posted, m.held, m.debt)
                = (t.kind, t.amount, t.posted, t.held, t.debt)
            AND m.account_id = coalesce(t.account, m.account_id)
            AND (t.hold IS NULL OR m.hold_id = t.hold))
    UNION
    SELECT w.id, 'line' FROM wanted w
    JOIN told t ON t.id = w.id AND t.outcome = 'created'
    LEFT JOIN written l ON l.id = w.id
    WHERE coalesce(l.lines, 0) < w.lines
    UNION
    SELECT t.id, 'answer' FROM told t
    WHERE t.outcome = ANY(%(kept)s) AND NOT EXISTS (
        SELECT FROM comptoir.requests r
        WHERE r.book_id = %(book)s AND r.id = t.id AND r.outcome = t.outcome)
    UNION
    SELECT t.id, 'hold' FROM told t
    WHERE t.hold IS NOT NULL AND NOT EXISTS (
        SELECT FROM comptoir.holds h
        WHERE h.book_id = %(book)s AND h.id = t.hold AND h.amount = t.set_aside)
    UNION
    SELECT m.request_id, 'time' FROM comptoir.movements m
    JOIN comptoir.books b ON b.id = m.book_id
    WHERE m.book_id = %(book)s AND m.request_id IS NOT NULL
        AND m.at NOT BETWEEN b.created_at AND clock_timestamp()
)
SELECT encode(id, 'hex'), string_agg(what, ', ' ORDER BY what), 1 FROM missing
GROUP BY id ORDER BY 1"""

DOUBLED: Final = f"""
WITH {_WRITTEN}
SELECT encode(l.id, 'hex'), concat(l.lines, ' > ', coalesce(w.lines, 0)), 1
FROM written l LEFT JOIN wanted w ON w.id = l.id
WHERE l.lines > coalesce(w.lines, 0)
UNION ALL
SELECT concat('mv_', account_id, '_', version), kind, 1 FROM comptoir.movements
WHERE book_id = %(book)s AND request_id IS NULL AND amount <> 0
ORDER BY 1"""

OVERSOLD: Final = """
WITH journal AS (
    SELECT m.account_id, sum(m.amount) FILTER (WHERE m.kind = 'grant') AS granted,
        -sum(m.amount) FILTER (WHERE m.kind IN ('spend', 'capture')) AS sold,
        bool_or(m.posted - m.held < a.floor - m.debt) AS sank
    FROM comptoir.movements m
    JOIN comptoir.accounts a ON a.book_id = m.book_id AND a.id = m.account_id
    WHERE m.book_id = %(book)s GROUP BY m.account_id
),
promised AS (
    SELECT account, -sum(amount) AS sold FROM told
    WHERE outcome = 'created' AND kind IN ('spend', 'capture') GROUP BY account
),
figures AS (
    SELECT a.id, a.name, coalesce(j.granted, 0) AS granted, j.sank,
        greatest(coalesce(j.sold, 0), coalesce(p.sold, 0)) AS sold
    FROM comptoir.accounts a
    LEFT JOIN journal j ON j.account_id = a.id
    LEFT JOIN promised p ON p.account = a.id
    WHERE a.book_id = %(book)s AND a.bounded
)
SELECT name, concat(sold, ' > ', granted), sold - granted FROM figures
WHERE name LIKE 'stock:%%' AND sold > granted
UNION ALL
SELECT coalesce(name, id::text), 'floor', 1 FROM figures
WHERE sank AND NOT (coalesce(name, '') LIKE 'stock:%%' AND sold > granted)
ORDER BY 1"""
