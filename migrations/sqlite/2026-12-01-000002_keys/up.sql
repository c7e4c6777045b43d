-- Keys that can be distributed by seller: seller_id leads every key. What is looked up before its seller is known is in
-- the directory. Rows of the platform belong to the seller of all zeros. SQLite cannot change the keys of a table, so the
-- tables are written anew; foreign keys are off meanwhile, and checked afterwards.

CREATE TABLE directory (
    kind TEXT NOT NULL,
    hash BLOB NOT NULL,
    seller_id BLOB NOT NULL,
    PRIMARY KEY (kind, hash, seller_id)
);
-- A person may belong to several sellers; everything else leads to one.
CREATE UNIQUE INDEX directory_by_name ON directory (kind, hash) WHERE kind <> 'user';

INSERT INTO directory (kind, hash, seller_id)
SELECT 'shop', CAST(handle AS BLOB), seller_id FROM shops
UNION ALL
SELECT 'api_key', hash, COALESCE(seller_id, X'00000000000000000000000000000000') FROM api_keys
UNION ALL
SELECT 'api_key_id', id, COALESCE(seller_id, X'00000000000000000000000000000000') FROM api_keys
UNION ALL
SELECT 'user', email_hash, seller_id FROM users
UNION ALL
SELECT 'session', token_hash, seller_id FROM sessions
UNION ALL
SELECT 'invitation', token_hash, seller_id FROM invitations;

CREATE TABLE new_shops (
    seller_id BLOB NOT NULL REFERENCES sellers (id),
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    handle TEXT NOT NULL,
    contact_days INTEGER,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, name)
);
INSERT INTO new_shops (seller_id, id, name, handle, contact_days, created_at)
SELECT seller_id, id, name, handle, contact_days, created_at FROM shops;
DROP TABLE shops;
ALTER TABLE new_shops RENAME TO shops;

CREATE TABLE new_principals (
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    seller_id BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (seller_id, id)
);
INSERT INTO new_principals (id, kind, seller_id, created_at)
SELECT id, kind, COALESCE(seller_id, X'00000000000000000000000000000000'), created_at FROM principals;
DROP TABLE principals;
ALTER TABLE new_principals RENAME TO principals;

CREATE TABLE new_api_keys (
    id BLOB NOT NULL,
    seller_id BLOB NOT NULL,
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    hash BLOB NOT NULL,
    created_by BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, hash),
    FOREIGN KEY (seller_id, id) REFERENCES principals (seller_id, id)
);
INSERT INTO new_api_keys (id, seller_id, role, name, prefix, hash, created_by, created_at, expires_at, revoked_at)
SELECT id, COALESCE(seller_id, X'00000000000000000000000000000000'), role, name, prefix, hash, created_by, created_at, expires_at, revoked_at FROM api_keys;
DROP TABLE api_keys;
ALTER TABLE new_api_keys RENAME TO api_keys;

CREATE TABLE new_users (
    seller_id BLOB NOT NULL REFERENCES sellers (id),
    id BLOB NOT NULL,
    sealed BLOB NOT NULL,
    email_hash BLOB NOT NULL,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, email_hash),
    FOREIGN KEY (seller_id, id) REFERENCES principals (seller_id, id)
);
INSERT INTO new_users (seller_id, id, sealed, email_hash, password_hash, role, created_at, disabled_at)
SELECT seller_id, id, sealed, email_hash, password_hash, role, created_at, disabled_at FROM users;
DROP TABLE users;
ALTER TABLE new_users RENAME TO users;

CREATE TABLE new_invitations (
    seller_id BLOB NOT NULL REFERENCES sellers (id),
    id BLOB NOT NULL,
    sealed BLOB NOT NULL,
    email_hash BLOB NOT NULL,
    role TEXT NOT NULL,
    token_hash BLOB NOT NULL,
    invited_by BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, token_hash)
);
INSERT INTO new_invitations (seller_id, id, sealed, email_hash, role, token_hash, invited_by, created_at, expires_at, ended_at)
SELECT seller_id, id, sealed, email_hash, role, token_hash, invited_by, created_at, expires_at, ended_at FROM invitations;
DROP TABLE invitations;
ALTER TABLE new_invitations RENAME TO invitations;

CREATE TABLE new_sessions (
    seller_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    token_hash BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (seller_id, user_id, token_hash),
    UNIQUE (seller_id, token_hash),
    FOREIGN KEY (seller_id, user_id) REFERENCES users (seller_id, id)
);
INSERT INTO new_sessions (seller_id, user_id, token_hash, created_at, seen_at, expires_at)
SELECT seller_id, user_id, token_hash, created_at, seen_at, expires_at FROM sessions;
DROP TABLE sessions;
ALTER TABLE new_sessions RENAME TO sessions;

DROP TRIGGER audit_log_is_not_changed;
DROP TRIGGER audit_log_is_not_deleted;
CREATE TABLE new_audit_log (
    id BLOB NOT NULL,
    seller_id BLOB NOT NULL,
    chain_no BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor_id BLOB NOT NULL,
    action TEXT NOT NULL,
    object TEXT,
    detail TEXT NOT NULL,
    request_id TEXT,
    chain_hash BLOB NOT NULL,
    PRIMARY KEY (seller_id, chain_no)
);
INSERT INTO new_audit_log (id, seller_id, chain_no, at, actor_id, action, object, detail, request_id, chain_hash)
SELECT id, COALESCE(seller_id, X'00000000000000000000000000000000'), chain_no, at, actor_id, action, object, detail, request_id, chain_hash FROM audit_log;
DROP TABLE audit_log;
ALTER TABLE new_audit_log RENAME TO audit_log;
-- By id, which is by time: of one seller, and of all.
CREATE INDEX audit_log_by_seller ON audit_log (seller_id, id);
CREATE INDEX audit_log_by_time ON audit_log (id);
CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_log_is_not_deleted BEFORE DELETE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TABLE new_orders (
    seller_id BLOB NOT NULL REFERENCES sellers (id),
    id BLOB NOT NULL,
    shop_id BLOB NOT NULL,
    order_number TEXT NOT NULL,
    order_ref TEXT,
    state TEXT NOT NULL,
    ordered_local TEXT,
    ordered_offset TEXT,
    currency TEXT,
    country TEXT,
    region TEXT,
    postal_code TEXT,
    origin_country TEXT,
    origin_region TEXT,
    origin_postal_code TEXT,
    deliver_from_on TEXT,
    shipping_method TEXT,
    shipping_charged_minor BIGINT,
    channel TEXT,
    dispatch_by_at BIGINT,
    deliver_by_on TEXT,
    token_hash BLOB NOT NULL,
    token_sealed BLOB NOT NULL,
    contact_erased_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, shop_id, order_number),
    UNIQUE (seller_id, token_hash),
    FOREIGN KEY (seller_id, shop_id) REFERENCES shops (seller_id, id)
);
INSERT INTO new_orders (seller_id, id, shop_id, order_number, order_ref, state, ordered_local, ordered_offset, currency, country, region, postal_code, origin_country, origin_region, origin_postal_code, deliver_from_on, shipping_method, shipping_charged_minor, channel, dispatch_by_at, deliver_by_on, token_hash, token_sealed, contact_erased_at, created_at, updated_at, version)
SELECT seller_id, id, shop_id, order_number, order_ref, state, ordered_local, ordered_offset, currency, country, region, postal_code, origin_country, origin_region, origin_postal_code, deliver_from_on, shipping_method, shipping_charged_minor, channel, dispatch_by_at, deliver_by_on, token_hash, token_sealed, contact_erased_at, created_at, updated_at, version FROM orders;
DROP TABLE orders;
ALTER TABLE new_orders RENAME TO orders;

CREATE TABLE new_imports (
    seller_id BLOB NOT NULL REFERENCES sellers (id),
    id BLOB NOT NULL,
    shop_id BLOB NOT NULL,
    kind TEXT,
    state TEXT NOT NULL,
    dry_run BOOLEAN NOT NULL,
    options TEXT NOT NULL,
    sealed BLOB NOT NULL,
    file_bytes BIGINT NOT NULL,
    problems TEXT NOT NULL,
    cursor_line BIGINT NOT NULL,
    rows_total BIGINT NOT NULL,
    rows_created BIGINT NOT NULL,
    rows_updated BIGINT NOT NULL,
    rows_unchanged BIGINT NOT NULL,
    rows_rejected BIGINT NOT NULL,
    rows_warned BIGINT NOT NULL,
    uploaded_by BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    claimed_until BIGINT,
    claim BLOB,
    expired_at BIGINT,
    file_erased_at BIGINT,
    proved BOOLEAN NOT NULL DEFAULT FALSE,
    undone_at BIGINT,
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, shop_id) REFERENCES shops (seller_id, id)
);
INSERT INTO new_imports (seller_id, id, shop_id, kind, state, dry_run, options, sealed, file_bytes, problems, cursor_line, rows_total, rows_created, rows_updated, rows_unchanged, rows_rejected, rows_warned, uploaded_by, created_at, finished_at, claimed_until, claim, expired_at, file_erased_at, proved, undone_at)
SELECT seller_id, id, shop_id, kind, state, dry_run, options, sealed, file_bytes, problems, cursor_line, rows_total, rows_created, rows_updated, rows_unchanged, rows_rejected, rows_warned, uploaded_by, created_at, finished_at, claimed_until, claim, expired_at, file_erased_at, proved, undone_at FROM imports;
DROP TABLE imports;
ALTER TABLE new_imports RENAME TO imports;
CREATE INDEX imports_due ON imports (created_at) WHERE state IN ('received', 'running');
CREATE INDEX imports_kept ON imports (finished_at) WHERE expired_at IS NULL;
CREATE INDEX imports_receiving ON imports (created_at) WHERE state = 'receiving';
