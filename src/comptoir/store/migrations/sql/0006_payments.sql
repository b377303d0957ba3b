-- Money in: events of providers, payments and what they paid for, refunds and disputes, plans that
-- are subscribed to, and what others are told.
--
-- It only adds and loosens: the version before this one runs on the result. That version takes a
-- grant of which a part was refunded for one that was reversed, and so refuses to reverse it.

-- How full an account was at its last line: 1 is low, 2 empty. The seal leaves it out, as the version
-- before must be able to write the row.
ALTER TABLE comptoir.accounts ADD COLUMN level smallint NOT NULL DEFAULT 0;

-- Refunds undo a movement in parts; a reversal undoes it whole, and once.
CREATE INDEX movements_undone ON comptoir.movements (book_id, account_id, reverses)
    WHERE reverses IS NOT NULL;
CREATE UNIQUE INDEX movements_reversed_whole ON comptoir.movements (book_id, account_id, reverses)
    WHERE reverses IS NOT NULL AND kind = 'reversal';
DROP INDEX comptoir.movements_reversed_once;

-- Where in the journal a time is: reports look at all accounts. It costs next to nothing to keep.
CREATE INDEX movements_by_time ON comptoir.movements USING brin (at);

-- What providers tell us. A row is its own queue: while due_at is set, somebody must look at it.
-- Events of one object go one after the other.
CREATE TABLE comptoir.inbox (
    book_id integer NOT NULL REFERENCES comptoir.books,
    source text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    object_id text NOT NULL,
    livemode boolean NOT NULL,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    via text NOT NULL,
    state text NOT NULL DEFAULT 'received',
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz DEFAULT clock_timestamp(),
    done_at timestamptz,
    effects jsonb,
    error text,
    body text,
    PRIMARY KEY (book_id, source, event_id),
    CONSTRAINT inbox_waits_or_ended CHECK (
        (due_at IS NOT NULL) = (state IN ('received', 'deferred', 'failed'))
    )
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX inbox_due ON comptoir.inbox (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX inbox_of_object ON comptoir.inbox (book_id, source, object_id, occurred_at, event_id)
    WHERE due_at IS NOT NULL;
CREATE INDEX inbox_newest ON comptoir.inbox (book_id, received_at, event_id);
CREATE INDEX inbox_troubles ON comptoir.inbox (book_id, received_at, event_id)
    WHERE state NOT IN ('done', 'ignored');
CREATE INDEX inbox_bodies ON comptoir.inbox (received_at) WHERE body IS NOT NULL;

-- The next event that is due, locked; not one of an object of which an older one waits. Statistics
-- of a quiet day say that nothing is due: whatever PostgreSQL chooses by them looks, on the day of a
-- backlog, at all that waits for each event. So it is left one way: along inbox_due, and for each
-- event one look into inbox_of_object.
CREATE FUNCTION comptoir.next_event() RETURNS SETOF comptoir.inbox LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
BEGIN
    RETURN QUERY SELECT i.* FROM comptoir.inbox i
    WHERE i.due_at <= now() AND (
        SELECT o.event_id FROM comptoir.inbox o
        WHERE o.book_id = i.book_id AND o.source = i.source AND o.object_id = i.object_id
            AND o.due_at IS NOT NULL
            AND (o.state = 'received' OR (o.state = 'failed' AND o.attempts < 4))
            AND (o.occurred_at, o.event_id) < (i.occurred_at, i.event_id)
        ORDER BY o.book_id, o.source, o.object_id, o.occurred_at, o.event_id LIMIT 1
    ) IS NULL
    ORDER BY i.due_at LIMIT 1 FOR UPDATE OF i SKIP LOCKED;
END $$;

-- How far the provider's own list of events has been read.
CREATE TABLE comptoir.provider_cursors (
    book_id integer NOT NULL REFERENCES comptoir.books,
    source text NOT NULL,
    read_until timestamptz NOT NULL,
    PRIMARY KEY (book_id, source)
);

-- Who somebody is at the provider.
CREATE TABLE comptoir.provider_customers (
    book_id integer NOT NULL,
    livemode boolean NOT NULL,
    customer_id bigint NOT NULL,
    provider_id text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (book_id, livemode, customer_id)
);

-- What is sold at the provider: prices of packs and plans, also those of before.
CREATE TABLE comptoir.provider_prices (
    book_id integer NOT NULL REFERENCES comptoir.books,
    livemode boolean NOT NULL,
    price text NOT NULL,
    product text NOT NULL,
    item text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (book_id, livemode, price)
);

-- Packs of credits, prices of plans, and what a plan gives each period. None is ever changed: a new
-- version takes the place of an old one.
CREATE TABLE comptoir.packs (
    book_id integer NOT NULL REFERENCES comptoir.books,
    pack text NOT NULL,
    version integer NOT NULL,
    name jsonb NOT NULL,
    asset_id integer NOT NULL,
    credits bigint NOT NULL CHECK (credits > 0),
    amount bigint NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    tax_percent numeric(6, 3),
    tax_included boolean NOT NULL DEFAULT true,
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (book_id, pack, version),
    FOREIGN KEY (book_id, asset_id) REFERENCES comptoir.assets
);

CREATE TABLE comptoir.plan_prices (
    book_id integer NOT NULL,
    plan text NOT NULL,
    period text NOT NULL CHECK (period IN ('month', 'year')),
    version integer NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    tax_percent numeric(6, 3),
    tax_included boolean NOT NULL DEFAULT true,
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (book_id, plan, period, version),
    FOREIGN KEY (book_id, plan) REFERENCES comptoir.plans
);

CREATE TABLE comptoir.plan_allowances (
    book_id integer NOT NULL,
    plan text NOT NULL,
    asset_id integer NOT NULL,
    version integer NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    rollover bigint NOT NULL DEFAULT 0 CHECK (rollover >= 0),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (book_id, plan, asset_id, version),
    FOREIGN KEY (book_id, plan) REFERENCES comptoir.plans,
    FOREIGN KEY (book_id, asset_id) REFERENCES comptoir.assets
);

-- A payment: committed before the provider is asked for anything. What the provider calls it is
-- unique over all books.
CREATE TABLE comptoir.payments (
    book_id integer NOT NULL REFERENCES comptoir.books,
    id uuid NOT NULL,
    customer_id bigint,
    purpose text NOT NULL,
    reference text,
    amount bigint NOT NULL CHECK (amount >= 0),
    currency text NOT NULL,
    livemode boolean NOT NULL,
    status text NOT NULL DEFAULT 'new',
    intent text,
    session text,
    invoice text,
    received bigint CHECK (received >= 0),
    tax bigint NOT NULL DEFAULT 0 CHECK (tax >= 0),
    fee bigint,
    details jsonb NOT NULL DEFAULT '{}',
    error text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    paid_at timestamptz,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    looked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (book_id, id),
    CONSTRAINT payments_paid_say_when CHECK ((paid_at IS NULL) = (received IS NULL)),
    CONSTRAINT payments_status CHECK (status IN (
        'new', 'open', 'processing', 'paid', 'canceled', 'expired', 'failed'
    )),
    CONSTRAINT payments_status_paid CHECK ((status = 'paid') = (paid_at IS NOT NULL))
) WITH (fillfactor = 70);

CREATE UNIQUE INDEX payments_by_intent ON comptoir.payments (intent) WHERE intent IS NOT NULL;
CREATE UNIQUE INDEX payments_by_session ON comptoir.payments (session) WHERE session IS NOT NULL;
CREATE INDEX payments_by_invoice ON comptoir.payments (invoice) WHERE invoice IS NOT NULL;
CREATE UNIQUE INDEX payments_one_of_reference ON comptoir.payments (book_id, reference)
    WHERE reference IS NOT NULL AND status NOT IN ('canceled', 'expired', 'failed');
CREATE INDEX payments_unfinished ON comptoir.payments (looked_at)
    WHERE status IN ('new', 'open', 'processing');
CREATE INDEX payments_without_fee ON comptoir.payments (paid_at)
    WHERE paid_at IS NOT NULL AND fee IS NULL AND intent IS NOT NULL;
CREATE INDEX payments_of_customer ON comptoir.payments (book_id, customer_id, id);
CREATE INDEX payments_by_day ON comptoir.payments (book_id, paid_at) WHERE paid_at IS NOT NULL;

-- What is bought with a payment of the same id: a pack, in the version and for the price of then.
CREATE TABLE comptoir.purchases (
    book_id integer NOT NULL,
    id uuid NOT NULL,
    customer_id bigint NOT NULL,
    pack text NOT NULL,
    pack_version integer NOT NULL,
    asset_id integer NOT NULL,
    credits bigint NOT NULL CHECK (credits > 0),
    granted_at timestamptz,
    PRIMARY KEY (book_id, id),
    FOREIGN KEY (book_id, id) REFERENCES comptoir.payments,
    FOREIGN KEY (book_id, pack, pack_version) REFERENCES comptoir.packs
) WITH (fillfactor = 85);

CREATE INDEX purchases_of_customer ON comptoir.purchases (book_id, customer_id, id);

-- The lots that a payment has brought, by the lines of the journal that brought them.
CREATE TABLE comptoir.payment_grants (
    book_id integer NOT NULL,
    payment_id uuid NOT NULL,
    account_id bigint NOT NULL,
    version bigint NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (book_id, payment_id, account_id, version),
    FOREIGN KEY (book_id, payment_id) REFERENCES comptoir.payments
);

CREATE INDEX payment_grants_by_line ON comptoir.payment_grants (book_id, account_id, version);

-- Money that goes back.
CREATE TABLE comptoir.refunds (
    book_id integer NOT NULL,
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    provider_id text UNIQUE,
    amount bigint NOT NULL CHECK (amount > 0),
    status text NOT NULL DEFAULT 'new',
    reason text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (book_id, id),
    FOREIGN KEY (book_id, payment_id) REFERENCES comptoir.payments
);

CREATE INDEX refunds_of_payment ON comptoir.refunds (book_id, payment_id);
CREATE INDEX refunds_unfinished ON comptoir.refunds (changed_at)
    WHERE status IN ('new', 'pending', 'requires_action');

CREATE TABLE comptoir.disputes (
    book_id integer NOT NULL,
    provider_id text NOT NULL,
    payment_id uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    status text NOT NULL,
    reason text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (book_id, provider_id),
    UNIQUE (provider_id),
    FOREIGN KEY (book_id, payment_id) REFERENCES comptoir.payments
);

CREATE INDEX disputes_of_payment ON comptoir.disputes (book_id, payment_id);
CREATE INDEX disputes_open ON comptoir.disputes (changed_at)
    WHERE status NOT IN ('won', 'lost', 'warning_closed', 'prevented');

-- What was taken back of a grant, and why: a refund, a dispute, or the rest that is due once all has
-- gone back. What could not be taken and is not owed either was waived.
CREATE TABLE comptoir.takings (
    book_id integer NOT NULL,
    payment_id uuid NOT NULL,
    no integer NOT NULL,
    cause text NOT NULL,
    account_id bigint NOT NULL,
    grant_version bigint NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    waived bigint NOT NULL DEFAULT 0 CHECK (waived >= 0),
    version bigint,
    given_back bigint,
    ended boolean NOT NULL DEFAULT false,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (book_id, payment_id, no),
    FOREIGN KEY (book_id, payment_id) REFERENCES comptoir.payments
);

-- Plans that are subscribed to, as the provider last told us.
CREATE TABLE comptoir.subscriptions (
    book_id integer NOT NULL REFERENCES comptoir.books,
    provider_id text NOT NULL,
    customer_id bigint NOT NULL,
    livemode boolean NOT NULL,
    plan text,
    period text,
    price text NOT NULL,
    status text NOT NULL,
    starts_at timestamptz,
    ends_at timestamptz,
    cancel_at timestamptz,
    trial_ends_at timestamptz,
    ended_at timestamptz,
    told_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (book_id, provider_id),
    UNIQUE (provider_id)
) WITH (fillfactor = 70);

CREATE INDEX subscriptions_of_customer ON comptoir.subscriptions (book_id, customer_id, created_at);
CREATE INDEX subscriptions_unfinished ON comptoir.subscriptions (told_at)
    WHERE status NOT IN ('canceled', 'incomplete_expired');

-- Invoices of subscriptions that were paid: each gives its allowance once.
CREATE TABLE comptoir.invoices (
    book_id integer NOT NULL REFERENCES comptoir.books,
    provider_id text NOT NULL,
    subscription text NOT NULL,
    customer_id bigint NOT NULL,
    reason text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    paid_at timestamptz NOT NULL,
    PRIMARY KEY (book_id, provider_id),
    UNIQUE (provider_id)
);

CREATE INDEX invoices_of_subscription ON comptoir.invoices (book_id, subscription, ends_at);

-- What an invoice allowed; and what of it was left at the end, and carried over.
CREATE TABLE comptoir.allowances (
    book_id integer NOT NULL,
    invoice text NOT NULL,
    asset_id integer NOT NULL,
    account_id bigint NOT NULL,
    version bigint NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    rollover bigint NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL,
    carried bigint,
    PRIMARY KEY (book_id, invoice, asset_id),
    FOREIGN KEY (book_id, invoice) REFERENCES comptoir.invoices
);

-- What needs a human.
CREATE TABLE comptoir.cases (
    book_id integer NOT NULL REFERENCES comptoir.books,
    id uuid NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    figures jsonb NOT NULL DEFAULT '{}',
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at timestamptz,
    closed_by text,
    note text,
    PRIMARY KEY (book_id, id),
    UNIQUE (book_id, kind, subject)
);

CREATE INDEX cases_open ON comptoir.cases (book_id, opened_at, id) WHERE closed_at IS NULL;

-- What happened that others want to know of; and where they want to hear it.
CREATE TABLE comptoir.outbox (
    book_id integer NOT NULL REFERENCES comptoir.books,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    type text NOT NULL,
    customer_id bigint,
    account_id bigint,
    version bigint,
    figures jsonb NOT NULL DEFAULT '{}',
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    waits boolean NOT NULL DEFAULT true,
    PRIMARY KEY (book_id, id)
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX outbox_waiting ON comptoir.outbox (at) WHERE waits;
CREATE INDEX outbox_newest ON comptoir.outbox (book_id, at, id);

CREATE TABLE comptoir.hooks (
    book_id integer NOT NULL REFERENCES comptoir.books,
    id uuid NOT NULL,
    url text NOT NULL,
    types text[] NOT NULL,
    secret_no integer NOT NULL DEFAULT 1,
    rolled_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    removed_at timestamptz,
    PRIMARY KEY (book_id, id)
);

CREATE TABLE comptoir.hook_deliveries (
    book_id integer NOT NULL,
    hook_id uuid NOT NULL,
    event_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz DEFAULT clock_timestamp(),
    status integer,
    error text,
    done_at timestamptz,
    PRIMARY KEY (book_id, hook_id, event_id),
    FOREIGN KEY (book_id, hook_id) REFERENCES comptoir.hooks,
    FOREIGN KEY (book_id, event_id) REFERENCES comptoir.outbox ON DELETE CASCADE,
    CONSTRAINT hook_deliveries_wait_or_ended CHECK ((due_at IS NOT NULL) = (state = 'waiting'))
) WITH (fillfactor = 70);

CREATE INDEX hook_deliveries_due ON comptoir.hook_deliveries (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX hook_deliveries_of_event ON comptoir.hook_deliveries (book_id, event_id);

-- Buying again by itself when little is left: off until somebody turns it on.
CREATE TABLE comptoir.top_ups (
    book_id integer NOT NULL,
    customer_id bigint NOT NULL,
    pack text NOT NULL,
    enabled boolean NOT NULL,
    monthly_cap bigint NOT NULL CHECK (monthly_cap > 0),
    month date,
    spent bigint NOT NULL DEFAULT 0,
    payment_id uuid,
    failed_at timestamptz,
    PRIMARY KEY (book_id, customer_id)
) WITH (fillfactor = 70);

-- Tokens: what was spent in each month, folded up to a line; where counting began anew; statements.
CREATE TABLE comptoir.token_tallies (
    book_id integer NOT NULL,
    account_id bigint NOT NULL,
    month date NOT NULL,
    spent bigint NOT NULL,
    generations bigint NOT NULL,
    until bigint NOT NULL,
    PRIMARY KEY (book_id, account_id, month)
) WITH (fillfactor = 70);

CREATE TABLE comptoir.token_resets (
    book_id integer NOT NULL,
    account_id bigint NOT NULL,
    version bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (book_id, account_id, version)
);

CREATE TABLE comptoir.statements (
    book_id integer NOT NULL,
    account_id bigint NOT NULL,
    month date NOT NULL,
    id uuid NOT NULL,
    customer_id bigint NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    spent bigint NOT NULL,
    generations bigint NOT NULL,
    unit_price bigint NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    billing text NOT NULL,
    invoice text,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (book_id, account_id, month),
    UNIQUE (book_id, id)
);

CREATE INDEX statements_unbilled ON comptoir.statements (made_at)
    WHERE billing = 'stripe_invoice' AND invoice IS NULL AND amount > 0;

-- As before, and what payments have of the book. What is sold, and who is told, stays.
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
        GRANT SELECT, INSERT, UPDATE ON comptoir.inbox, comptoir.provider_cursors,
            comptoir.provider_customers, comptoir.payments, comptoir.purchases, comptoir.refunds,
            comptoir.disputes, comptoir.takings, comptoir.subscriptions, comptoir.allowances,
            comptoir.cases, comptoir.hooks, comptoir.top_ups, comptoir.token_tallies,
            comptoir.statements TO comptoir_app;
        GRANT SELECT, INSERT ON comptoir.provider_prices, comptoir.packs, comptoir.plan_prices,
            comptoir.plan_allowances, comptoir.payment_grants, comptoir.invoices,
            comptoir.token_resets TO comptoir_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON comptoir.outbox, comptoir.hook_deliveries
            TO comptoir_app;
        GRANT DELETE ON comptoir.provider_customers TO comptoir_app;
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA comptoir TO comptoir_app;
    END IF;
END $$;
