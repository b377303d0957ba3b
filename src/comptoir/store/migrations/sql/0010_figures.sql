-- Figures for pages: what was earned by the hour, and finding lots and holds by time.
--
-- It only adds: the version before this one runs on the result.

-- What was earned in one hour with one action and model. Costs and counts are in the row without a
-- currency, revenue in one row for each currency. Nothing but a copy of what the journal says: a
-- page can be shown without it, only not of a long time.
CREATE TABLE comptoir.earnings (
    book_id integer NOT NULL REFERENCES comptoir.books,
    asset_id integer NOT NULL,
    hour timestamptz NOT NULL,
    action text NOT NULL,
    model text NOT NULL,
    currency text NOT NULL,
    times bigint NOT NULL,
    credits bigint NOT NULL,
    unpaid bigint NOT NULL,
    cost bigint NOT NULL,
    revenue bigint NOT NULL,
    PRIMARY KEY (book_id, asset_id, hour, action, model, currency)
);

-- Up to when all hours are there.
CREATE TABLE comptoir.earnings_until (
    book_id integer NOT NULL REFERENCES comptoir.books,
    asset_id integer NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (book_id, asset_id)
);

-- Neither has a column that the usual update of a row changes, so that those stay HOT.
CREATE INDEX lots_expiring ON comptoir.lots (book_id, expires_at, account_id, no)
    WHERE open AND expires_at IS NOT NULL;
CREATE INDEX holds_oldest ON comptoir.holds (book_id, at, id) WHERE state = 'open';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'comptoir_app') THEN
        GRANT SELECT, INSERT, UPDATE ON comptoir.earnings, comptoir.earnings_until
            TO comptoir_app;
    END IF;
END $$;
