-- People and test books: customers can be erased, and test books emptied.
--
-- It only adds and loosens: the version before this one runs on the result.

-- An erased customer keeps his surrogate id, which the books need, and nothing else.
ALTER TABLE comptoir.customers
    ALTER COLUMN customer DROP NOT NULL,
    ADD COLUMN erased_at timestamptz,
    ADD CONSTRAINT customers_named_or_erased CHECK ((customer IS NULL) = (erased_at IS NOT NULL)),
    ADD CONSTRAINT customers_erased_keep_nothing CHECK (erased_at IS NULL OR (
        email IS NULL AND name IS NULL AND metadata = '{}' AND time_zone = 'UTC' AND locale = 'en'
    ));

-- The account of an erased customer. Nobody can name it, and no note is written about it; what is
-- in it still expires, and what was done in it can still be captured late or reversed. The seal
-- leaves this column out, as the version before must be able to write it: verify compares it with
-- the customer instead.
ALTER TABLE comptoir.accounts ADD COLUMN anonymous boolean NOT NULL DEFAULT false;

-- What the rare writes of operators answered (erase, reset, rotate), for repeats with their key.
-- Figures are numbers and surrogate ids, never anything personal.
CREATE TABLE comptoir.answers (
    book_id integer NOT NULL REFERENCES comptoir.books,
    id bytea NOT NULL CHECK (octet_length(id) = 16),
    mark bytea NOT NULL,
    op text NOT NULL,
    figures jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (book_id, id)
);

CREATE TRIGGER answers_never_change
    BEFORE UPDATE OR DELETE OR TRUNCATE ON comptoir.answers
    FOR EACH STATEMENT EXECUTE FUNCTION comptoir.refuse_change();

-- Opens an account, or does nothing when it is there. Null when its customer is not there any more:
-- whoever erases him waits for us, or we for him. Whoever resets the book keeps us out meanwhile
-- (the first number of the lock is "open" in ASCII).
CREATE OR REPLACE FUNCTION comptoir.open_account(
    book integer, asset integer, customer bigint, account_name text, is_bounded boolean
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1869636974, book);
    IF open_account.customer IS NOT NULL THEN
        PERFORM FROM comptoir.customers c
            WHERE c.book_id = book AND c.id = open_account.customer AND c.erased_at IS NULL
            FOR KEY SHARE;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
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

-- Opens the account of a customer by his own id, and him too. Whoever is erased meanwhile is a new
-- customer the next time round; null when that happens too often to be true.
CREATE FUNCTION comptoir.open_customer_account(book integer, asset integer, customer_name text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    owner bigint;
    made bigint;
BEGIN
    FOR attempt IN 1..10 LOOP
        INSERT INTO comptoir.customers (book_id, customer) VALUES (book, customer_name)
            ON CONFLICT (book_id, customer) DO NOTHING;
        SELECT c.id INTO owner FROM comptoir.customers c
            WHERE c.book_id = book AND c.customer = customer_name;
        CONTINUE WHEN owner IS NULL;
        made := comptoir.open_account(book, asset, owner, NULL, true);
        EXIT WHEN made IS NOT NULL;
    END LOOP;
    RETURN made;
END $$;

-- Test books may be emptied, and only they: from here to the end.
ALTER TABLE comptoir.books ADD COLUMN is_test boolean NOT NULL DEFAULT false;
UPDATE comptoir.books SET is_test = true WHERE name = 'test';

-- The test book that comptoir.reset_book is emptying in this transaction; usually none.
CREATE FUNCTION comptoir.book_in_reset() RETURNS integer LANGUAGE sql STABLE
    RETURN (SELECT id FROM comptoir.books
        WHERE is_test AND id::text = current_setting('comptoir.reset', true));

CREATE FUNCTION comptoir.keep_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    resetting integer := comptoir.book_in_reset();
BEGIN
    IF EXISTS (SELECT FROM gone WHERE book_id IS DISTINCT FROM resetting) THEN
        RAISE EXCEPTION 'rows never leave comptoir.%', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER movements_append_only
    BEFORE UPDATE OR TRUNCATE ON comptoir.movements
    FOR EACH STATEMENT EXECUTE FUNCTION comptoir.refuse_change();
CREATE OR REPLACE TRIGGER lots_never_go
    BEFORE TRUNCATE ON comptoir.lots
    FOR EACH STATEMENT EXECUTE FUNCTION comptoir.refuse_change();
CREATE OR REPLACE TRIGGER holds_never_go
    BEFORE TRUNCATE ON comptoir.holds
    FOR EACH STATEMENT EXECUTE FUNCTION comptoir.refuse_change();
CREATE OR REPLACE TRIGGER accounts_never_go
    BEFORE TRUNCATE ON comptoir.accounts
    FOR EACH STATEMENT EXECUTE FUNCTION comptoir.refuse_change();

CREATE TRIGGER movements_kept AFTER DELETE ON comptoir.movements
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION comptoir.keep_rows();
CREATE TRIGGER lots_kept AFTER DELETE ON comptoir.lots
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION comptoir.keep_rows();
CREATE TRIGGER holds_kept AFTER DELETE ON comptoir.holds
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION comptoir.keep_rows();
CREATE TRIGGER accounts_kept AFTER DELETE ON comptoir.accounts
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION comptoir.keep_rows();

-- As before, for whole statements: of requests only refusals that are old enough go.
CREATE FUNCTION comptoir.keep_requests() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    resetting integer := comptoir.book_in_reset();
BEGIN
    IF EXISTS (SELECT FROM gone WHERE book_id IS DISTINCT FROM resetting
            AND (outcome = 'created' OR at > clock_timestamp() - interval '30 days')) THEN
        RAISE EXCEPTION 'only refusals older than 30 days leave comptoir.requests'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER requests_kept ON comptoir.requests;
DROP FUNCTION comptoir.keep_request();
CREATE TRIGGER requests_kept AFTER DELETE ON comptoir.requests
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION comptoir.keep_requests();

-- Empties a test book: everything but its keys, assets with their open accounts, prices and stored
-- answers. It runs as the owner, so that the application needs no right to delete; it refuses every
-- other book. Locks go as everybody else takes them: openers, customers, accounts in ascending
-- order; so whoever is at work ends first, and whoever comes later finds nothing.
CREATE FUNCTION comptoir.reset_book(
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

REVOKE EXECUTE ON FUNCTION comptoir.reset_book(integer) FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'comptoir_app') THEN
        GRANT SELECT, INSERT ON comptoir.answers TO comptoir_app;
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA comptoir TO comptoir_app;
    END IF;
END $$;
