"""Every statement about jobs that are done elsewhere, under a lease.

Whoever ends a lease, or takes it over, deletes its row first and only then touches the job: of two,
one does.
"""

from typing import Final

from comptoir.jobs.sql import MORE, TRIED

# Of each place the first that may be done, by an index of its own; of these the first of all.
TAKE: Final = """
WITH waiting AS (
    SELECT first.* FROM unnest(%(places)s::text[]) AS place CROSS JOIN LATERAL (
        SELECT j.id, j.priority FROM comptoir.procrastinate_jobs j
        WHERE j.queue_name = place AND j.args->>'book' = %(book)s::integer::text
            AND j.status = 'todo' AND j.scheduled_at IS NULL
        ORDER BY j.priority DESC, j.id LIMIT %(most)s FOR UPDATE SKIP LOCKED
    ) first
), due AS (
    SELECT first.* FROM unnest(%(places)s::text[]) AS place CROSS JOIN LATERAL (
        SELECT j.id, j.priority FROM comptoir.procrastinate_jobs j
        WHERE j.queue_name = place AND j.args->>'book' = %(book)s::integer::text
            AND j.status = 'todo' AND j.scheduled_at <= now()
        ORDER BY j.scheduled_at LIMIT %(most)s FOR UPDATE SKIP LOCKED
    ) first
), candidate AS (
    SELECT * FROM waiting UNION ALL SELECT * FROM due ORDER BY priority DESC, id LIMIT %(most)s
), taken AS (
    UPDATE comptoir.procrastinate_jobs j SET status = 'doing', worker_id = NULL
    FROM candidate WHERE j.id = candidate.id
    RETURNING j.id, j.priority, (j.args->>'job')::uuid AS job, j.task_name,
        j.args->'payload' AS payload, j.attempts + 1 AS attempt
), leased AS (
    INSERT INTO comptoir.job_leases (job_id, lease, expires_at)
    SELECT id, %(lease)s::uuid, clock_timestamp() + make_interval(secs => %(seconds)s) FROM taken
    RETURNING job_id, expires_at
)
SELECT t.job, t.task_name, t.payload, t.attempt, l.expires_at
FROM taken t JOIN leased l ON l.job_id = t.id ORDER BY t.priority DESC, t.id"""

_OF_JOB: Final = """
l.job_id = j.id AND j.args->>'job' = %s::uuid::text AND j.args->>'book' = %s::integer::text"""

RENEW: Final = f"""
UPDATE comptoir.job_leases l SET expires_at = clock_timestamp() + make_interval(secs => %s)
FROM comptoir.procrastinate_jobs j WHERE {_OF_JOB} AND l.lease = %s
RETURNING l.expires_at"""  # our own words

GIVE_UP: Final = f"""
DELETE FROM comptoir.job_leases l USING comptoir.procrastinate_jobs j
WHERE {_OF_JOB} AND l.lease = %s RETURNING j.id, j.attempts"""  # our own words

REVOKE: Final = f"""
DELETE FROM comptoir.job_leases l USING comptoir.procrastinate_jobs j
WHERE {_OF_JOB} RETURNING j.id"""  # our own words

END: Final = """
UPDATE comptoir.procrastinate_jobs SET status = %s::comptoir.procrastinate_job_status,
    attempts = attempts + 1, abort_requested = false, scheduled_at = coalesce(
        clock_timestamp() + make_interval(secs => %s::double precision), scheduled_at)
WHERE id = %s"""

# Who had leased them has gone: they are tried again, or are dead when that was their last try.
FREE: Final = f"""
WITH expired AS (
    SELECT job_id FROM comptoir.job_leases WHERE expires_at <= now()
    ORDER BY expires_at LIMIT 500 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM comptoir.job_leases l USING expired e WHERE l.job_id = e.job_id RETURNING l.job_id
), freed AS (
    UPDATE comptoir.procrastinate_jobs j SET attempts = j.attempts + 1,
        status = CASE WHEN j.attempts + 1 >= %s THEN
            'failed'::comptoir.procrastinate_job_status ELSE 'todo' END
    FROM gone WHERE j.id = gone.job_id
    RETURNING j.id, j.queue_name, (j.args->>'book')::integer AS book,
        (j.args->>'job')::uuid AS job, j.status = 'failed' AS is_dead
), noted AS (
    INSERT INTO comptoir.job_results AS r (book_id, job, error, tries)
    SELECT book, job, said.error, {TRIED} FROM freed, (SELECT 'WorkerLost' AS error) said
    ON CONFLICT (book_id, job) DO UPDATE SET {MORE}
)
SELECT pg_notify('procrastinate_queue_v1#' || queue_name,
    json_build_object('type', 'job_inserted', 'job_id', id)::text) FROM freed WHERE NOT is_dead"""
