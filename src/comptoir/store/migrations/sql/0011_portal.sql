-- Customers who look at their own pages: links that open them once, and sessions.
--
-- It only adds: the version before this one runs on the result.

-- A link, and then the session that it became: `hash` is of the link's secret until it is opened, and
-- of the session's cookie from then on. Each secret has 256 random bits; only its hash is kept.
CREATE TABLE comptoir.portal_visits (
    book_id integer NOT NULL REFERENCES comptoir.books,
    id uuid NOT NULL,
    customer_id bigint NOT NULL,
    hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    opened_at timestamptz,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (book_id, id),
    FOREIGN KEY (book_id, customer_id) REFERENCES comptoir.customers (book_id, id)
);

CREATE INDEX portal_visits_of_customer ON comptoir.portal_visits (book_id, customer_id);
CREATE INDEX portal_visits_by_end ON comptoir.portal_visits (expires_at);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'comptoir_app') THEN
        GRANT SELECT, INSERT, DELETE ON comptoir.portal_visits TO comptoir_app;
        GRANT UPDATE (hash, opened_at, expires_at, ended_at) ON comptoir.portal_visits
            TO comptoir_app;
    END IF;
END $$;
