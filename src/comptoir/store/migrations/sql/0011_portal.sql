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
    DELETE FROM comptoir.portal_visits WHERE book_id = book;
    DELETE FROM comptoir.customers WHERE book_id = book;
    GET DIAGNOSTICS customers_gone = ROW_COUNT;
    PERFORM set_config('comptoir.reset', '', true);
END $$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'comptoir_app') THEN
        GRANT SELECT, INSERT, DELETE ON comptoir.portal_visits TO comptoir_app;
        GRANT UPDATE (hash, opened_at, expires_at, ended_at) ON comptoir.portal_visits
            TO comptoir_app;
    END IF;
END $$;
