-- What is emptied with a test book is a list, so that no migration has to say all of it again.
--
-- It only adds: the version before this one runs on the result.

-- Tables whose rows go first when a test book is emptied, in this order: a migration that makes one
-- of rows by book says the list anew, and reset_book stays as it is. No table of its own holds it: its
-- rows would be part of every backup, and no longer let one be restored into an empty schema.
CREATE FUNCTION comptoir.emptied() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$ SELECT ARRAY[
    -- Whoever adds up what was earned has the first one's row locked: so he is waited for.
    'earnings_until', 'earnings', 'portal_visits', 'order_lines', 'orders', 'order_series', 'sizes',
    'products', 'statements', 'token_resets', 'token_tallies', 'top_ups', 'hook_deliveries',
    'outbox', 'cases', 'allowances', 'invoices', 'subscriptions', 'takings', 'disputes',
    'refunds', 'payment_grants', 'purchases', 'payments', 'provider_customers', 'inbox',
    'job_results', 'idempotency', 'leases', 'rate_limits', 'counters', 'counted',
    'usage_reservations', 'usage', 'notes', 'memos', 'checkpoints', 'requests', 'holds',
    'lots'
] $$;

CREATE OR REPLACE FUNCTION comptoir.reset_book(
    book integer, OUT customers_gone bigint, OUT accounts_gone bigint, OUT movements_gone bigint
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    emptied text;
BEGIN
    IF NOT EXISTS (SELECT FROM comptoir.books WHERE id = book AND is_test) THEN
        RAISE EXCEPTION 'book % is not a test book', book USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM pg_advisory_xact_lock(1869636974, book);
    PERFORM FROM comptoir.customers WHERE book_id = book ORDER BY id FOR UPDATE;
    PERFORM FROM comptoir.accounts WHERE book_id = book AND bounded ORDER BY id FOR UPDATE;
    PERFORM set_config('comptoir.reset', book::text, true);
    -- Before what they leave behind: whoever ends one meanwhile is waited for.
    DELETE FROM comptoir.procrastinate_jobs WHERE args->>'book' = book::text;
    FOREACH emptied IN ARRAY comptoir.emptied() LOOP
        EXECUTE format('DELETE FROM comptoir.%I WHERE book_id = $1', emptied) USING book;
    END LOOP;
    DELETE FROM comptoir.movements WHERE book_id = book;
    GET DIAGNOSTICS movements_gone = ROW_COUNT;
    DELETE FROM comptoir.accounts WHERE book_id = book AND bounded;
    GET DIAGNOSTICS accounts_gone = ROW_COUNT;
    DELETE FROM comptoir.customers WHERE book_id = book;
    GET DIAGNOSTICS customers_gone = ROW_COUNT;
    PERFORM set_config('comptoir.reset', '', true);
END $$;
