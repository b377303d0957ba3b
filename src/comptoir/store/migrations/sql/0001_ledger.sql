-- The ledger. Every key begins with book_id; nothing crosses books.
--
-- Rows that matter carry a seal, a checksum over all of their columns, so that verify can name a
-- row that was changed behind the ledger's back in a column that no other row mirrors. It uses the
-- functions on which hash partitioning relies, which PostgreSQL keeps stable across versions.

CREATE SCHEMA IF NOT EXISTS comptoir;

CREATE TABLE comptoir.settings (
    name text PRIMARY KEY,
    value text NOT NULL
);

CREATE TABLE comptoir.books (
    id integer PRIMARY KEY,
    name text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE comptoir.assets (
    book_id integer NOT NULL REFERENCES comptoir.books,
    id integer NOT NULL GENERATED ALWAYS AS IDENTITY,
    code text NOT NULL,
    scale smallint NOT NULL CHECK (scale BETWEEN 0 AND 6),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (book_id, id),
    UNIQUE (book_id, code)
);

-- Personal fields live here and in notes, where they can be erased; the journal has neither.
CREATE TABLE comptoir.customers (
    book_id integer NOT NULL REFERENCES comptoir.books,
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    customer text NOT NULL,
    time_zone text NOT NULL DEFAULT 'UTC',
    locale text NOT NULL DEFAULT 'en',
    email text,
    name text,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (book_id, id),
    UNIQUE (book_id, customer)
);

-- A bounded account belongs to a customer or has a name (stock:TEE:M). An open account (issuer,
-- revenue, breakage) has a name, is never locked and never updated: its balance is the sum of the
-- journal lines that name it as their contra account.
CREATE TABLE comptoir.accounts (
    book_id integer NOT NULL,
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    asset_id integer NOT NULL,
    customer_id bigint,
    name text,
    bounded boolean NOT NULL,
    posted bigint NOT NULL DEFAULT 0,
    held bigint NOT NULL DEFAULT 0,
    debt bigint NOT NULL DEFAULT 0,
    floor bigint NOT NULL DEFAULT 0,
    filled bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0,
    lots_made integer NOT NULL DEFAULT 0,
    open_lots integer NOT NULL DEFAULT 0,
    next_expiry timestamptz,
    at timestamptz NOT NULL DEFAULT 'epoch',
    seal bigint NOT NULL,
    PRIMARY KEY (book_id, id),
    UNIQUE (book_id, customer_id, asset_id),
    UNIQUE (book_id, name, asset_id),
    FOREIGN KEY (book_id, asset_id) REFERENCES comptoir.assets,
    CONSTRAINT accounts_have_one_owner CHECK ((customer_id IS NULL) <> (name IS NULL)),
    CONSTRAINT accounts_held_positive CHECK (held >= 0),
    CONSTRAINT accounts_debt_positive CHECK (debt >= 0),
    CONSTRAINT accounts_floor_negative CHECK (floor <= 0),
    CONSTRAINT accounts_available_above_floor CHECK (posted - held >= floor - debt)
) WITH (fillfactor = 50);

CREATE INDEX accounts_next_expiry ON comptoir.accounts (book_id, next_expiry)
    WHERE next_expiry IS NOT NULL;

-- The journal: one line a movement of a bounded account, numbered without a gap.
CREATE TABLE comptoir.movements (
    book_id integer NOT NULL,
    account_id bigint NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    contra_id bigint NOT NULL,
    amount bigint NOT NULL,
    posted bigint NOT NULL,
    held bigint NOT NULL,
    debt bigint NOT NULL,
    filled bigint NOT NULL,
    kind text NOT NULL,
    at timestamptz NOT NULL,
    request_id bytea,
    lots integer[] NOT NULL,
    parts bigint[] NOT NULL,
    hold_id bytea,
    reverses bigint,
    seal bigint NOT NULL,
    PRIMARY KEY (book_id, account_id, version),
    CONSTRAINT movements_parts_match CHECK (cardinality(lots) = cardinality(parts))
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_insert_threshold = 100000);

CREATE UNIQUE INDEX movements_reversed_once ON comptoir.movements (book_id, account_id, reverses)
    WHERE reverses IS NOT NULL;

-- Free text about a movement; erasable, so apart from the journal.
CREATE TABLE comptoir.notes (
    book_id integer NOT NULL,
    account_id bigint NOT NULL,
    version bigint NOT NULL,
    reason text,
    reference text,
    metadata jsonb,
    PRIMARY KEY (book_id, account_id, version)
);

-- What a movement cost its seller: cost in billionths of the major unit.
CREATE TABLE comptoir.memos (
    book_id integer NOT NULL,
    account_id bigint NOT NULL,
    version bigint NOT NULL,
    price_id bigint,
    quantity bigint NOT NULL,
    model text,
    cost bigint,
    PRIMARY KEY (book_id, account_id, version)
);

-- Every request that was decided: its fingerprint, and the figures that its answer shows.
CREATE TABLE comptoir.requests (
    book_id integer NOT NULL,
    id bytea NOT NULL CHECK (octet_length(id) = 16),
    mark bytea NOT NULL,
    op text NOT NULL,
    outcome text NOT NULL,
    account_id bigint NOT NULL,
    version bigint,
    mirror_version bigint,
    expires_at timestamptz,
    captured bigint,
    late boolean NOT NULL DEFAULT false,
    needed bigint,
    available bigint,
    at timestamptz NOT NULL,
    seal bigint NOT NULL,
    PRIMARY KEY (book_id, id),
    CONSTRAINT requests_created_have_a_line CHECK ((outcome = 'created') = (version IS NOT NULL))
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_insert_threshold = 100000);

CREATE TABLE comptoir.lots (
    book_id integer NOT NULL,
    account_id bigint NOT NULL,
    no integer NOT NULL,
    source text NOT NULL,
    priority smallint NOT NULL,
    expires_at timestamptz,
    granted bigint NOT NULL,
    remaining bigint NOT NULL,
    pinned bigint NOT NULL,
    plain boolean NOT NULL,
    lapsed boolean NOT NULL,
    open boolean NOT NULL,
    paid bigint NOT NULL,
    tax bigint NOT NULL,
    currency text,
    version bigint NOT NULL,
    seal bigint NOT NULL,
    PRIMARY KEY (book_id, account_id, no),
    CONSTRAINT lots_parts_nest CHECK (
        0 <= pinned AND pinned <= remaining AND remaining <= granted
    ),
    CONSTRAINT lots_open_have_something CHECK (open = (remaining > 0))
) WITH (fillfactor = 50);

-- The predicate names only "open", so that the usual update of a lot stays HOT.
CREATE INDEX lots_in_burning_order ON comptoir.lots
    (book_id, account_id, priority, expires_at, no) WHERE open;

CREATE TABLE comptoir.holds (
    book_id integer NOT NULL,
    id bytea NOT NULL,
    account_id bigint NOT NULL,
    contra_id bigint NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    captured bigint NOT NULL CHECK (captured >= 0),
    state text NOT NULL,
    on_excess text NOT NULL,
    expires_at timestamptz,
    group_id bytea,
    pin_lots integer[] NOT NULL,
    pin_parts bigint[] NOT NULL,
    opened bigint NOT NULL,
    closed bigint,
    at timestamptz NOT NULL,
    seal bigint NOT NULL,
    PRIMARY KEY (book_id, id),
    CONSTRAINT holds_open_have_something CHECK (state <> 'open' OR captured < amount),
    CONSTRAINT holds_pins_match CHECK (cardinality(pin_lots) = cardinality(pin_parts))
) WITH (fillfactor = 70);

CREATE INDEX holds_of_account ON comptoir.holds (book_id, account_id, opened);
CREATE INDEX holds_by_expiry ON comptoir.holds (book_id, account_id, expires_at)
    WHERE state = 'open';
CREATE INDEX holds_of_group ON comptoir.holds (book_id, group_id) WHERE group_id IS NOT NULL;

-- How far verify has checked each account, and what it found there: the watermark.
CREATE TABLE comptoir.checkpoints (
    book_id integer NOT NULL,
    account_id bigint NOT NULL,
    version bigint NOT NULL,
    posted bigint NOT NULL,
    held bigint NOT NULL,
    debt bigint NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (book_id, account_id)
);

-- The price book. A price is never changed: a new version takes its place.
CREATE TABLE comptoir.prices (
    book_id integer NOT NULL REFERENCES comptoir.books,
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    asset_id integer NOT NULL,
    action text NOT NULL,
    version integer NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    real_cost bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (book_id, id),
    UNIQUE (book_id, asset_id, action, version),
    FOREIGN KEY (book_id, asset_id) REFERENCES comptoir.assets
);

-- Keys of callers. Only a hash of the secret is kept; the secret has 256 random bits.
CREATE TABLE comptoir.keys (
    book_id integer NOT NULL REFERENCES comptoir.books,
    id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('operator', 'service')),
    name text NOT NULL,
    hash bytea NOT NULL UNIQUE,
    hint text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    PRIMARY KEY (book_id, id)
);

CREATE FUNCTION comptoir.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'comptoir.% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER movements_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON comptoir.movements
    FOR EACH STATEMENT EXECUTE FUNCTION comptoir.refuse_change();

CREATE TRIGGER requests_never_change
    BEFORE UPDATE OR TRUNCATE ON comptoir.requests
    FOR EACH STATEMENT EXECUTE FUNCTION comptoir.refuse_change();

CREATE FUNCTION comptoir.keep_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.outcome = 'created' OR OLD.at > clock_timestamp() - interval '30 days' THEN
        RAISE EXCEPTION 'only refusals older than 30 days leave comptoir.requests'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER requests_kept
    BEFORE DELETE ON comptoir.requests
    FOR EACH ROW EXECUTE FUNCTION comptoir.keep_request();

CREATE TRIGGER lots_never_go
    BEFORE DELETE OR TRUNCATE ON comptoir.lots
    FOR EACH STATEMENT EXECUTE FUNCTION comptoir.refuse_change();

CREATE TRIGGER holds_never_go
    BEFORE DELETE OR TRUNCATE ON comptoir.holds
    FOR EACH STATEMENT EXECUTE FUNCTION comptoir.refuse_change();

CREATE TRIGGER accounts_never_go
    BEFORE DELETE OR TRUNCATE ON comptoir.accounts
    FOR EACH STATEMENT EXECUTE FUNCTION comptoir.refuse_change();

-- Microseconds since 1970, the unit in which the core counts time. Both are inlined, which takes
-- a volatility that is no stricter than that of what they call.
CREATE FUNCTION comptoir.micros(moment timestamptz) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (extract(epoch FROM moment) * 1000000)::bigint;

-- Exact until the year 2255: a double has 53 bits, and the result is rounded to a microsecond.
CREATE FUNCTION comptoir.moment(micros bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_timestamp(micros / 1000000.0::double precision);

-- Opens an account, or does nothing when it is there.
CREATE FUNCTION comptoir.open_account(
    book integer, asset integer, customer bigint, account_name text, is_bounded boolean
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
BEGIN
    INSERT INTO comptoir.accounts (book_id, asset_id, customer_id, name, bounded, seal)
        VALUES (book, asset, customer, account_name, is_bounded, 0)
        ON CONFLICT DO NOTHING
        RETURNING id INTO made;
    IF made IS NOT NULL THEN
        UPDATE comptoir.accounts a SET seal = hash_record_extended(ROW(
            a.book_id, a.id, a.asset_id, a.customer_id, a.name, a.bounded, a.posted, a.held,
            a.debt, a.floor, a.filled, a.version, a.lots_made, a.open_lots, a.next_expiry, a.at
        ), 0) WHERE a.book_id = book AND a.id = made;
        RETURN made;
    END IF;
    SELECT a.id INTO made FROM comptoir.accounts a
        WHERE a.book_id = book AND a.asset_id = asset
            AND (a.customer_id = customer OR a.name = account_name);
    RETURN made;
END $$;

-- Opens an asset of a book with its open accounts.
CREATE FUNCTION comptoir.open_asset(book integer, asset_code text, asset_scale smallint)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    made integer;
BEGIN
    INSERT INTO comptoir.assets (book_id, code, scale) VALUES (book, asset_code, asset_scale)
        ON CONFLICT DO NOTHING RETURNING id INTO made;
    IF made IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM comptoir.open_account(book, made, NULL, name, false)
        FROM unnest(ARRAY['issuer', 'revenue', 'breakage', 'supplier']) AS name;
    RETURN made;
END $$;

INSERT INTO comptoir.books (id, name) VALUES (1, 'live'), (2, 'test');

SELECT comptoir.open_asset(book, code, scale::smallint)
    FROM unnest(ARRAY[1, 2]) AS book,
        unnest(ARRAY['credits', 'tokens', 'stock'], ARRAY[6, 0, 0]) AS asset(code, scale);

-- The application's role owns nothing and is told apart from the owner where it exists.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'comptoir_app') THEN
        GRANT USAGE ON SCHEMA comptoir TO comptoir_app;
        GRANT SELECT ON ALL TABLES IN SCHEMA comptoir TO comptoir_app;
        GRANT INSERT ON ALL TABLES IN SCHEMA comptoir TO comptoir_app;
        GRANT UPDATE ON comptoir.settings, comptoir.customers, comptoir.accounts, comptoir.lots,
            comptoir.holds, comptoir.checkpoints, comptoir.keys TO comptoir_app;
        GRANT DELETE ON comptoir.requests, comptoir.notes TO comptoir_app;
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA comptoir TO comptoir_app;
    END IF;
END $$;
