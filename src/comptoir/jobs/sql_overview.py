"""Every statement of pages about jobs: each reads a bounded number of rows by an index."""

from typing import Final

# Of each state the newest; of these the newest of all. By whole rows of the index: where a state is
# asked for as equal, its order is that of the primary key, by which all jobs would be read.
LOOK: Final = """
SELECT found.id, found.task_name
FROM unnest(%(statuses)s::text[], %(tried)s::boolean[]) AS shown(status, tried)
CROSS JOIN LATERAL (
    SELECT j.id, j.task_name FROM comptoir.procrastinate_jobs j
    WHERE (j.args->>'book', j.status, (j.attempts > 0), j.id) < (%(book)s::integer::text,
            shown.status::comptoir.procrastinate_job_status, shown.tried, %(before)s)
        AND (j.args->>'book', j.status, (j.attempts > 0), j.id) >= (%(book)s::integer::text,
            shown.status::comptoir.procrastinate_job_status, shown.tried, 0)
    ORDER BY j.args->>'book' DESC, j.status DESC, (j.attempts > 0) DESC, j.id DESC
    LIMIT %(most)s
) found ORDER BY found.id DESC LIMIT %(most)s"""

COUNT: Final = """
SELECT shown.status, shown.tried, (
    SELECT count(*) FROM (
        SELECT FROM comptoir.procrastinate_jobs j
        WHERE j.args->>'book' = %(book)s::integer::text
            AND j.status = shown.status::comptoir.procrastinate_job_status
            AND (j.attempts > 0) = shown.tried
        LIMIT %(most)s
    ) few
)
FROM unnest(%(statuses)s::text[], %(tried)s::boolean[]) AS shown(status, tried)"""
"""Never more than so many of each."""

# A large payload is not read for a list.
LISTED: Final = """
SELECT j.id, (j.args->>'job')::uuid, j.task_name, j.status::text, j.attempts,
    CASE WHEN pg_column_size(j.args) < 1000 THEN j.args->'payload' END,
    comptoir.micros(j.scheduled_at), r.error, comptoir.micros(r.at)
FROM comptoir.procrastinate_jobs j
LEFT JOIN comptoir.job_results r ON r.book_id = (j.args->>'book')::integer
    AND r.job = (j.args->>'job')::uuid
WHERE j.id = ANY(%s) AND j.args->>'book' = %s::integer::text ORDER BY j.id DESC"""

FIND: Final = """
SELECT j.id, (j.args->>'job')::uuid, j.task_name, j.status::text, j.attempts, j.args->'payload',
    comptoir.micros(j.scheduled_at), r.error, comptoir.micros(r.at), r.result, r.tries
FROM comptoir.procrastinate_jobs j
LEFT JOIN comptoir.job_results r ON r.book_id = (j.args->>'book')::integer
    AND r.job = (j.args->>'job')::uuid
WHERE j.args->>'job' = %s::uuid::text AND j.args->>'book' = %s::integer::text"""

EVENTS: Final = """
SELECT type::text, comptoir.micros(at) FROM comptoir.procrastinate_events
WHERE job_id = %s ORDER BY at DESC, id DESC LIMIT %s"""

LAST_SLOTS: Final = """
SELECT known.task, comptoir.micros(last.slot), last.job FROM unnest(%s::text[]) AS known(task)
CROSS JOIN LATERAL (
    SELECT s.slot, s.job FROM comptoir.job_slots s
    WHERE s.task = known.task AND s.job IS NOT NULL ORDER BY s.slot DESC LIMIT 1
) last"""
