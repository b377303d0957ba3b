-- Pages for operators: one-time addresses to sign in, sessions, and what was done by whom.
--
-- It only adds: the version before this one runs on the result.

-- An address that signs somebody in once. Only a hash of its secret is kept; the secret has 256
-- random bits.
CREATE TABLE comptoir.operator_logins (
    book_id integer NOT NULL REFERENCES comptoir.books,
    id uuid NOT NULL,
    hash bytea NOT NULL UNIQUE,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('viewer', 'support', 'admin')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (book_id, id)
);

-- Whoever has signed in, and which book he looks at. It is kept when it has ended.
CREATE TABLE comptoir.operator_sessions (
    book_id integer NOT NULL REFERENCES comptoir.books,
    id uuid NOT NULL,
    hash bytea NOT NULL UNIQUE,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('viewer', 'support', 'admin')),
    shown_book integer NOT NULL REFERENCES comptoir.books,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (book_id, id)
) WITH (fillfactor = 70);

CREATE INDEX operator_sessions_open ON comptoir.operator_sessions (book_id, expires_at)
    WHERE ended_at IS NULL;

-- One line for every action of an operator's, in the commit of what it did. Its id is made from the
-- key of the form, so that a form that is sent twice has one line. What it is about has surrogate
-- names; its reason is free text, and can be forgotten with the person whose account it is about.
CREATE TABLE comptoir.audit (
    book_id integer NOT NULL REFERENCES comptoir.books,
    id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL,
    session_id uuid,
    action text NOT NULL,
    subject text NOT NULL,
    account_id bigint,
    reason text,
    figures jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (book_id, id)
);

CREATE INDEX audit_by_time ON comptoir.audit (book_id, at, id);
CREATE INDEX audit_of_account ON comptoir.audit (book_id, account_id)
    WHERE account_id IS NOT NULL;

CREATE TRIGGER audit_never_goes
    BEFORE DELETE OR TRUNCATE ON comptoir.audit
    FOR EACH STATEMENT EXECUTE FUNCTION comptoir.refuse_change();

-- Forgetting a reason is all that may happen to a line.
CREATE TRIGGER audit_never_changes
    BEFORE UPDATE ON comptoir.audit
    FOR EACH ROW WHEN (
        NEW.reason IS NOT NULL
        OR ROW(NEW.book_id, NEW.id, NEW.at, NEW.who, NEW.session_id, NEW.action, NEW.subject,
            NEW.account_id, NEW.figures)
        IS DISTINCT FROM ROW(OLD.book_id, OLD.id, OLD.at, OLD.who, OLD.session_id, OLD.action,
            OLD.subject, OLD.account_id, OLD.figures)
    )
    EXECUTE FUNCTION comptoir.refuse_change();

-- Finding customers by how their ids begin, whatever the collation of the database is.
CREATE INDEX customers_by_prefix ON comptoir.customers (book_id, customer text_pattern_ops)
    WHERE customer IS NOT NULL;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'comptoir_app') THEN
        GRANT SELECT, INSERT ON comptoir.operator_logins, comptoir.operator_sessions,
            comptoir.audit TO comptoir_app;
        GRANT UPDATE (used_at) ON comptoir.operator_logins TO comptoir_app;
        GRANT UPDATE (seen_at, shown_book, ended_at) ON comptoir.operator_sessions TO comptoir_app;
        GRANT UPDATE (reason) ON comptoir.audit TO comptoir_app;
    END IF;
END $$;
