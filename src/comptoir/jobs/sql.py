"""Every statement about jobs. The queue's own tables are procrastinate's."""

from typing import Final

ENQUEUE: Final = """
SELECT comptoir.enqueue(%s::integer, %s::uuid, %s::text, %s::text, %s::jsonb, %s::text,
    %s::integer, %s::timestamptz)"""

ENQUEUE_EACH: Final = """
SELECT comptoir.enqueue(t.book, t.job, t.queue, t.type, t.payload, t.uniqueness, t.priority,
    t.run_at)
FROM unnest(%s::integer[], %s::uuid[], %s::text[], %s::text[], %s::jsonb[], %s::text[],
    %s::integer[], %s::timestamptz[])
    AS t(book, job, queue, type, payload, uniqueness, priority, run_at)"""
"""The same for companion rows of the ledger: a row a job."""

_SEEN: Final = """
SELECT j.id, (j.args->>'job')::uuid, j.task_name, j.status::text, j.attempts, j.args->'payload',
    j.scheduled_at, r.result, r.error, r.at
FROM comptoir.procrastinate_jobs j
LEFT JOIN comptoir.job_results r ON r.book_id = (j.args->>'book')::integer
    AND r.job = (j.args->>'job')::uuid"""

FIND: Final = f"""
{_SEEN} WHERE j.args->>'job' = %s::uuid::text AND j.args->>'book' = %s::integer::text"""

LIST: Final = f"""
{_SEEN}
WHERE j.args->>'book' = %(book)s::integer::text AND j.id < %(before)s
    AND (%(type)s::text IS NULL OR j.task_name = %(type)s)
    AND (%(queue)s::text IS NULL OR split_part(j.queue_name, '/', 1) = %(queue)s)
    AND (%(statuses)s::text[] IS NULL OR j.status::text = ANY(%(statuses)s))
    AND (%(tried)s::boolean IS NULL OR (j.attempts > 0) = %(tried)s)
ORDER BY j.id DESC LIMIT %(limit)s"""

REQUEUE: Final = """
UPDATE comptoir.procrastinate_jobs SET status = 'todo', attempts = 0, scheduled_at = NULL,
    abort_requested = false, worker_id = NULL
WHERE args->>'job' = %s::uuid::text AND args->>'book' = %s::integer::text
    AND (status IN ('failed', 'cancelled', 'aborted') OR (status = 'todo' AND attempts > 0))
RETURNING queue_name, id"""

FORGET_RESULT: Final = """
UPDATE comptoir.job_results SET result = NULL, error = NULL WHERE book_id = %s AND job = %s"""
"""Why its tries have failed is remembered."""

WAKE: Final = """
SELECT pg_notify('procrastinate_queue_v1#' || %s,
    json_build_object('type', 'job_inserted', 'job_id', %s::bigint)::text)"""
"""What the queue's own trigger says when a job comes in; it says nothing when one comes back."""

CANCEL: Final = """
UPDATE comptoir.procrastinate_jobs SET
    abort_requested = status = 'doing',
    status = CASE status WHEN 'todo' THEN 'cancelled'::comptoir.procrastinate_job_status
        ELSE status END
WHERE args->>'job' = %s::uuid::text AND args->>'book' = %s::integer::text
    AND status IN ('todo', 'doing')
RETURNING status::text"""

KEEP_RESULT: Final = """
INSERT INTO comptoir.job_results (book_id, job, result, error) VALUES (%s, %s, %s::jsonb, %s)
ON CONFLICT (book_id, job) DO UPDATE SET result = excluded.result, error = excluded.error,
    at = clock_timestamp()"""

KEEP_RESULT_SOON: Final = """
INSERT INTO comptoir.job_results (book_id, job, result, error)
SELECT %s::integer, %s::uuid, %s::jsonb, %s::text
FROM (SELECT set_config('synchronous_commit', 'off', true) AS said) soon WHERE said IS NOT NULL
ON CONFLICT (book_id, job) DO UPDATE SET result = excluded.result, error = excluded.error,
    at = clock_timestamp() RETURNING 1"""
"""The same, alone and without waiting for the disk: one round trip."""

MORE: Final = """result = NULL, error = excluded.error, at = clock_timestamp(), tries = CASE
    WHEN jsonb_array_length(r.tries) < 50 THEN r.tries ELSE r.tries - 0 END || excluded.tries"""
"""What one more try that has failed changes."""

TRIED: Final = """jsonb_build_array(jsonb_build_object(
    'at', comptoir.micros(clock_timestamp()), 'error', said.error))"""

NOTE_TRY_SOON: Final = f"""
INSERT INTO comptoir.job_results AS r (book_id, job, error, tries)
SELECT %s::integer, %s::uuid, said.error, {TRIED}
FROM (SELECT %s::text AS error, set_config('synchronous_commit', 'off', true) AS soon) said
WHERE soon IS NOT NULL
ON CONFLICT (book_id, job) DO UPDATE SET {MORE} RETURNING 1"""  # our own words
"""A try has failed: when, and the kind of its error; without waiting for the disk."""

NOTE_TRY: Final = f"""
INSERT INTO comptoir.job_results AS r (book_id, job, error, tries)
SELECT %s::integer, %s::uuid, said.error, {TRIED}
FROM (SELECT %s::text AS error) said
ON CONFLICT (book_id, job) DO UPDATE SET {MORE}"""  # our own words

DEPTHS: Final = """
WITH counted AS (
    SELECT split_part(queue_name, '/', 1) AS queue,
        count(*) FILTER (WHERE status = 'todo') AS waiting,
        count(*) FILTER (WHERE status = 'doing') AS running,
        count(*) FILTER (WHERE status = 'failed') AS dead,
        min(id) FILTER (WHERE status = 'todo'
            AND (scheduled_at IS NULL OR scheduled_at <= clock_timestamp())) AS oldest
    FROM comptoir.procrastinate_jobs
    WHERE args->>'book' = %s::integer::text AND status IN ('todo', 'doing', 'failed') GROUP BY 1
) SELECT c.queue, c.waiting, c.running, c.dead, coalesce(extract(epoch FROM clock_timestamp() - (
    SELECT greatest(j.scheduled_at, min(e.at)) FROM comptoir.procrastinate_jobs j
    JOIN comptoir.procrastinate_events e ON e.job_id = j.id
    WHERE j.id = c.oldest GROUP BY j.scheduled_at
)), 0)::float8 FROM counted c"""

# Of each place the first that may be done, by an index of its own; of these the first of all.
FETCH: Final = """
WITH waiting AS (
    SELECT first.* FROM unnest(%(places)s::text[]) AS place CROSS JOIN LATERAL (
        SELECT j.id, j.priority FROM comptoir.procrastinate_jobs j
        WHERE j.queue_name = place AND j.status = 'todo' AND j.scheduled_at IS NULL
        ORDER BY j.priority DESC, j.id LIMIT 1 FOR UPDATE SKIP LOCKED
    ) first
), due AS (
    SELECT first.* FROM unnest(%(places)s::text[]) AS place CROSS JOIN LATERAL (
        SELECT j.id, j.priority FROM comptoir.procrastinate_jobs j
        WHERE j.queue_name = place AND j.status = 'todo' AND j.scheduled_at <= now()
        ORDER BY j.scheduled_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ) first
), candidate AS (
    SELECT * FROM waiting UNION ALL SELECT * FROM due ORDER BY priority DESC, id LIMIT 1
)
UPDATE comptoir.procrastinate_jobs j SET status = 'doing', worker_id = %(worker_id)s
FROM candidate WHERE j.id = candidate.id
RETURNING j.id, j.status, j.task_name, j.priority, j.lock, j.queueing_lock, j.args, j.scheduled_at,
    j.queue_name, j.attempts, j.worker_id"""

# A worker that has gone, or has not been heard of for too long, does its jobs no more: they are
# tried again, or are dead when that was their last try.
SWEEP: Final = f"""
WITH stalled AS (
    SELECT j.id, j.attempts + 1 >= known.most AS is_last
    FROM comptoir.procrastinate_jobs j
    JOIN unnest(%s::text[], %s::integer[]) AS known(queue_name, most) USING (queue_name)
    LEFT JOIN comptoir.procrastinate_workers w ON w.id = j.worker_id
    WHERE j.status = 'doing'
        AND (w.id IS NULL OR w.last_heartbeat < now() - make_interval(secs => %s))
        AND NOT EXISTS (SELECT FROM comptoir.job_leases l WHERE l.job_id = j.id)
    ORDER BY j.id LIMIT 500 FOR UPDATE OF j SKIP LOCKED
), freed AS (
    UPDATE comptoir.procrastinate_jobs j SET
        status = CASE WHEN s.is_last OR j.abort_requested THEN
            'failed'::comptoir.procrastinate_job_status ELSE 'todo' END,
        attempts = j.attempts + 1, abort_requested = false, worker_id = NULL
    FROM stalled s WHERE j.id = s.id
    RETURNING j.id, j.queue_name, (j.args->>'book')::integer AS book,
        (j.args->>'job')::uuid AS job, j.status = 'failed' AS is_dead
), noted AS (
    INSERT INTO comptoir.job_results AS r (book_id, job, error, tries)
    SELECT book, job, said.error, {TRIED} FROM freed, (SELECT 'WorkerLost' AS error) said
    ON CONFLICT (book_id, job) DO UPDATE SET {MORE}
)
SELECT job, is_dead, pg_notify('procrastinate_queue_v1#' || queue_name,
    json_build_object('type', 'job_inserted', 'job_id', id)::text)::text FROM freed"""

PRUNE_WORKERS: Final = """
DELETE FROM comptoir.procrastinate_workers
WHERE last_heartbeat < now() - make_interval(secs => %s)"""

# What ended long ago goes, results first: a job without one stays until somebody looks.
CLEANED: Final = 1_000
CLEAN: Final = f"""
WITH old AS (
    SELECT j.id, r.book_id, r.job FROM comptoir.job_results r
    CROSS JOIN LATERAL (
        SELECT j.id, j.status FROM comptoir.procrastinate_jobs j
        WHERE j.args->>'job' = r.job::text
            AND j.status IN ('succeeded', 'failed', 'cancelled', 'aborted') LIMIT 1
    ) j
    WHERE r.at < now() - make_interval(days => %(done)s)
        AND (j.status <> 'failed' OR r.at < now() - make_interval(days => %(dead)s))
    ORDER BY r.at LIMIT {CLEANED}
), gone AS (
    DELETE FROM comptoir.procrastinate_jobs j USING old WHERE j.id = old.id
)
DELETE FROM comptoir.job_results r USING old
WHERE r.book_id = old.book_id AND r.job = old.job"""  # a number of our own

LAST_SLOT: Final = """
SELECT max(slot), clock_timestamp() FROM comptoir.job_slots WHERE task = %s"""

TAKE_SLOT: Final = """
INSERT INTO comptoir.job_slots (task, slot, job) VALUES (%s, %s, %s)
ON CONFLICT (task, slot) DO NOTHING RETURNING slot"""

FORGET_SLOTS: Final = """
DELETE FROM comptoir.job_slots WHERE task = %s AND slot < %s"""
