-- Do the books balance? Every row of the result is a problem; no rows means that they do.
--
-- One statement for plain psql on PostgreSQL 16 or newer. It uses none of Comptoir's code and none
-- of its SQL functions: the figures of every account, lot, hold and request are worked out again
-- from the journal and compared with what is stored, several times and by different ways.
--
-- Columns: book, check_name, table_name, row_key (the key of the row without its book, its parts
-- joined by "/", ids of bytes in hexadecimal), detail. A row that is missing is named too.

WITH
-- What to verify. A program may put one row of its own between the two marks:
--   book_id, low, high      accounts from low to high
--   from_id, to_id          requests from from_id (included) to to_id (excluded; null: no end)
--   incremental             only what is newer than the checkpoints of these accounts
--   strays                  rows of books that do not exist
bounds AS NOT MATERIALIZED (
-- <bounds>
    SELECT id AS book_id, '-9223372036854775808'::bigint AS low,
        '9223372036854775807'::bigint AS high, '\x'::bytea AS from_id,
        NULL::bytea AS to_id, false AS incremental, true AS strays
    FROM comptoir.books
-- </bounds>
),

-- The accounts, with what was found of each when it was last verified. One that has not changed
-- since is compared with that only, and its journal is left alone.
scope AS MATERIALIZED (
    SELECT a.*, coalesce(c.version, 0) AS since, coalesce(c.posted, 0) AS seen_posted,
        c.held AS seen_held, c.debt AS seen_debt, c.at AS seen_at,
        (c.version = a.version) IS NOT TRUE AS changed
    FROM bounds b
    JOIN comptoir.accounts a ON a.book_id = b.book_id AND a.id BETWEEN b.low AND b.high
    LEFT JOIN comptoir.checkpoints c
        ON b.incremental AND c.book_id = a.book_id AND c.account_id = a.id
),

-- The journal: all of it, or from the watermark on. The line at the watermark comes along as the
-- one before the first new one; whoever reads lines must ask for version > since.
lines AS NOT MATERIALIZED (
    SELECT m.*, 0::bigint AS since, a.asset_id AS own_asset, a.version AS own_version,
        a.bounded AS own_bounded
    FROM bounds b
    JOIN comptoir.movements m
        ON m.book_id = b.book_id AND m.account_id BETWEEN b.low AND b.high
    LEFT JOIN comptoir.accounts a ON a.book_id = m.book_id AND a.id = m.account_id
    WHERE NOT b.incremental
    UNION ALL
    SELECT m.*, s.since, s.asset_id, s.version, s.bounded
    FROM bounds b
    JOIN scope s ON s.book_id = b.book_id AND s.changed AND s.since < s.version
    CROSS JOIN LATERAL (
        SELECT * FROM comptoir.movements o
        WHERE o.book_id = s.book_id AND o.account_id = s.id
            AND o.version BETWEEN s.since AND s.version OFFSET 0
    ) m
    WHERE b.incremental
),

-- Lots, holds and requests: all of them, or what new lines are about, and what is open of accounts
-- with new lines. OFFSET 0 has each looked up by its key, however many the planner expects.
lots_in AS NOT MATERIALIZED (
    SELECT l.*, 0::bigint AS since
    FROM bounds b
    JOIN comptoir.lots l ON l.book_id = b.book_id AND l.account_id BETWEEN b.low AND b.high
    WHERE NOT b.incremental
    UNION ALL
    SELECT l.*, s.since
    FROM bounds b
    JOIN scope s ON s.book_id = b.book_id AND s.changed
    CROSS JOIN LATERAL (
        SELECT * FROM comptoir.lots o
        WHERE o.book_id = s.book_id AND o.account_id = s.id AND o.open OFFSET 0
    ) l
    WHERE b.incremental
    UNION ALL
    SELECT l.*, n.since
    FROM bounds b
    JOIN (
        SELECT DISTINCT m.book_id, m.account_id, m.since, touched.no
        FROM lines m CROSS JOIN LATERAL unnest(m.lots) AS touched(no)
        WHERE m.version > m.since
    ) n ON n.book_id = b.book_id
    CROSS JOIN LATERAL (
        SELECT * FROM comptoir.lots o
        WHERE o.book_id = n.book_id AND o.account_id = n.account_id AND o.no = n.no AND NOT o.open
        OFFSET 0
    ) l
    WHERE b.incremental
),

holds_in AS NOT MATERIALIZED (
    SELECT h.*
    FROM bounds b
    JOIN comptoir.holds h ON h.book_id = b.book_id AND h.account_id BETWEEN b.low AND b.high
    WHERE NOT b.incremental
    UNION ALL
    SELECT h.*
    FROM bounds b
    JOIN scope s ON s.book_id = b.book_id AND s.changed
    CROSS JOIN LATERAL (
        SELECT * FROM comptoir.holds o
        WHERE o.book_id = s.book_id AND o.account_id = s.id AND o.state = 'open' OFFSET 0
    ) h
    WHERE b.incremental
    UNION ALL
    SELECT h.*
    FROM bounds b
    JOIN (
        SELECT DISTINCT m.book_id, m.hold_id
        FROM lines m WHERE m.version > m.since AND m.hold_id IS NOT NULL
    ) n ON n.book_id = b.book_id
    CROSS JOIN LATERAL (
        SELECT * FROM comptoir.holds o
        WHERE o.book_id = n.book_id AND o.id = n.hold_id AND o.state <> 'open' OFFSET 0
    ) h
    WHERE b.incremental
),

requests_in AS NOT MATERIALIZED (
    SELECT r.*
    FROM bounds b
    JOIN comptoir.requests r ON r.book_id = b.book_id
        AND r.id >= b.from_id AND (b.to_id IS NULL OR r.id < b.to_id)
    WHERE NOT b.incremental
    UNION ALL
    SELECT r.*
    FROM bounds b
    JOIN (
        SELECT DISTINCT m.book_id, m.request_id
        FROM lines m WHERE m.version > m.since AND m.request_id IS NOT NULL
    ) n ON n.book_id = b.book_id
    CROSS JOIN LATERAL (
        SELECT * FROM comptoir.requests o
        WHERE o.book_id = n.book_id AND o.id = n.request_id OFFSET 0
    ) r
    WHERE b.incremental
),

-- What the journal put into each lot, less what it took out.
poured AS NOT MATERIALIZED (
    SELECT m.book_id, m.account_id, p.no, sum(p.part) AS part
    FROM lines m CROSS JOIN LATERAL unnest(m.lots, m.parts) AS p(no, part)
    WHERE m.version > m.since
    GROUP BY m.book_id, m.account_id, p.no
),

-- The lives of holds, line by line: what was captured so far, whether it had expired, and which
-- line last set when it expires. What matters of them are those whose opening is among the lines.
lives AS MATERIALIZED (
    SELECT m.book_id, m.account_id, m.version, m.kind, m.hold_id, m.request_id,
        -sum(m.amount) FILTER (WHERE m.kind = 'capture') OVER so_far AS captured,
        bool_or(m.kind = 'hold_expiry') OVER so_far AS expired,
        max(m.version) FILTER (WHERE m.kind IN ('hold', 'renewal')) OVER so_far AS timed_by,
        count(*) FILTER (WHERE m.kind = 'hold') OVER whole AS openings,
        max(m.version) FILTER (WHERE m.kind = 'release') OVER whole AS release,
        max(m.version) FILTER (WHERE m.kind = 'hold_expiry') OVER whole AS expiry,
        max(m.version) FILTER (WHERE m.kind = 'capture') OVER whole AS capture,
        m.version = max(m.version) OVER whole AS ends
    FROM lines m
    WHERE m.version > m.since AND m.hold_id IS NOT NULL
    WINDOW so_far AS (PARTITION BY m.book_id, m.hold_id ORDER BY m.version),
        whole AS (PARTITION BY m.book_id, m.hold_id)
),

-- Every branch yields book, table, key and faults: a line a fault, each of them a check and a
-- detail, and then, when another row than that of the branch is at fault, its key and its table.
found AS (

-- Accounts: their row against the watermark, the last line, their lots and their open holds.
SELECT s.book_id, 'accounts' AS table_name, s.id::text AS row_key, concat_ws(E'\n',
    CASE WHEN s.seal IS DISTINCT FROM hash_record_extended(ROW(s.book_id, s.id, s.asset_id,
        s.customer_id, s.name, s.bounded, s.posted, s.held, s.debt, s.floor, s.filled, s.version,
        s.lots_made, s.open_lots, s.next_expiry, s.at), 0)
        THEN E'seal\tthe row was changed behind the back of the ledger' END,
    CASE WHEN (s.customer_id IS NULL) = (s.name IS NULL)
        THEN E'owner\tan account has a customer or a name, not both and not neither' END,
    CASE WHEN s.customer_id IS NOT NULL AND w.id IS NULL
        THEN concat(E'customer\tcustomer ', s.customer_id, ' does not exist') END,
    CASE WHEN s.anonymous <> (w.erased_at IS NOT NULL)
        THEN concat(E'anonymous\tanonymous is ', s.anonymous, ', but its customer was ',
            CASE WHEN s.anonymous THEN 'not ' END, 'erased') END,
    CASE WHEN NOT EXISTS (SELECT FROM comptoir.assets o
        WHERE o.book_id = s.book_id AND o.id = s.asset_id)
        THEN concat(E'asset\tasset ', s.asset_id, ' does not exist') END,
    CASE WHEN s.held < 0 OR s.debt < 0 OR s.floor > 0
        OR s.posted::numeric - s.held < s.floor::numeric - s.debt OR s.level NOT BETWEEN 0 AND 2
        OR s.low_at < 0
        THEN concat(E'limits\tposted ', s.posted, ', held ', s.held, ', debt ', s.debt,
            ', floor ', s.floor, ', level ', s.level, ', low at ', s.low_at, ' cannot be') END,
    CASE WHEN (s.version = 0 OR NOT s.bounded) AND (s.version, s.posted, s.held, s.debt, s.filled,
        s.lots_made, s.open_lots) <> (0, 0, 0, 0, 0, 0, 0)
        THEN E'empty\tan account without lines, or an open one, has figures' END,
    CASE WHEN b.incremental AND NOT s.changed AND (s.posted, s.held, s.debt, s.at)
        IS DISTINCT FROM (s.seen_posted, s.seen_held, s.seen_debt, s.seen_at)
        THEN concat(E'checkpoint\tno new line, but posted, held, debt, at were ', s.seen_posted,
            ', ', s.seen_held, ', ', s.seen_debt, ', ', s.seen_at, ' and are ', s.posted, ', ',
            s.held, ', ', s.debt, ', ', s.at) END,
    CASE WHEN s.since > s.version
        THEN concat(E'checkpoint\tversion ', s.since, ' was verified, now it is ', s.version) END,
    CASE WHEN s.changed AND tip.version > s.version
        THEN concat(E'version\tversion is ', s.version, ', the journal ends at ', tip.version) END,
    CASE WHEN s.changed AND coalesce(tip.version, 0) < s.version
        THEN concat(E'gap\tlines ', coalesce(tip.version, 0) + 1, ' to ', s.version,
            E' are missing\t', s.id, '/', coalesce(tip.version, 0) + 1, E'\tmovements') END,
    CASE WHEN s.changed AND tip.version = s.version AND (s.posted, s.held, s.debt, s.filled, s.at)
        IS DISTINCT FROM (tip.posted, tip.held, tip.debt, tip.filled, tip.at)
        THEN concat(E'figures\tposted, held, debt, filled, at are ', s.posted, ', ', s.held, ', ',
            s.debt, ', ', s.filled, ', ', s.at, '; after the last line they were ', tip.posted,
            ', ', tip.held, ', ', tip.debt, ', ', tip.filled, ', ', tip.at) END,
    CASE WHEN s.changed AND old.version IS NOT NULL AND (old.posted, old.held, old.debt, old.at)
        IS DISTINCT FROM (s.seen_posted, s.seen_held, s.seen_debt, s.seen_at)
        THEN concat(E'checkpoint\tthe line that was verified last has changed since\t', s.id, '/',
            s.since, E'\tmovements') END,
    CASE WHEN s.changed AND coalesce(o.remaining, 0) - s.debt <> s.posted
        THEN concat(E'lots\tposted is ', s.posted, ', but its lots have ', coalesce(o.remaining, 0),
            ' left and it owes ', s.debt) END,
    CASE WHEN s.changed AND o.open_lots <> s.open_lots
        THEN concat(E'lots\topen_lots is ', s.open_lots, ', but there are ', o.open_lots) END,
    CASE WHEN s.changed AND NOT b.incremental AND o.lots_made <> s.lots_made
        THEN concat(E'lots\tlots_made is ', s.lots_made, ', but there are ', o.lots_made) END,
    CASE WHEN s.changed AND coalesce(n.top, 0) < s.lots_made
        THEN concat(E'lots\tlots ', coalesce(n.top, 0) + 1, ' to ', s.lots_made,
            E' are missing\t', s.id, '/', coalesce(n.top, 0) + 1, E'\tlots') END,
    CASE WHEN s.changed AND n.top > s.lots_made
        THEN concat(E'lots\tlots_made is ', s.lots_made, ', but there is lot ', n.top) END,
    CASE WHEN s.changed AND coalesce(k.held, 0) <> s.held
        THEN concat(E'holds\theld is ', s.held, ', but its open holds have ', coalesce(k.held, 0),
            ' left') END,
    CASE WHEN s.changed AND least(o.expiry, k.expiry) IS DISTINCT FROM s.next_expiry
        THEN concat(E'expiry\tnext_expiry is ', s.next_expiry, ', but the first to expire does at ',
            least(o.expiry, k.expiry)) END) AS faults
FROM bounds b
JOIN scope s ON s.book_id = b.book_id
LEFT JOIN LATERAL (
    SELECT o.id, o.erased_at FROM comptoir.customers o
    WHERE o.book_id = s.book_id AND o.id = s.customer_id LIMIT 1
) w ON true
LEFT JOIN LATERAL (
    SELECT m.version, m.posted, m.held, m.debt, m.filled, m.at FROM comptoir.movements m
    WHERE s.changed AND m.book_id = s.book_id AND m.account_id = s.id
    ORDER BY m.version DESC LIMIT 1
) tip ON true
LEFT JOIN LATERAL (
    SELECT m.version, m.posted, m.held, m.debt, m.at FROM comptoir.movements m
    WHERE b.incremental AND s.changed AND m.book_id = s.book_id AND m.account_id = s.id
        AND m.version = s.since
    LIMIT 1  -- or else it would be looked up for accounts that rest, too
) old ON true
LEFT JOIN LATERAL (
    SELECT sum(l.remaining) AS remaining, count(*) AS lots_made,
        count(*) FILTER (WHERE l.open) AS open_lots,
        min(l.expires_at) FILTER (WHERE l.open AND NOT l.lapsed) AS expiry
    FROM comptoir.lots l
    WHERE s.changed AND l.book_id = s.book_id AND l.account_id = s.id
        AND (l.open OR NOT b.incremental)
) o ON true
LEFT JOIN LATERAL (
    SELECT max(l.no) AS top FROM comptoir.lots l
    WHERE s.changed AND l.book_id = s.book_id AND l.account_id = s.id
) n ON true
LEFT JOIN LATERAL (
    SELECT sum(h.amount) - sum(h.captured) AS held, min(h.expires_at) AS expiry
    FROM comptoir.holds h
    WHERE s.changed AND h.book_id = s.book_id AND h.account_id = s.id AND h.state = 'open'
) k ON true

UNION ALL
-- The journal, line by line: each against the one before, its accounts, its request, its hold.
SELECT m.book_id, 'movements', concat(m.account_id, '/', m.version), concat_ws(E'\n',
    CASE WHEN m.seal IS DISTINCT FROM hash_record_extended(ROW(m.book_id, m.account_id, m.version,
        m.contra_id, m.amount, m.posted, m.held, m.debt, m.filled, m.kind, m.at, m.request_id,
        m.lots, m.parts, m.hold_id, m.reverses), 0)
        THEN E'seal\tthe row was changed behind the back of the ledger' END,
    CASE WHEN m.own_version IS NULL
        THEN concat(E'account\taccount ', m.account_id, ' does not exist') END,
    CASE WHEN NOT m.own_bounded
        THEN E'account\tan open account has no lines of its own' END,
    CASE WHEN m.version > m.own_version
        THEN concat(E'version\tthe account says that its last line is ', m.own_version) END,
    CASE WHEN m.version > m.was_version::numeric + 1
        THEN concat(E'gap\tlines ', m.was_version + 1, ' to ', m.version - 1, E' are missing\t',
            m.account_id, '/', m.was_version + 1)
        WHEN m.version < m.was_version::numeric + 1
        THEN concat(E'gap\tversion ', m.version, ' comes after ', m.was_version) END,
    CASE WHEN m.was_posted::numeric + m.amount <> m.posted
        THEN concat(E'chain\tposted was ', m.was_posted, ', amount is ', m.amount,
            ', posted is ', m.posted) END,
    CASE WHEN cardinality(m.lots) <> cardinality(m.parts) OR CASE cardinality(m.parts)
            WHEN 0 THEN 0 WHEN 1 THEN m.parts[1]
            ELSE (SELECT sum(part) FROM unnest(m.parts) AS part) END
        IS DISTINCT FROM m.amount::numeric + m.debt - m.was_debt
        OR (m.amount >= 0 AND 0 > ANY (m.parts)) OR (m.amount <= 0 AND 0 < ANY (m.parts))
        THEN concat(E'parts\tparts ', m.parts::text, ' of lots ', m.lots::text,
            ' for an amount of ', m.amount, ' while debt went from ', m.was_debt, ' to ',
            m.debt) END,
    CASE WHEN m.held < 0 OR m.debt < 0 OR CASE m.kind
            WHEN 'hold' THEN m.held::numeric - m.was_held <> h.amount
            WHEN 'release' THEN m.held >= m.was_held
            WHEN 'hold_expiry' THEN m.held >= m.was_held
            WHEN 'capture' THEN m.held > m.was_held
            ELSE m.held <> m.was_held END
        THEN concat(E'held\ta line of kind ', m.kind, ' took held from ', m.was_held, ' to ',
            m.held, ', debt to ', m.debt) END,
    CASE WHEN m.filled <> CASE WHEN m.amount > 0 AND m.kind IN ('grant', 'purchase', 'allowance')
            THEN m.posted ELSE m.was_filled END
        THEN concat(E'filled\tfilled was ', m.was_filled, ' and is ', m.filled) END,
    CASE WHEN m.at < m.was_at
        THEN concat(E'time\tat is ', m.at, ', the line before has ', m.was_at) END,
    CASE WHEN CASE
            WHEN m.kind IN ('hold', 'release', 'renewal', 'hold_expiry') THEN m.amount <> 0
            WHEN m.kind IN ('capture', 'expiry') THEN m.amount >= 0
            WHEN m.kind IN ('grant', 'purchase', 'spend', 'transfer', 'refund', 'reversal',
                'adjustment', 'allowance') THEN m.amount = 0
            ELSE true END
        THEN concat(E'kind\ta line of kind ', m.kind, ' has the amount ', m.amount) END,
    CASE WHEN c.id IS NULL OR c.asset_id <> m.own_asset OR c.bounded <> (m.kind = 'transfer')
        OR (m.kind = 'expiry' AND c.name IS DISTINCT FROM 'breakage')
        THEN concat(E'contra\taccount ', m.contra_id,
            ' cannot be the other side of a line of kind ', m.kind) END,
    CASE WHEN (m.request_id IS NULL) <> (m.kind IN ('expiry', 'hold_expiry'))
        THEN concat(E'request\ta line of kind ', m.kind, ' has request ',
            coalesce(encode(m.request_id, 'hex'), 'none')) END,
    CASE WHEN m.request_id IS NOT NULL AND r.id IS NULL
        THEN concat(E'line\tthe request of line ', m.account_id, '/', m.version, E' is missing\t',
            encode(m.request_id, 'hex'), E'\trequests') END,
    CASE WHEN r.outcome <> 'created' OR r.op <> CASE m.kind
            WHEN 'hold' THEN 'hold' WHEN 'release' THEN 'release' WHEN 'renewal' THEN 'renew'
            WHEN 'capture' THEN 'capture' WHEN 'transfer' THEN 'transfer'
            WHEN 'reversal' THEN 'reverse'
            ELSE CASE WHEN m.amount > 0 THEN 'grant' WHEN m.reverses IS NOT NULL THEN 'refund'
                ELSE 'spend' END END
        THEN concat(E'request\ta line of kind ', m.kind, ' has a request to ', r.op, ' that was ',
            r.outcome) END,
    CASE WHEN (r.account_id, r.version) <> (m.account_id, m.version) AND CASE
            WHEN m.kind = 'transfer' THEN (r.account_id, r.mirror_version)
                IS DISTINCT FROM (m.contra_id, m.version)
            WHEN m.kind IN ('capture', 'release', 'renewal') THEN h.group_id IS NULL
            ELSE true END
        THEN concat(E'request\tits request names line ', r.account_id, '/', r.version) END,
    CASE WHEN (m.hold_id IS NULL)
            = (m.kind IN ('hold', 'capture', 'release', 'renewal', 'hold_expiry'))
        OR (m.kind = 'hold' AND m.hold_id <> m.request_id)
        OR (h.account_id, h.contra_id) <> (m.account_id, m.contra_id)
        THEN concat(E'hold\ta line of kind ', m.kind, ' is about hold ',
            coalesce(encode(m.hold_id, 'hex'), 'none')) END,
    CASE WHEN m.hold_id IS NOT NULL AND h.id IS NULL
        THEN concat(E'line\tthe hold of line ', m.account_id, '/', m.version, E' is missing\t',
            encode(m.hold_id, 'hex'), E'\tholds') END,
    CASE WHEN (m.reverses IS NULL AND m.kind = 'reversal')
        OR (m.reverses IS NOT NULL AND m.kind NOT IN ('reversal', 'refund'))
        THEN concat(E'reversal\ta line of kind ', m.kind, ' reverses ',
            coalesce(m.reverses::text, 'nothing')) END)
FROM (
    SELECT l.*, lag(l.version, 1, greatest(l.since - 1, 0)) OVER before AS was_version,
        lag(l.posted, 1, 0::bigint) OVER before AS was_posted,
        lag(l.held, 1, 0::bigint) OVER before AS was_held,
        lag(l.debt, 1, 0::bigint) OVER before AS was_debt,
        lag(l.filled, 1, 0::bigint) OVER before AS was_filled, lag(l.at) OVER before AS was_at
    FROM lines l
    WINDOW before AS (PARTITION BY l.book_id, l.account_id ORDER BY l.version)
) m
LEFT JOIN comptoir.accounts c ON c.book_id = m.book_id AND c.id = m.contra_id
LEFT JOIN comptoir.requests r ON r.book_id = m.book_id AND r.id = m.request_id
LEFT JOIN comptoir.holds h ON h.book_id = m.book_id AND h.id = m.hold_id
WHERE m.version > m.since

UNION ALL
-- Transfers: the other side has a line that mirrors this one.
SELECT m.book_id, 'movements', concat(m.account_id, '/', m.version),
    CASE WHEN x.version IS NULL
        THEN concat(E'mirror\tthe line that mirrors ', m.account_id, '/', m.version,
            E' is missing\t', m.contra_id, '/', m.other)
        WHEN (x.contra_id, x.kind, x.at) <> (m.account_id, m.kind, m.at)
            OR x.amount::numeric + m.amount <> 0 OR x.request_id IS DISTINCT FROM m.request_id
        THEN concat(E'mirror\tline ', m.contra_id, '/', m.other, ' does not mirror this one') END
FROM (
    SELECT l.*, CASE WHEN r.account_id = l.account_id THEN r.mirror_version ELSE r.version END
        AS other
    FROM lines l
    JOIN comptoir.requests r ON r.book_id = l.book_id AND r.id = l.request_id
    WHERE l.kind = 'transfer' AND l.version > l.since
) m
LEFT JOIN comptoir.movements x
    ON x.book_id = m.book_id AND x.account_id = m.contra_id AND x.version = m.other

UNION ALL
-- Reversals: what they undo is there, once, and they undo all that is left of it. Refunds: what they
-- take part of is a grant, of which there was as much left. What undid something before, and was
-- not undone itself by then, had taken it.
SELECT m.book_id, 'movements', concat(m.account_id, '/', m.version),
    CASE WHEN t.version IS NULL OR t.version >= m.version OR t.contra_id <> m.contra_id
        OR CASE m.kind
            WHEN 'refund' THEN m.amount >= 0 OR t.amount <= 0 OR t.amount + k.taken + m.amount < 0
                OR t.kind NOT IN ('grant', 'purchase', 'allowance', 'adjustment')
            ELSE t.amount + k.taken + m.amount <> 0
                OR (t.kind NOT IN ('grant', 'purchase', 'allowance', 'adjustment', 'spend',
                    'capture') AND (t.kind <> 'refund' OR t.reverses IS NULL))
            END
        OR NOT CASE WHEN m.amount > 0 THEN m.lots @> t.lots ELSE m.lots <@ t.lots END
        OR (m.kind = 'reversal' AND EXISTS (SELECT FROM comptoir.movements u
            WHERE u.book_id = m.book_id AND u.account_id = m.account_id
                AND u.reverses = m.reverses AND u.version <> m.version AND u.kind = 'reversal'))
        THEN concat(E'reversal\tit cannot undo line ', m.account_id, '/', m.reverses) END
FROM lines m
LEFT JOIN comptoir.movements t
    ON t.book_id = m.book_id AND t.account_id = m.account_id AND t.version = m.reverses
CROSS JOIN LATERAL (
    SELECT coalesce(sum(u.amount), 0)::numeric AS taken FROM comptoir.movements u
    WHERE u.book_id = m.book_id AND u.account_id = m.account_id AND u.reverses = m.reverses
        AND u.version < m.version
        AND NOT EXISTS (SELECT FROM comptoir.movements g WHERE g.book_id = u.book_id
            AND g.account_id = u.account_id AND g.reverses = u.version AND g.version < m.version)
) k
WHERE m.reverses IS NOT NULL AND m.version > m.since

UNION ALL
-- Lots: what the journal left in them, what open holds pin, and the line that they come from.
SELECT coalesce(l.book_id, p.book_id), 'lots',
    concat(coalesce(l.account_id, p.account_id), '/', coalesce(l.no, p.no)),
    CASE WHEN l.no IS NULL THEN E'line\tlines name a lot that is missing' ELSE concat_ws(E'\n',
    CASE WHEN l.seal IS DISTINCT FROM hash_record_extended(ROW(l.book_id, l.account_id, l.no,
        l.source, l.priority, l.expires_at, l.granted, l.remaining, l.pinned, l.plain, l.lapsed,
        l.open, l.paid, l.tax, l.currency, l.version), 0)
        THEN E'seal\tthe row was changed behind the back of the ledger' END,
    CASE WHEN a.id IS NULL
        THEN concat(E'account\taccount ', l.account_id, ' does not exist') END,
    CASE WHEN l.pinned < 0 OR l.pinned > l.remaining OR l.remaining > l.granted
        OR l.granted <= 0 OR l.open <> (l.remaining > 0)
        OR (l.lapsed AND l.expires_at IS NULL) OR (l.plain AND l.paid <> 0)
        OR l.paid < 0 OR l.tax < 0
        THEN concat(E'limits\tgranted ', l.granted, ', remaining ', l.remaining, ', pinned ',
            l.pinned, ', open ', l.open, ', lapsed ', l.lapsed, ', plain ', l.plain, ', paid ',
            l.paid, ', tax ', l.tax, ' cannot be') END,
    CASE WHEN l.version > l.since AND coalesce(p.part, 0) <> l.remaining
        THEN concat(E'parts\tremaining is ', l.remaining, ', but the journal left ',
            coalesce(p.part, 0)) END,
    CASE WHEN coalesce(q.part, 0) <> l.pinned
        THEN concat(E'pins\tpinned is ', l.pinned, ', but open holds pin ', coalesce(q.part, 0))
        END,
    CASE WHEN l.no > a.lots_made
        THEN concat(E'number\tthe account says that it has made ', a.lots_made, ' lots') END,
    CASE WHEN l.gap > 0
        THEN concat(E'number\tlots ', l.no - l.gap, ' to ', l.no - 1, E' are missing\t',
            l.account_id, '/', l.no - l.gap) END,
    CASE WHEN l.version > l.since
        AND (o.version IS NULL OR o.amount <= 0 OR l.no <> ALL (o.lots))
        THEN concat(E'origin\tline ', l.account_id, '/', l.version, ' did not open this lot') END)
    END
FROM (
    -- Not every lot is read when only new lines are, so that gaps mean nothing then.
    SELECT x.*, CASE WHEN b.incremental THEN 0 ELSE x.no - 1 - lag(x.no, 1, 0)
        OVER (PARTITION BY x.book_id, x.account_id ORDER BY x.no) END AS gap
    FROM bounds b JOIN lots_in x ON x.book_id = b.book_id
) l
FULL JOIN poured p
    ON p.book_id = l.book_id AND p.account_id = l.account_id AND p.no = l.no
LEFT JOIN (
    SELECT h.book_id, h.account_id, pin.no, sum(pin.part) AS part
    FROM holds_in h CROSS JOIN LATERAL unnest(h.pin_lots, h.pin_parts) AS pin(no, part)
    WHERE h.state = 'open'
    GROUP BY h.book_id, h.account_id, pin.no
) q ON q.book_id = l.book_id AND q.account_id = l.account_id AND q.no = l.no
LEFT JOIN comptoir.accounts a ON a.book_id = l.book_id AND a.id = l.account_id
LEFT JOIN comptoir.movements o
    ON o.book_id = l.book_id AND o.account_id = l.account_id AND o.version = l.version
    AND o.version > l.since

UNION ALL
-- All that was ever put into the lots of an account, against what the journal gave it.
SELECT coalesce(l.book_id, g.book_id), 'accounts', coalesce(l.account_id, g.account_id)::text,
    CASE WHEN coalesce(l.granted, 0) <> coalesce(g.given, 0)
        THEN concat(E'granted\tits lots were granted ', coalesce(l.granted, 0),
            ', but the journal gave ', coalesce(g.given, 0)) END
FROM (
    SELECT x.book_id, x.account_id, sum(x.granted) AS granted
    FROM bounds b JOIN lots_in x ON x.book_id = b.book_id
    WHERE NOT b.incremental GROUP BY x.book_id, x.account_id
) l
FULL JOIN (
    -- A reversal gives back into old lots; only what was owed meanwhile goes into a new one.
    SELECT m.book_id, m.account_id, sum(m.amount + CASE WHEN m.kind = 'reversal' THEN (
            SELECT coalesce(sum(part), 0) FROM comptoir.movements t
            CROSS JOIN LATERAL unnest(t.parts) AS part
            WHERE t.book_id = m.book_id AND t.account_id = m.account_id AND t.version = m.reverses
        ) ELSE 0 END) AS given
    FROM bounds b JOIN lines m ON m.book_id = b.book_id
    WHERE NOT b.incremental AND m.amount > 0 GROUP BY m.book_id, m.account_id
) g ON g.book_id = l.book_id AND g.account_id = l.account_id

UNION ALL
-- Holds: their rows, the lines that opened and closed them, their group.
SELECT h.book_id, 'holds', encode(h.id, 'hex'), concat_ws(E'\n',
    CASE WHEN h.seal IS DISTINCT FROM hash_record_extended(ROW(h.book_id, h.id, h.account_id,
        h.contra_id, h.amount, h.captured, h.state, h.on_excess, h.expires_at, h.group_id,
        h.pin_lots, h.pin_parts, h.opened, h.closed, h.at), 0)
        THEN E'seal\tthe row was changed behind the back of the ledger' END,
    CASE WHEN a.id IS NULL
        THEN concat(E'account\taccount ', h.account_id, ' does not exist') END,
    CASE WHEN c.id IS NULL OR c.bounded OR c.asset_id <> a.asset_id
        THEN concat(E'contra\taccount ', h.contra_id, ' cannot be the other side') END,
    CASE WHEN h.amount <= 0 OR h.captured < 0
        OR h.state NOT IN ('open', 'captured', 'released', 'expired')
        OR h.on_excess NOT IN ('refuse', 'cap', 'debt')
        OR (h.captured > h.amount AND h.on_excess <> 'debt')
        OR (h.state <> 'captured' AND h.captured >= h.amount)
        OR (h.state = 'open') <> (h.closed IS NULL)
        THEN concat(E'limits\tamount ', h.amount, ', captured ', h.captured, ', state ', h.state,
            ', on_excess ', h.on_excess, ', closed ', coalesce(h.closed::text, 'never'),
            ' cannot be') END,
    CASE WHEN cardinality(h.pin_lots) <> cardinality(h.pin_parts)
        OR (h.state <> 'open' AND cardinality(h.pin_lots) > 0) OR 0 >= ANY (h.pin_parts)
        OR (SELECT sum(part) FROM unnest(h.pin_parts) AS part) > h.amount::numeric - h.captured
        OR EXISTS (SELECT FROM unnest(h.pin_lots) AS pin(no) WHERE NOT EXISTS (
            SELECT FROM comptoir.lots l
            WHERE l.book_id = h.book_id AND l.account_id = h.account_id AND l.no = pin.no))
        THEN concat(E'pins\tpins ', h.pin_parts::text, ' in lots ', h.pin_lots::text) END,
    -- Holds that an older version made do not say what they pinned at first.
    CASE WHEN num_nonnulls(h.first_lots, h.first_parts, h.first_seal) > 0 AND (
            h.first_seal IS DISTINCT FROM
                hash_record_extended(ROW(h.id, h.first_lots, h.first_parts), 0)
            OR (h.state = 'open'
                AND (SELECT coalesce(sum(part), 0) FROM unnest(h.pin_parts) AS part)
                <> (SELECT greatest(coalesce(sum(part), 0) - h.captured, 0)
                    FROM unnest(h.first_parts) AS part)))
        THEN concat(E'first\tfirst pins ', h.first_parts::text, ' in lots ', h.first_lots::text)
        END,
    CASE WHEN (o.kind, o.hold_id, o.at) IS DISTINCT FROM ('hold', h.id, h.at)
        THEN concat(E'opened\tline ', h.account_id, '/', h.opened, ' did not open it') END,
    CASE WHEN h.closed IS NOT NULL AND (e.kind, e.hold_id) IS DISTINCT FROM (CASE h.state
            WHEN 'captured' THEN 'capture' WHEN 'released' THEN 'release' ELSE 'hold_expiry' END,
            h.id)
        THEN concat(E'closed\tline ', h.account_id, '/', h.closed, ' did not close it') END,
    CASE WHEN h.group_id IS NOT NULL AND (NOT EXISTS (
            SELECT FROM comptoir.holds f
            WHERE f.book_id = h.book_id AND f.id = h.group_id AND f.group_id = f.id
        ) OR NOT EXISTS (
            SELECT FROM comptoir.holds f
            WHERE f.book_id = h.book_id AND f.group_id = h.group_id AND f.id <> h.id))
        THEN concat(E'group\tgroup ', encode(h.group_id, 'hex'), ' has no first or no other hold')
        END)
FROM holds_in h
LEFT JOIN comptoir.accounts a ON a.book_id = h.book_id AND a.id = h.account_id
LEFT JOIN comptoir.accounts c ON c.book_id = h.book_id AND c.id = h.contra_id
LEFT JOIN comptoir.movements o
    ON o.book_id = h.book_id AND o.account_id = h.account_id AND o.version = h.opened
LEFT JOIN comptoir.movements e
    ON e.book_id = h.book_id AND e.account_id = h.account_id AND e.version = h.closed

UNION ALL
-- Holds against the story of their lines.
SELECT h.book_id, 'holds', encode(h.id, 'hex'), concat_ws(E'\n',
    CASE WHEN h.captured <> coalesce(t.captured, 0)
        THEN concat(E'captured\tcaptured is ', h.captured, ', but its lines captured ',
            coalesce(t.captured, 0)) END,
    CASE WHEN h.expires_at IS DISTINCT FROM r.expires_at
        THEN concat(E'expires\texpires_at is ', h.expires_at, ', but line ', t.account_id, '/',
            t.timed_by, ' set ', r.expires_at) END,
    CASE WHEN t.openings <> 1 OR CASE h.state
            WHEN 'open' THEN coalesce(t.release, t.expiry) IS NOT NULL
            WHEN 'released' THEN h.closed IS DISTINCT FROM t.release
            WHEN 'expired' THEN h.closed IS DISTINCT FROM t.expiry
            ELSE h.closed IS DISTINCT FROM t.capture END
        THEN concat(E'state\tstate is ', h.state, ' by line ', coalesce(h.closed, h.opened),
            ', which is not what its lines say') END)
FROM lives t
JOIN comptoir.holds h ON h.book_id = t.book_id AND h.id = t.hold_id
LEFT JOIN comptoir.movements m
    ON m.book_id = t.book_id AND m.account_id = t.account_id AND m.version = t.timed_by
LEFT JOIN comptoir.requests r ON r.book_id = m.book_id AND r.id = m.request_id
WHERE t.ends AND t.openings > 0

UNION ALL
-- Requests about holds: the figures that their answers show.
SELECT r.book_id, 'requests', encode(r.id, 'hex'),
    CASE WHEN (r.captured, r.late, r.expires_at)
        IS DISTINCT FROM (coalesce(t.captured, 0), t.kind = 'capture' AND t.expired, y.expires_at)
        THEN concat(E'figures\tcaptured, late, expires_at are ', r.captured, ', ', r.late, ', ',
            r.expires_at, '; at that line they were ', coalesce(t.captured, 0), ', ',
            t.kind = 'capture' AND t.expired, ', ', y.expires_at) END
FROM lives t
JOIN comptoir.requests r ON r.book_id = t.book_id AND r.id = t.request_id
    AND r.account_id = t.account_id AND r.version = t.version
LEFT JOIN comptoir.movements m
    ON m.book_id = t.book_id AND m.account_id = t.account_id AND m.version = t.timed_by
LEFT JOIN comptoir.requests y ON y.book_id = m.book_id AND y.id = m.request_id
WHERE t.openings > 0

UNION ALL
-- Requests: whoever was told "created" has his line, whoever was refused has none.
SELECT r.book_id, 'requests', encode(r.id, 'hex'), concat_ws(E'\n',
    CASE WHEN r.seal IS DISTINCT FROM hash_record_extended(ROW(r.book_id, r.id, r.mark, r.op,
        r.outcome, r.account_id, r.version, r.mirror_version, r.expires_at, r.captured, r.late,
        r.needed, r.available, r.at), 0)
        THEN E'seal\tthe row was changed behind the back of the ledger' END,
    CASE WHEN a.id IS NULL
        THEN concat(E'account\taccount ', r.account_id, ' does not exist') END,
    CASE WHEN octet_length(r.id) <> 16 OR octet_length(r.mark) < 16
        OR mod(octet_length(r.mark) - 16, 3) <> 0
        THEN E'limits\tid or mark is too short or too long' END,
    CASE WHEN r.op NOT IN ('grant', 'spend', 'transfer', 'hold', 'capture', 'release', 'renew',
            'reverse', 'refund')
        OR r.outcome NOT IN ('created', 'hold_not_open', 'already_reversed', 'partly_spent',
            'insufficient')
        OR (r.outcome = 'created') <> (r.version IS NOT NULL)
        OR (r.outcome = 'created' AND r.op = 'transfer') <> (r.mirror_version IS NOT NULL)
        OR (r.outcome = 'created' AND r.op IN ('hold', 'capture', 'release', 'renew'))
            <> (r.captured IS NOT NULL)
        OR (r.expires_at IS NOT NULL AND r.captured IS NULL)
        OR (r.late AND (r.outcome <> 'created' OR r.op <> 'capture'))
        OR (r.outcome IN ('insufficient', 'partly_spent')) <> (r.needed IS NOT NULL)
        OR (r.needed IS NULL) <> (r.available IS NULL) OR r.needed <= 0 OR r.needed <= r.available
        THEN concat(E'limits\ta request to ', r.op, ' that was ', r.outcome, ' has version ',
            r.version, ', mirror_version ', r.mirror_version, ', captured ', r.captured,
            ', expires_at ', r.expires_at, ', late ', r.late, ', needed ', r.needed,
            ', available ', r.available) END,
    CASE WHEN r.version IS NOT NULL AND (m.version IS NULL OR m.request_id IS DISTINCT FROM r.id
            OR m.at <> r.at)
        THEN concat(E'line\tline ', r.account_id, '/', r.version, ' is not the one it made') END,
    CASE WHEN m.request_id = r.id AND r.op <> CASE m.kind
            WHEN 'hold' THEN 'hold' WHEN 'release' THEN 'release' WHEN 'renewal' THEN 'renew'
            WHEN 'capture' THEN 'capture' WHEN 'transfer' THEN 'transfer'
            WHEN 'reversal' THEN 'reverse'
            ELSE CASE WHEN m.amount > 0 THEN 'grant' WHEN m.reverses IS NOT NULL THEN 'refund'
                ELSE 'spend' END END
        THEN concat(E'line\ta request to ', r.op, ' made a line of kind ', m.kind) END,
    CASE WHEN r.mirror_version IS NOT NULL AND NOT EXISTS (
            SELECT FROM comptoir.movements x WHERE x.book_id = r.book_id
                AND x.account_id = m.contra_id AND x.version = r.mirror_version
                AND x.request_id = r.id)
        THEN concat(E'mirror\tline ', m.contra_id, '/', r.mirror_version, ' is not the one it made')
        END)
FROM requests_in r
LEFT JOIN comptoir.accounts a ON a.book_id = r.book_id AND a.id = r.account_id
LEFT JOIN comptoir.movements m
    ON m.book_id = r.book_id AND m.account_id = r.account_id AND m.version = r.version

UNION ALL
-- Conservation: what the accounts of an asset have is what its open accounts gave. A line that
-- leaves these accounts for one that is not looked at here counts as given, too.
SELECT book_id, 'assets', asset_id::text,
    CASE WHEN sum(posted) <> sum(given)
        THEN concat(E'conservation\tits accounts have ', sum(posted), ', its open accounts gave ',
            sum(given)) END
FROM (
    SELECT s.book_id, s.asset_id, s.posted::numeric - s.seen_posted AS posted, 0::numeric AS given
    FROM scope s
    UNION ALL
    SELECT g.book_id, c.asset_id, 0, g.amount
    FROM bounds b
    JOIN (
        SELECT m.book_id, m.contra_id, sum(m.amount) AS amount
        FROM lines m WHERE m.version > m.since GROUP BY m.book_id, m.contra_id
    ) g ON g.book_id = b.book_id
    JOIN comptoir.accounts c ON c.book_id = g.book_id AND c.id = g.contra_id
    WHERE b.incremental OR NOT c.bounded OR c.id NOT BETWEEN b.low AND b.high
) side
GROUP BY book_id, asset_id

UNION ALL
-- Rows of books that do not exist.
SELECT t.book_id, t.table_name, t.row_key, E'book\tthere is no such book'
FROM (
    SELECT lag(id::bigint, 1, -3000000000) OVER (ORDER BY id) AS above, id::bigint AS below
    FROM comptoir.books
    UNION ALL
    SELECT max(id), 3000000000 FROM comptoir.books
) hole
CROSS JOIN LATERAL (
    SELECT book_id, 'accounts' AS table_name, id::text AS row_key FROM comptoir.accounts
        WHERE book_id > hole.above AND book_id < hole.below
    UNION ALL
    SELECT book_id, 'movements', concat(account_id, '/', version) FROM comptoir.movements
        WHERE book_id > hole.above AND book_id < hole.below
    UNION ALL
    SELECT book_id, 'lots', concat(account_id, '/', no) FROM comptoir.lots
        WHERE book_id > hole.above AND book_id < hole.below
    UNION ALL
    SELECT book_id, 'holds', encode(id, 'hex') FROM comptoir.holds
        WHERE book_id > hole.above AND book_id < hole.below
    UNION ALL
    SELECT book_id, 'requests', encode(id, 'hex') FROM comptoir.requests
        WHERE book_id > hole.above AND book_id < hole.below
) t
WHERE EXISTS (SELECT FROM bounds b WHERE b.strays)
)

SELECT DISTINCT f.book_id AS book, split_part(fault, E'\t', 1) AS check_name,
    coalesce(nullif(split_part(fault, E'\t', 4), ''), f.table_name) AS table_name,
    coalesce(nullif(split_part(fault, E'\t', 3), ''), f.row_key) AS row_key,
    split_part(fault, E'\t', 2) AS detail
FROM found f CROSS JOIN LATERAL string_to_table(f.faults, E'\n') AS fault
WHERE f.faults <> ''
ORDER BY book, table_name, row_key, check_name, detail;
