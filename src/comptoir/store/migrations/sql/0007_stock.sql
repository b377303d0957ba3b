-- Stock: products in sizes, each an account of the ledger; orders, with what they have set aside.
--
-- It only adds: the version before this one runs on the result. That version tells of low stock as
-- if it were credits of somebody, which is nobody, and so tells nothing.

-- At what number whoever sells it calls it low; empty where a share of the last fill counts. The seal
-- leaves it out, as it does the level.
ALTER TABLE comptoir.accounts ADD COLUMN low_at bigint
    CONSTRAINT accounts_low_at_positive CHECK (low_at >= 0);

CREATE TABLE comptoir.products (
    book_id integer NOT NULL REFERENCES comptoir.books,
    product text NOT NULL,
    name text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    on_refund text NOT NULL DEFAULT 'restock' CHECK (on_refund IN ('restock', 'keep')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (book_id, product)
);

-- How much there is of a size is what its account says, and nothing here.
CREATE TABLE comptoir.sizes (
    book_id integer NOT NULL,
    product text NOT NULL,
    size text NOT NULL,
    place integer NOT NULL,
    account_id bigint NOT NULL,
    removed_at timestamptz,
    PRIMARY KEY (book_id, product, size),
    UNIQUE (book_id, account_id),
    FOREIGN KEY (book_id, product) REFERENCES comptoir.products
);

-- An order is a reservation until it is paid for. Its holds are a group of the ledger, named by the
-- first of them; they never expire by themselves. What the money of an order did is said by the
-- payment of the same id; an order of a caller's own has none.
CREATE TABLE comptoir.orders (
    book_id integer NOT NULL REFERENCES comptoir.books,
    id uuid NOT NULL,
    origin text NOT NULL CHECK (origin IN ('checkout', 'caller')),
    status text NOT NULL DEFAULT 'reserved',
    number text,
    reference text,
    customer_id bigint,
    email text,
    amount bigint NOT NULL CHECK (amount >= 0),
    currency text,
    cart bytea,
    hold bytea NOT NULL,
    cancels boolean NOT NULL DEFAULT false,
    pass bytea,
    failures integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    tried_at timestamptz,
    tries integer NOT NULL DEFAULT 0,
    paid_at timestamptz,
    fulfilled_at timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (book_id, id),
    CONSTRAINT orders_status CHECK (status IN (
        'reserved', 'paid', 'fulfilled', 'expired', 'cancelled', 'refunded', 'disputed'
    )),
    CONSTRAINT orders_end CHECK ((status = 'reserved') = (ended_at IS NULL)),
    CONSTRAINT orders_number_when_sold CHECK (number IS NOT NULL OR paid_at IS NULL)
) WITH (fillfactor = 70);

CREATE INDEX orders_reserved ON comptoir.orders (expires_at) WHERE status = 'reserved';
CREATE INDEX orders_of_cart ON comptoir.orders (book_id, customer_id, cart)
    WHERE status = 'reserved' AND customer_id IS NOT NULL;
CREATE INDEX orders_of_customer ON comptoir.orders (book_id, customer_id, id)
    WHERE customer_id IS NOT NULL;
-- The hold first: on a table without statistics an index that begins with the book looks as good as
-- the primary key for finding an order by its id, and the check of every line would read them all.
CREATE UNIQUE INDEX orders_by_hold ON comptoir.orders (hold, book_id);
CREATE UNIQUE INDEX orders_by_number ON comptoir.orders (book_id, number)
    WHERE number IS NOT NULL AND origin = 'checkout';

CREATE TABLE comptoir.order_lines (
    book_id integer NOT NULL,
    order_id uuid NOT NULL,
    no integer NOT NULL,
    product text NOT NULL,
    size text NOT NULL,
    account_id bigint NOT NULL,
    quantity bigint NOT NULL CHECK (quantity > 0),
    unit_amount bigint NOT NULL CHECK (unit_amount >= 0),
    on_refund text NOT NULL,
    returned bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (book_id, order_id, no),
    FOREIGN KEY (book_id, order_id) REFERENCES comptoir.orders,
    CONSTRAINT order_lines_returned CHECK (returned BETWEEN 0 AND quantity)
) WITH (fillfactor = 85);

-- The last number that was given in a year. It is given in the commit of the sale: no gaps.
CREATE TABLE comptoir.order_series (
    book_id integer NOT NULL REFERENCES comptoir.books,
    year integer NOT NULL,
    last integer NOT NULL CHECK (last > 0),
    PRIMARY KEY (book_id, year)
) WITH (fillfactor = 50);

-- As before, and what is sold in sizes: without its stock it is nothing.
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
        GRANT SELECT, INSERT, UPDATE ON comptoir.products, comptoir.sizes, comptoir.orders,
            comptoir.order_lines, comptoir.order_series TO comptoir_app;
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA comptoir TO comptoir_app;
    END IF;
END $$;
