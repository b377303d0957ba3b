-- Do the books balance? Every row of the answer is a problem; no row means that they do.
-- Runs by itself on PostgreSQL 16 or later and uses none of Comptoir's code or functions.
WITH RECURSIVE
-- bounds: which accounts, which requests; "incremental" trusts what an earlier run has checked
bounds (book, low, high, first, past, incremental, strays) AS (
    SELECT b.id, 0::bigint, 9223372036854775807::bigint, ''::bytea, NULL::bytea, false, true
    FROM comptoir.books b
),
-- end of bounds
account AS MATERIALIZED (
    SELECT a.*, b.incremental,
        CASE WHEN b.incremental THEN coalesce(c.version, 0) ELSE 0 END AS from_version,
        CASE WHEN b.incremental THEN coalesce(c.posted, 0) ELSE 0 END AS from_posted,
        CASE WHEN b.incremental THEN coalesce(c.held, 0) ELSE 0 END AS from_held,
        CASE WHEN b.incremental THEN coalesce(c.debt, 0) ELSE 0 END AS from_debt,
        NOT b.incremental OR a.version <> coalesce(c.version, 0) AS journal
    FROM bounds b
    JOIN comptoir.accounts a ON a.book_id = b.book AND a.id >= b.low AND a.id < b.high
    LEFT JOIN comptoir.checkpoints c ON c.book_id = a.book_id AND c.account_id = a.id
),
line AS MATERIALIZED (
    SELECT m.*, a.asset_id,
        m.version - lag(m.version, 1, a.from_version) OVER journal AS step,
        lag(m.posted, 1, a.from_posted) OVER journal AS before_posted,
        lag(m.debt, 1, a.from_debt) OVER journal AS before_debt,
        lag(m.at) OVER journal AS before_at,
        lead(m.version) OVER journal IS NULL AS is_last,
        coalesce((SELECT sum(part) FROM unnest(m.parts) AS part), 0) AS parts_sum,
        m.seal IS DISTINCT FROM hash_record_extended(ROW(m.book_id, m.account_id, m.version,
            m.contra_id, m.amount, m.posted, m.held, m.debt, m.filled, m.kind, m.at,
            m.request_id, m.lots, m.parts, m.hold_id, m.reverses), 0) AS broken
    FROM account a
    JOIN comptoir.movements m ON m.book_id = a.book_id AND m.account_id = a.id
        AND m.version > a.from_version
    WHERE a.journal
    WINDOW journal AS (PARTITION BY m.book_id, m.account_id ORDER BY m.version)
),
line_sum AS (
    SELECT book_id, account_id, sum(amount) AS amount, max(version) AS version,
        count(*) AS lines
    FROM line GROUP BY book_id, account_id
),
lot AS MATERIALIZED (
    SELECT l.*, l.seal IS DISTINCT FROM hash_record_extended(ROW(l.book_id, l.account_id, l.no,
        l.source, l.priority, l.expires_at, l.granted, l.remaining, l.pinned, l.plain, l.lapsed,
        l.open, l.paid, l.tax, l.currency, l.version), 0) AS broken
    FROM account a
    JOIN comptoir.lots l ON l.book_id = a.book_id AND l.account_id = a.id
    WHERE a.journal
),
lot_sum AS (
    SELECT book_id, account_id, sum(remaining) AS remaining, count(*) AS lots,
        count(*) FILTER (WHERE open) AS open_lots, max(no) AS last_no,
        min(expires_at) FILTER (WHERE open AND NOT lapsed) AS next_expiry
    FROM lot GROUP BY book_id, account_id
),
hold AS MATERIALIZED (
    SELECT h.*, h.seal IS DISTINCT FROM hash_record_extended(ROW(h.book_id, h.id, h.account_id,
        h.contra_id, h.amount, h.captured, h.state, h.on_excess, h.expires_at, h.group_id,
        h.pin_lots, h.pin_parts, h.opened, h.closed, h.at), 0) AS broken
    FROM account a
    JOIN comptoir.holds h ON h.book_id = a.book_id AND h.account_id = a.id
    WHERE a.journal
),
hold_sum AS (
    SELECT book_id, account_id, sum(amount - captured) AS held, min(expires_at) AS next_expiry
    FROM hold WHERE state = 'open' GROUP BY book_id, account_id
),
pin_sum AS (
    SELECT h.book_id, h.account_id, p.no, sum(p.part) AS pinned
    FROM hold h CROSS JOIN LATERAL unnest(h.pin_lots, h.pin_parts) AS p(no, part)
    WHERE h.state = 'open' GROUP BY h.book_id, h.account_id, p.no
),
burn_sum AS (
    SELECT m.book_id, m.account_id, p.no, sum(p.part) AS remaining
    FROM line m
    JOIN account a ON a.book_id = m.book_id AND a.id = m.account_id AND a.from_version = 0
    CROSS JOIN LATERAL unnest(m.lots, m.parts) AS p(no, part)
    GROUP BY m.book_id, m.account_id, p.no
),
request AS MATERIALIZED (
    SELECT r.*, r.seal IS DISTINCT FROM hash_record_extended(ROW(r.book_id, r.id, r.mark, r.op,
        r.outcome, r.account_id, r.version, r.mirror_version, r.expires_at, r.captured, r.late,
        r.needed, r.available, r.at), 0) AS broken
    FROM bounds b
    JOIN comptoir.requests r ON r.book_id = b.book AND r.id >= b.first
        AND (b.past IS NULL OR r.id < b.past)
    WHERE b.past IS NULL OR b.past > b.first
),
problem (book, check_name, table_name, row_key, detail) AS (
    -- Accounts against their last line, their lots and their holds.
    SELECT a.book_id, 'seal', 'accounts', format('account %s', a.id), 'changed behind the ledger'
    FROM account a
    WHERE a.seal IS DISTINCT FROM hash_record_extended(ROW(a.book_id, a.id, a.asset_id,
        a.customer_id, a.name, a.bounded, a.posted, a.held, a.debt, a.floor, a.filled, a.version,
        a.lots_made, a.open_lots, a.next_expiry, a.at), 0)
    UNION ALL
    SELECT a.book_id, 'last line', 'accounts', format('account %s', a.id),
        format('version %s posted %s held %s debt %s, but the journal says %s, %s, %s, %s',
            a.version, a.posted, a.held, a.debt, coalesce(m.version, a.from_version),
            coalesce(m.posted, a.from_posted), coalesce(m.held, a.from_held),
            coalesce(m.debt, a.from_debt))
    FROM account a
    LEFT JOIN line m ON m.book_id = a.book_id AND m.account_id = a.id AND m.is_last
    WHERE (a.version, a.posted, a.held, a.debt) IS DISTINCT FROM
        (coalesce(m.version, a.from_version), coalesce(m.posted, a.from_posted),
            coalesce(m.held, a.from_held), coalesce(m.debt, a.from_debt))
        OR (m.version IS NOT NULL AND (a.filled, a.at) IS DISTINCT FROM (m.filled, m.at))
    UNION ALL
    SELECT a.book_id, 'sum of amounts', 'accounts', format('account %s', a.id),
        format('posted %s, but all amounts sum to %s', a.posted, a.from_posted + s.amount)
    FROM account a
    JOIN line_sum s ON s.book_id = a.book_id AND s.account_id = a.id
    WHERE a.posted <> a.from_posted + s.amount
    UNION ALL
    SELECT a.book_id, 'lots', 'accounts', format('account %s', a.id),
        format('posted %s and debt %s, but lots have %s left; %s of %s lots open, %s of %s found',
            a.posted, a.debt, coalesce(s.remaining, 0), coalesce(s.open_lots, 0), a.open_lots,
            coalesce(s.lots, 0), a.lots_made)
    FROM account a
    LEFT JOIN lot_sum s ON s.book_id = a.book_id AND s.account_id = a.id
    WHERE a.journal AND (coalesce(s.remaining, 0) <> a.posted + a.debt
        OR coalesce(s.open_lots, 0) <> a.open_lots OR coalesce(s.lots, 0) <> a.lots_made
        OR coalesce(s.last_no, 0) <> a.lots_made)
    UNION ALL
    SELECT a.book_id, 'holds', 'accounts', format('account %s', a.id),
        format('held %s, but open holds sum to %s', a.held, coalesce(s.held, 0))
    FROM account a
    LEFT JOIN hold_sum s ON s.book_id = a.book_id AND s.account_id = a.id
    WHERE a.journal AND coalesce(s.held, 0) <> a.held
    UNION ALL
    SELECT a.book_id, 'next expiry', 'accounts', format('account %s', a.id),
        format('%s, but the next to expire is at %s', a.next_expiry,
            least(h.next_expiry, l.next_expiry))
    FROM account a
    LEFT JOIN hold_sum h ON h.book_id = a.book_id AND h.account_id = a.id
    LEFT JOIN lot_sum l ON l.book_id = a.book_id AND l.account_id = a.id
    WHERE a.journal AND a.next_expiry IS DISTINCT FROM least(h.next_expiry, l.next_expiry)
    UNION ALL
    SELECT a.book_id, 'owner', 'accounts', format('account %s', a.id), 'no such customer or asset'
    FROM account a
    LEFT JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id
    LEFT JOIN comptoir.assets s ON s.book_id = a.book_id AND s.id = a.asset_id
    WHERE s.id IS NULL OR (a.customer_id IS NOT NULL AND c.id IS NULL)
    UNION ALL
    SELECT a.book_id, 'floor', 'accounts', format('account %s', a.id),
        format('available %s is below the floor %s', a.posted - a.held, a.floor - a.debt)
    FROM account a WHERE a.posted - a.held < a.floor - a.debt

    -- The journal, line by line.
    UNION ALL
    SELECT m.book_id, 'seal', 'movements', format('account %s version %s', m.account_id, m.version),
        'changed behind the ledger'
    FROM line m WHERE m.broken
    UNION ALL
    SELECT m.book_id, 'gap', 'movements',
        format('account %s version %s', m.account_id, missing.version), 'this line is missing'
    FROM line m
    CROSS JOIN LATERAL generate_series(m.version - least(m.step, 100) + 1, m.version - 1)
        AS missing(version)
    WHERE m.step > 1
    UNION ALL
    SELECT a.book_id, 'gap', 'movements', format('account %s version %s', a.id, missing.version),
        'this line is missing'
    FROM account a
    LEFT JOIN line_sum s ON s.book_id = a.book_id AND s.account_id = a.id
    CROSS JOIN LATERAL generate_series(coalesce(s.version, a.from_version) + 1,
        least(a.version, coalesce(s.version, a.from_version) + 100)) AS missing(version)
    WHERE a.journal
    UNION ALL
    SELECT m.book_id, 'before and after', 'movements',
        format('account %s version %s', m.account_id, m.version),
        format('%s + %s is not %s', m.before_posted, m.amount, m.posted)
    FROM line m WHERE m.before_posted + m.amount <> m.posted
    UNION ALL
    SELECT m.book_id, 'lots of the line', 'movements',
        format('account %s version %s', m.account_id, m.version),
        format('lots changed by %s, amount %s, debt %s after %s', m.parts_sum, m.amount, m.debt,
            m.before_debt)
    FROM line m WHERE m.parts_sum <> m.amount + m.debt - m.before_debt
    UNION ALL
    SELECT m.book_id, 'time', 'movements',
        format('account %s version %s', m.account_id, m.version),
        format('at %s, after a line at %s', m.at, m.before_at)
    FROM line m WHERE m.at < m.before_at
    UNION ALL
    SELECT m.book_id, 'contra account', 'movements',
        format('account %s version %s', m.account_id, m.version),
        format('contra account %s is missing or of another asset', m.contra_id)
    FROM line m
    LEFT JOIN comptoir.accounts c ON c.book_id = m.book_id AND c.id = m.contra_id
    WHERE c.id IS NULL OR c.asset_id <> m.asset_id OR c.bounded <> (m.kind = 'transfer')
    UNION ALL
    SELECT m.book_id, 'request of the line', 'movements',
        format('account %s version %s', m.account_id, m.version), 'nobody asked for this line'
    FROM line m
    LEFT JOIN comptoir.requests r ON r.book_id = m.book_id AND r.id = m.request_id
    WHERE CASE WHEN m.kind IN ('expiry', 'hold_expiry') THEN m.request_id IS NOT NULL
        ELSE r.id IS NULL OR r.outcome <> 'created' END
    UNION ALL
    SELECT m.book_id, 'mirror', 'movements',
        format('account %s version %s', m.account_id, m.version),
        'the other side of this transfer is missing or different'
    FROM line m
    LEFT JOIN comptoir.requests r ON r.book_id = m.book_id AND r.id = m.request_id
    LEFT JOIN comptoir.movements x ON x.book_id = m.book_id AND x.account_id = m.contra_id
        AND x.version = CASE WHEN m.account_id = r.account_id AND m.version = r.version
            THEN r.mirror_version ELSE r.version END
    WHERE m.kind = 'transfer' AND (x.amount IS DISTINCT FROM -m.amount
        OR x.request_id IS DISTINCT FROM m.request_id OR x.contra_id <> m.account_id)

    -- Lots against the journal and the holds that pin them.
    UNION ALL
    SELECT l.book_id, 'seal', 'lots', format('account %s lot %s', l.account_id, l.no),
        'changed behind the ledger'
    FROM lot l WHERE l.broken
    UNION ALL
    SELECT l.book_id, 'figures', 'lots', format('account %s lot %s', l.account_id, l.no),
        format('granted %s, remaining %s, pinned %s, open %s', l.granted, l.remaining, l.pinned,
            l.open)
    FROM lot l
    WHERE NOT (0 <= l.pinned AND l.pinned <= l.remaining AND l.remaining <= l.granted)
        OR l.open <> (l.remaining > 0)
    UNION ALL
    SELECT l.book_id, 'journal of the lot', 'lots',
        format('account %s lot %s', l.account_id, l.no),
        format('remaining %s, but the journal leaves %s', l.remaining, coalesce(s.remaining, 0))
    FROM lot l
    JOIN account a ON a.book_id = l.book_id AND a.id = l.account_id AND a.from_version = 0
    LEFT JOIN burn_sum s
        ON s.book_id = l.book_id AND s.account_id = l.account_id AND s.no = l.no
    WHERE l.remaining <> coalesce(s.remaining, 0)
    UNION ALL
    SELECT s.book_id, 'lot is missing', 'lots', format('account %s lot %s', s.account_id, s.no),
        'the journal names a lot that is not there'
    FROM burn_sum s
    LEFT JOIN lot l ON l.book_id = s.book_id AND l.account_id = s.account_id AND l.no = s.no
    WHERE l.no IS NULL
    UNION ALL
    SELECT l.book_id, 'pins', 'lots', format('account %s lot %s', l.account_id, l.no),
        format('pinned %s, but open holds pin %s', l.pinned, coalesce(s.pinned, 0))
    FROM lot l
    LEFT JOIN pin_sum s ON s.book_id = l.book_id AND s.account_id = l.account_id AND s.no = l.no
    WHERE l.pinned <> coalesce(s.pinned, 0)

    -- Holds against the lines that opened and closed them.
    UNION ALL
    SELECT h.book_id, 'seal', 'holds', format('hold %s', encode(h.id, 'hex')),
        'changed behind the ledger'
    FROM hold h WHERE h.broken
    UNION ALL
    SELECT h.book_id, 'figures', 'holds', format('hold %s', encode(h.id, 'hex')),
        format('state %s, captured %s of %s, closed by %s', h.state, h.captured, h.amount,
            coalesce(h.closed::text, 'no line'))
    FROM hold h
    WHERE h.state NOT IN ('open', 'captured', 'released', 'expired')
        OR (h.state = 'open') <> (h.closed IS NULL)
        OR (h.state = 'open' AND h.captured >= h.amount)
        OR (h.state <> 'open' AND cardinality(h.pin_lots) > 0)
    UNION ALL
    SELECT h.book_id, 'line of the hold', 'holds', format('hold %s', encode(h.id, 'hex')),
        'no line of the journal opened this hold'
    FROM hold h
    LEFT JOIN comptoir.movements m ON m.book_id = h.book_id AND m.account_id = h.account_id
        AND m.version = h.opened
    WHERE m.hold_id IS DISTINCT FROM h.id OR m.kind <> 'hold' OR m.request_id <> h.id
        OR m.contra_id <> h.contra_id OR m.at <> h.at
    UNION ALL
    SELECT h.book_id, 'end of the hold', 'holds', format('hold %s', encode(h.id, 'hex')),
        'no line of the journal ended this hold'
    FROM hold h
    LEFT JOIN comptoir.movements m ON m.book_id = h.book_id AND m.account_id = h.account_id
        AND m.version = h.closed
    WHERE h.closed IS NOT NULL AND (m.hold_id IS DISTINCT FROM h.id
        OR m.kind <> CASE h.state WHEN 'captured' THEN 'capture' WHEN 'released' THEN 'release'
            ELSE CASE WHEN m.kind = 'capture' THEN 'capture' ELSE 'hold_expiry' END END)
    UNION ALL
    SELECT m.book_id, 'hold is missing', 'holds', format('hold %s', encode(m.hold_id, 'hex')),
        format('the line %s of account %s opened a hold that is not there', m.version,
            m.account_id)
    FROM line m
    LEFT JOIN comptoir.holds h ON h.book_id = m.book_id AND h.id = m.hold_id
    WHERE m.kind = 'hold' AND h.account_id IS DISTINCT FROM m.account_id

    -- Requests against the lines that they made.
    UNION ALL
    SELECT r.book_id, 'seal', 'requests', format('request %s', encode(r.id, 'hex')),
        'changed behind the ledger'
    FROM request r WHERE r.broken
    UNION ALL
    SELECT r.book_id, 'line of the request', 'requests', format('request %s', encode(r.id, 'hex')),
        'the line that it says it made is missing or different'
    FROM request r
    LEFT JOIN comptoir.movements m ON m.book_id = r.book_id AND m.account_id = r.account_id
        AND m.version = r.version
    WHERE CASE WHEN r.outcome = 'created' THEN
        m.request_id IS DISTINCT FROM r.id OR m.at <> r.at
        OR CASE r.op WHEN 'spend' THEN m.kind NOT IN ('spend', 'refund', 'adjustment')
            WHEN 'grant' THEN m.kind NOT IN ('grant', 'purchase', 'allowance', 'refund',
                'adjustment')
            WHEN 'renew' THEN m.kind <> 'renewal' WHEN 'reverse' THEN m.kind <> 'reversal'
            ELSE m.kind <> r.op END
        OR (r.op = 'transfer') <> (r.mirror_version IS NOT NULL)
        ELSE r.version IS NOT NULL OR r.mirror_version IS NOT NULL END
    UNION ALL
    SELECT m.book_id, 'request is missing', 'requests',
        format('request %s', encode(m.request_id, 'hex')),
        format('the line %s of account %s names a request that is not there', m.version,
            m.account_id)
    FROM line m
    LEFT JOIN comptoir.requests r ON r.book_id = m.book_id AND r.id = m.request_id
    WHERE m.request_id IS NOT NULL AND r.id IS NULL

    -- Rows that belong to no account at all.
    UNION ALL
    SELECT m.book_id, 'stray', 'movements',
        format('account %s version %s', m.account_id, m.version), 'no such account'
    FROM comptoir.movements m
    WHERE (SELECT bool_or(strays) FROM bounds) AND NOT EXISTS (SELECT FROM comptoir.accounts a
        WHERE a.book_id = m.book_id AND a.id = m.account_id AND a.bounded)
    UNION ALL
    SELECT l.book_id, 'stray', 'lots', format('account %s lot %s', l.account_id, l.no),
        'no such account'
    FROM comptoir.lots l
    WHERE (SELECT bool_or(strays) FROM bounds) AND NOT EXISTS (SELECT FROM comptoir.accounts a
        WHERE a.book_id = l.book_id AND a.id = l.account_id AND a.bounded)
    UNION ALL
    SELECT h.book_id, 'stray', 'holds', format('hold %s', encode(h.id, 'hex')), 'no such account'
    FROM comptoir.holds h
    WHERE (SELECT bool_or(strays) FROM bounds) AND NOT EXISTS (SELECT FROM comptoir.accounts a
        WHERE a.book_id = h.book_id AND a.id = h.account_id AND a.bounded)
    UNION ALL
    SELECT r.book_id, 'stray', 'requests', format('request %s', encode(r.id, 'hex')),
        'no such account'
    FROM comptoir.requests r
    WHERE (SELECT bool_or(strays) FROM bounds) AND NOT EXISTS (SELECT FROM comptoir.accounts a
        WHERE a.book_id = r.book_id AND a.id = r.account_id AND a.bounded)
    UNION ALL
    SELECT a.book_id, 'stray', 'accounts', format('account %s', a.id), 'no such book'
    FROM comptoir.accounts a
    WHERE (SELECT bool_or(strays) FROM bounds)
        AND NOT EXISTS (SELECT FROM comptoir.books b WHERE b.id = a.book_id)

    -- Conservation: what all customers have is what all open accounts gave.
    UNION ALL
    SELECT a.book_id, 'conservation', 'accounts', format('asset %s', a.asset_id),
        format('accounts have %s, open accounts gave %s', sum(a.posted), sum(s.given))
    FROM account a
    LEFT JOIN (
        SELECT m.book_id, m.account_id, sum(m.amount) AS given
        FROM line m JOIN comptoir.accounts c ON c.book_id = m.book_id AND c.id = m.contra_id
        WHERE NOT c.bounded GROUP BY m.book_id, m.account_id
    ) s ON s.book_id = a.book_id AND s.account_id = a.id
    JOIN bounds b ON b.book = a.book_id AND b.strays
    WHERE a.bounded
    GROUP BY a.book_id, a.asset_id
    HAVING sum(a.posted) <> coalesce(sum(s.given), 0)
)
SELECT book, check_name, table_name, row_key, detail FROM problem
ORDER BY book, table_name, row_key, check_name
