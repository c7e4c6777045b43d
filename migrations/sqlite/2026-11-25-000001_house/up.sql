-- The house: who may come in, sellers, orders, shipments, trackers, events, imports.
-- seller_id leads every key of a seller's table. Ids are 16 bytes, instants microseconds since 1970 in UTC, documents
-- JSON text, local dates ISO text.

CREATE TABLE sellers (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    country TEXT,
    time_zone TEXT NOT NULL,
    upload_days INTEGER NOT NULL,
    created_at BIGINT NOT NULL
);

-- Each seller's own key, under the instance's secret key: it seals what names people.
CREATE TABLE seller_keys (
    seller_id BLOB NOT NULL PRIMARY KEY REFERENCES sellers (id),
    wrapped BLOB NOT NULL
);

CREATE TABLE shops (
    seller_id BLOB NOT NULL REFERENCES sellers (id),
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    handle TEXT NOT NULL UNIQUE,
    contact_days INTEGER,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, name)
);

-- Sealed at the first start: tells whether the secret key is the one that this database was made with.
CREATE TABLE instance (
    id INTEGER NOT NULL PRIMARY KEY,
    key_check BLOB NOT NULL
);

-- Who acts: an API key, a user, or the program itself. An admin's key belongs to no seller.
CREATE TABLE principals (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    seller_id BLOB REFERENCES sellers (id),
    created_at BIGINT NOT NULL
);
INSERT INTO principals (id, kind, seller_id, created_at) VALUES (X'00000000000070008000000000000001', 'system', NULL, 0);

CREATE TABLE api_keys (
    id BLOB NOT NULL PRIMARY KEY REFERENCES principals (id),
    seller_id BLOB REFERENCES sellers (id),
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    created_by BLOB NOT NULL REFERENCES principals (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX api_keys_by_seller ON api_keys (seller_id, id);

-- What signs access tokens. The private half is sealed under the instance's secret key.
CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    public_key BLOB NOT NULL,
    private_sealed BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,
    signs_until BIGINT NOT NULL
);

-- People of a seller. What names them is sealed; they are found by keyed hash.
CREATE TABLE users (
    seller_id BLOB NOT NULL REFERENCES sellers (id),
    id BLOB NOT NULL UNIQUE REFERENCES principals (id),
    sealed BLOB NOT NULL,
    email_hash BLOB NOT NULL,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, email_hash)
);
CREATE INDEX users_by_email ON users (email_hash);

CREATE TABLE invitations (
    seller_id BLOB NOT NULL REFERENCES sellers (id),
    id BLOB NOT NULL,
    sealed BLOB NOT NULL,
    email_hash BLOB NOT NULL,
    role TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    invited_by BLOB NOT NULL REFERENCES principals (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (seller_id, id)
);

CREATE TABLE sessions (
    seller_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (seller_id, user_id, token_hash),
    FOREIGN KEY (seller_id, user_id) REFERENCES users (seller_id, id)
);

-- Who did what to the doors and to people's data. Append-only, each row chained to the one before it of the same seller;
-- rows without a seller are the platform's own.
CREATE TABLE audit_log (
    id BLOB NOT NULL PRIMARY KEY,
    seller_id BLOB REFERENCES sellers (id),
    chain_no BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor_id BLOB NOT NULL REFERENCES principals (id),
    action TEXT NOT NULL,
    object TEXT,
    detail TEXT NOT NULL,
    request_id TEXT,
    chain_hash BLOB NOT NULL
);
CREATE UNIQUE INDEX audit_log_by_seller ON audit_log (seller_id, chain_no);
CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_log_is_not_deleted BEFORE DELETE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TABLE orders (
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
    token_hash BLOB NOT NULL UNIQUE,
    token_sealed BLOB NOT NULL,
    contact_erased_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, shop_id, order_number),
    FOREIGN KEY (seller_id, shop_id) REFERENCES shops (seller_id, id)
);

CREATE TABLE order_lines (
    seller_id BLOB NOT NULL,
    order_id BLOB NOT NULL,
    line_key TEXT NOT NULL,
    line_no INTEGER NOT NULL,
    line_id TEXT,
    sku TEXT,
    item_name TEXT,
    quantity BIGINT NOT NULL,
    unit_price_minor BIGINT,
    declared_value_minor BIGINT,
    hs_code TEXT,
    origin_country TEXT,
    weight_g BIGINT,
    ship_by_local TEXT,
    ship_by_offset TEXT,
    deliver_by_on TEXT,
    seller_ref TEXT,
    PRIMARY KEY (seller_id, order_id, line_key),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders (seller_id, id)
);

-- Who gets the parcel: apart from the order, sealed under the seller's key, found by keyed hash, and erasable.
CREATE TABLE order_contacts (
    seller_id BLOB NOT NULL,
    order_id BLOB NOT NULL,
    sealed BLOB NOT NULL,
    email_hash BLOB,
    phone_hash BLOB,
    PRIMARY KEY (seller_id, order_id),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders (seller_id, id)
);
CREATE INDEX order_contacts_by_email ON order_contacts (seller_id, email_hash);
CREATE INDEX order_contacts_by_phone ON order_contacts (seller_id, phone_hash);

CREATE TABLE promise_policies (
    seller_id BLOB NOT NULL REFERENCES sellers (id),
    id BLOB NOT NULL,
    shop_id BLOB,
    shipping_method TEXT,
    country TEXT,
    working_days INTEGER NOT NULL,
    PRIMARY KEY (seller_id, id)
);

CREATE TABLE trackers (
    seller_id BLOB NOT NULL REFERENCES sellers (id),
    id BLOB NOT NULL,
    carrier TEXT NOT NULL,
    number TEXT NOT NULL,
    generation INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    last_event_at BIGINT,
    last_checked_at BIGINT,
    next_check_at BIGINT,
    failed_checks INTEGER NOT NULL,
    claimed_until BIGINT,
    details_erased_at BIGINT,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, carrier, number, generation)
);
CREATE INDEX trackers_due ON trackers (next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX trackers_by_number ON trackers (seller_id, number);

CREATE TABLE shipments (
    seller_id BLOB NOT NULL,
    id BLOB NOT NULL,
    order_id BLOB NOT NULL,
    state TEXT NOT NULL,
    carrier TEXT,
    service TEXT,
    tracking_number TEXT NOT NULL,
    typed_number TEXT NOT NULL,
    suspicious BOOLEAN NOT NULL,
    parcel_ref TEXT,
    shipped_local TEXT,
    shipped_offset TEXT,
    shipped_on TEXT,
    origin_country TEXT,
    origin_region TEXT,
    origin_postal_code TEXT,
    own_deliver_by_on TEXT,
    delivery_claim TEXT,
    deliver_by_on TEXT,
    promise_source TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders (seller_id, id)
);
CREATE INDEX shipments_by_order ON shipments (seller_id, order_id);
CREATE INDEX shipments_by_number ON shipments (seller_id, tracking_number);
CREATE INDEX shipments_by_update ON shipments (seller_id, updated_at);

CREATE TABLE legs (
    seller_id BLOB NOT NULL,
    shipment_id BLOB NOT NULL,
    leg_no INTEGER NOT NULL,
    tracker_id BLOB NOT NULL,
    PRIMARY KEY (seller_id, shipment_id, leg_no),
    FOREIGN KEY (seller_id, shipment_id) REFERENCES shipments (seller_id, id),
    FOREIGN KEY (seller_id, tracker_id) REFERENCES trackers (seller_id, id)
);
CREATE INDEX legs_by_tracker ON legs (seller_id, tracker_id);

-- What the events say of a shipment: a projection, which can be rebuilt from them at any time.
CREATE TABLE standings (
    seller_id BLOB NOT NULL,
    shipment_id BLOB NOT NULL,
    milestone TEXT NOT NULL,
    sub_status TEXT,
    verdict TEXT NOT NULL,
    timeliness TEXT NOT NULL,
    cause TEXT,
    is_open BOOLEAN NOT NULL,
    delivered_on TEXT,
    first_attempt_on TEXT,
    ending TEXT,
    detail TEXT NOT NULL,
    judged_at BIGINT NOT NULL,
    reconsider_at BIGINT,
    PRIMARY KEY (seller_id, shipment_id),
    FOREIGN KEY (seller_id, shipment_id) REFERENCES shipments (seller_id, id)
);
CREATE INDEX standings_due ON standings (reconsider_at) WHERE reconsider_at IS NOT NULL;

-- Every change of a promise, the first one included.
CREATE TABLE promise_changes (
    seller_id BLOB NOT NULL,
    shipment_id BLOB NOT NULL,
    changed_at BIGINT NOT NULL,
    deliver_by_on TEXT,
    source TEXT,
    PRIMARY KEY (seller_id, shipment_id, changed_at),
    FOREIGN KEY (seller_id, shipment_id) REFERENCES shipments (seller_id, id)
);

-- Append-only and without personal data. Each is chained to the one heard before it of the same tracker.
CREATE TABLE tracking_events (
    seller_id BLOB NOT NULL,
    tracker_id BLOB NOT NULL,
    dedupe_key TEXT NOT NULL,
    id BLOB NOT NULL,
    occurred_local TEXT NOT NULL,
    occurred_offset TEXT,
    sort_at BIGINT NOT NULL,
    heard_at BIGINT NOT NULL,
    sub_status TEXT,
    raw_code TEXT NOT NULL,
    source TEXT NOT NULL,
    details_digest BLOB,
    chain_no BIGINT NOT NULL,
    chain_hash BLOB NOT NULL,
    PRIMARY KEY (seller_id, tracker_id, dedupe_key),
    UNIQUE (seller_id, tracker_id, chain_no),
    FOREIGN KEY (seller_id, tracker_id) REFERENCES trackers (seller_id, id)
);

-- Place, free text and signer: sealed with the salt of their digest, and erasable.
CREATE TABLE event_details (
    seller_id BLOB NOT NULL,
    tracker_id BLOB NOT NULL,
    dedupe_key TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (seller_id, tracker_id, dedupe_key),
    FOREIGN KEY (seller_id, tracker_id, dedupe_key) REFERENCES tracking_events (seller_id, tracker_id, dedupe_key)
);

-- A source took a scan back, or said it again; the latest word counts.
CREATE TABLE event_withdrawals (
    seller_id BLOB NOT NULL,
    tracker_id BLOB NOT NULL,
    id BLOB NOT NULL,
    dedupe_key TEXT NOT NULL,
    withdrawn BOOLEAN NOT NULL,
    heard_at BIGINT NOT NULL,
    PRIMARY KEY (seller_id, tracker_id, id),
    FOREIGN KEY (seller_id, tracker_id, dedupe_key) REFERENCES tracking_events (seller_id, tracker_id, dedupe_key)
);

CREATE TRIGGER tracking_events_are_not_changed BEFORE UPDATE ON tracking_events
BEGIN
    SELECT RAISE(ABORT, 'tracking events are append-only');
END;
CREATE TRIGGER tracking_events_are_not_deleted BEFORE DELETE ON tracking_events
BEGIN
    SELECT RAISE(ABORT, 'tracking events are append-only');
END;

-- Uploaded files. The file's name and what was found out about it may quote its cells, so they are sealed.
CREATE TABLE imports (
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
    uploaded_by BLOB NOT NULL REFERENCES principals (id),
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    claimed_until BIGINT,
    claim BLOB,
    expired_at BIGINT,
    file_erased_at BIGINT,
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, shop_id) REFERENCES shops (seller_id, id)
);
CREATE INDEX imports_due ON imports (created_at) WHERE state IN ('received', 'running');
CREATE INDEX imports_kept ON imports (finished_at) WHERE expired_at IS NULL;

-- The uploaded file as it came, in sealed pieces.
CREATE TABLE import_chunks (
    seller_id BLOB NOT NULL,
    import_id BLOB NOT NULL,
    chunk_no INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (seller_id, import_id, chunk_no),
    FOREIGN KEY (seller_id, import_id) REFERENCES imports (seller_id, id)
);

-- What became of each row; what was read of it, and what is wrong with it, are sealed.
CREATE TABLE import_rows (
    seller_id BLOB NOT NULL,
    import_id BLOB NOT NULL,
    line BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    order_id BLOB,
    shipment_id BLOB,
    sealed BLOB NOT NULL,
    PRIMARY KEY (seller_id, import_id, line),
    FOREIGN KEY (seller_id, import_id) REFERENCES imports (seller_id, id)
);
CREATE INDEX import_rows_by_order ON import_rows (seller_id, order_id) WHERE order_id IS NOT NULL;
CREATE INDEX import_rows_by_shipment ON import_rows (seller_id, shipment_id)
    WHERE order_id IS NULL AND shipment_id IS NOT NULL;

-- Whom and what a row names that led to no order, by keyed hash: so that an erasure finds it too.
CREATE TABLE import_row_names (
    seller_id BLOB NOT NULL,
    name_hash BLOB NOT NULL,
    import_id BLOB NOT NULL,
    line BIGINT NOT NULL,
    PRIMARY KEY (seller_id, name_hash, import_id, line),
    FOREIGN KEY (seller_id, import_id, line) REFERENCES import_rows (seller_id, import_id, line)
);
CREATE INDEX import_row_names_by_row ON import_row_names (seller_id, import_id, line);

-- What changed, written with the change: webhooks, notifications and the change feed read from here.
-- seq counts the changes of one seller in the order of their commits. Whoever removes old rows must leave the last one
-- of each seller, or the count starts again and readers miss what comes.
CREATE TABLE outbox (
    seller_id BLOB NOT NULL,
    seq BIGINT NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    subject_id BLOB NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (seller_id, seq)
);

-- What was asked under an Idempotency-Key, who works on it, and how it was answered; kept for a day. The answer may hold
-- contacts, so it is sealed. An import is noted with its key in one transaction, so a crash makes no second one.
CREATE TABLE idempotency_keys (
    seller_id BLOB NOT NULL REFERENCES sellers (id),
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    claim BLOB NOT NULL,
    locked_until BIGINT NOT NULL,
    fingerprint BLOB,
    import_id BLOB,
    answer BLOB,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (seller_id, route, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
