-- Jobs that somebody elsewhere does: who leased one over HTTP says himself what became of it.
CREATE TABLE comptoir.job_leases (
    job_id bigint PRIMARY KEY REFERENCES comptoir.procrastinate_jobs (id) ON DELETE CASCADE,
    lease uuid NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE INDEX job_leases_by_expiry ON comptoir.job_leases (expires_at);

-- A key sees the jobs of its own book alone: by these it passes those of others at once. The queue
-- has them, not the workers here, who do the jobs of all books.
CREATE INDEX jobs_waiting_of_book ON comptoir.procrastinate_jobs
    (queue_name, (args->>'book'), priority DESC, id)
    WHERE status = 'todo' AND scheduled_at IS NULL;
CREATE INDEX jobs_scheduled_of_book ON comptoir.procrastinate_jobs
    (queue_name, (args->>'book'), scheduled_at)
    WHERE status = 'todo' AND scheduled_at IS NOT NULL;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'comptoir_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON comptoir.job_leases TO comptoir_app;
    END IF;
END $$;
