"""What was earned by the hour: added up once, when an hour is over for good."""

from typing import Final

ALONE: Final = "SELECT pg_try_advisory_xact_lock(%s, %s)"

UNTIL: Final = """
SELECT comptoir.micros(until) FROM comptoir.earnings_until WHERE book_id = %s AND asset_id = %s"""

BEGIN: Final = """
INSERT INTO comptoir.earnings_until (book_id, asset_id, until)
SELECT %(book)s, %(asset)s, date_trunc('hour', created_at, 'UTC') FROM comptoir.books
WHERE id = %(book)s
ON CONFLICT (book_id, asset_id) DO UPDATE SET until = earnings_until.until
RETURNING comptoir.micros(until)"""
"""It locks the row."""

GO_ON: Final = """
UPDATE comptoir.earnings_until SET until = comptoir.moment(%s) WHERE book_id = %s AND asset_id = %s
RETURNING until"""

ADD: Final = """
INSERT INTO comptoir.earnings (book_id, asset_id, hour, action, model, currency, times, credits,
    unpaid, cost, revenue)
SELECT %s, %s, comptoir.moment(t.hour), t.action, t.model, t.currency, t.times, t.credits, t.unpaid,
    t.cost, t.revenue
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[],
    %s::bigint[], %s::bigint[], %s::bigint[])
    AS t(hour, action, model, currency, times, credits, unpaid, cost, revenue)"""

SUM: Final = """
SELECT CASE %(by)s WHEN 'model' THEN model ELSE action END, currency, sum(times)::bigint,
    sum(credits)::bigint, sum(unpaid)::bigint, sum(cost)::bigint, sum(revenue)::bigint
FROM comptoir.earnings
WHERE book_id = %(book)s AND asset_id = %(asset)s
    AND hour >= comptoir.moment(%(since)s) AND hour < comptoir.moment(%(until)s)
GROUP BY 1, 2"""
