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

-- As before, and what was earned.
CREATE OR REPLACE FUNCTION comptoir.reset_book(
    book integer, OUT customers_gone bigint, OUT accounts_gone bigint, OUT movements_gone bigint
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM comptoir.books WHERE id = book AND is_test) THEN
        RAISE EXCEPTION 'book % is not a test book', book USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM pg_advisory_xact_lock(1869636974, book);
    PERFORM FROM comptoir.customers WHERE book_id = book ORDER BY id FOR UPDATE;
    PERFORM FROM comptoir.accounts WHERE book_id = book AND bounded ORDER BY id FOR UPDATE;
    PERFORM set_config('comptoir.reset', book::text, true);
    -- Whoever adds up what was earned has the first one's row locked: so he is waited for.
    DELETE FROM comptoir.earnings_until WHERE book_id = book;
    DELETE FROM comptoir.earnings WHERE book_id = book;
    DELETE FROM comptoir.order_lines WHERE book_id = book;
    DELETE FROM comptoir.orders WHERE book_id = book;
    DELETE FROM comptoir.order_series WHERE book_id = book;
    DELETE FROM comptoir.sizes WHERE book_id = book;
    DELETE FROM comptoir.products WHERE book_id = book;
    DELETE FROM comptoir.statements WHERE book_id = book;
    DELETE FROM comptoir.token_resets WHERE book_id = book;
    DELETE FROM comptoir.token_tallies WHERE book_id = book;
    DELETE FROM comptoir.top_ups WHERE book_id = book;
    DELETE FROM comptoir.hook_deliveries WHERE book_id = book;
    DELETE FROM comptoir.outbox WHERE book_id = book;
    DELETE FROM comptoir.cases WHERE book_id = book;
    DELETE FROM comptoir.allowances WHERE book_id = book;
    DELETE FROM comptoir.invoices WHERE book_id = book;
    DELETE FROM comptoir.subscriptions WHERE book_id = book;
    DELETE FROM comptoir.takings WHERE book_id = book;
    DELETE FROM comptoir.disputes WHERE book_id = book;
    DELETE FROM comptoir.refunds WHERE book_id = book;
    DELETE FROM comptoir.payment_grants WHERE book_id = book;
    DELETE FROM comptoir.purchases WHERE book_id = book;
    DELETE FROM comptoir.payments WHERE book_id = book;
    DELETE FROM comptoir.provider_customers WHERE book_id = book;
    DELETE FROM comptoir.inbox WHERE book_id = book;
    DELETE FROM comptoir.procrastinate_jobs WHERE args->>'book' = book::text;
    DELETE FROM comptoir.job_results WHERE book_id = book;
    DELETE FROM comptoir.idempotency WHERE book_id = book;
    DELETE FROM comptoir.leases WHERE book_id = book;
    DELETE FROM comptoir.rate_limits WHERE book_id = book;
    DELETE FROM comptoir.counters WHERE book_id = book;
    DELETE FROM comptoir.counted WHERE book_id = book;
    DELETE FROM comptoir.usage_reservations WHERE book_id = book;
    DELETE FROM comptoir.usage WHERE book_id = book;
    DELETE FROM comptoir.notes WHERE book_id = book;
    DELETE FROM comptoir.memos WHERE book_id = book;
    DELETE FROM comptoir.checkpoints WHERE book_id = book;
    DELETE FROM comptoir.requests WHERE book_id = book;
    DELETE FROM comptoir.holds WHERE book_id = book;
    DELETE FROM comptoir.lots WHERE book_id = book;
    DELETE FROM comptoir.movements WHERE book_id = book;
    GET DIAGNOSTICS movements_gone = ROW_COUNT;
    DELETE FROM comptoir.accounts WHERE book_id = book AND bounded;
    GET DIAGNOSTICS accounts_gone = ROW_COUNT;
    DELETE FROM comptoir.customers WHERE book_id = book;
    GET DIAGNOSTICS customers_gone = ROW_COUNT;
    PERFORM set_config('comptoir.reset', '', true);
END $$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'comptoir_app') THEN
        GRANT SELECT, INSERT, UPDATE ON comptoir.earnings, comptoir.earnings_until
            TO comptoir_app;
    END IF;
END $$;
