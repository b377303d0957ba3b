-- Pages about jobs and settings: lists by state that read no more than they show, and why each try
-- has failed.
--
-- It only adds: the version before this one runs on the result.

-- By this a page finds the newest jobs of a book in a state. Whether a try has failed is a part of
-- the state: it tells what waits for its first try from what waits for another.
CREATE INDEX jobs_of_book ON comptoir.procrastinate_jobs
    ((args->>'book'), status, (attempts > 0), id);

-- When each try has failed, and the kind of its error: never its text, which may name people.
ALTER TABLE comptoir.job_results ADD COLUMN tries jsonb NOT NULL DEFAULT '[]';

-- What others have not heard yet, or never heard: as much as there is of it, whatever was sent.
CREATE INDEX hook_deliveries_unheard ON comptoir.hook_deliveries (book_id, hook_id, state)
    WHERE state <> 'sent';
