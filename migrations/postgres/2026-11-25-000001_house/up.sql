-- The house: who may come in, sellers, orders, shipments, trackers, events, imports.
-- seller_id leads every key of a seller's table. Local dates are ISO text.

CREATE TABLE sellers (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    country TEXT,
    time_zone TEXT NOT NULL,
    upload_days INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

-- Each seller's own key, under the instance's secret key: it seals what names people.
CREATE TABLE seller_keys (
    seller_id UUID NOT NULL PRIMARY KEY REFERENCES sellers (id),
    wrapped BYTEA NOT NULL
);

CREATE TABLE shops (
    seller_id UUID NOT NULL REFERENCES sellers (id),
    id UUID NOT NULL,
    name TEXT NOT NULL,
    handle TEXT NOT NULL UNIQUE,
    contact_days INTEGER,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, name)
);

-- Sealed at the first start: tells whether the secret key is the one that this database was made with.
CREATE TABLE instance (
    id INTEGER NOT NULL PRIMARY KEY,
    key_check BYTEA NOT NULL
);

-- Who acts: an API key, a user, or the program itself. An admin's key belongs to no seller.
CREATE TABLE principals (
    id UUID NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    seller_id UUID REFERENCES sellers (id),
    created_at TIMESTAMPTZ NOT NULL
);
INSERT INTO principals (id, kind, seller_id, created_at) VALUES ('00000000-0000-7000-8000-000000000001', 'system', NULL, '1970-01-01T00:00:00Z');

CREATE TABLE api_keys (
    id UUID NOT NULL PRIMARY KEY REFERENCES principals (id),
    seller_id UUID REFERENCES sellers (id),
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    hash BYTEA NOT NULL UNIQUE,
    created_by UUID NOT NULL REFERENCES principals (id),
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ
);
CREATE INDEX api_keys_by_seller ON api_keys (seller_id, id);

-- What signs access tokens. The private half is sealed under the instance's secret key.
CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    public_key BYTEA NOT NULL,
    private_sealed BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    signs_from TIMESTAMPTZ NOT NULL,
    signs_until TIMESTAMPTZ NOT NULL
);

-- People of a seller. What names them is sealed; they are found by keyed hash.
CREATE TABLE users (
    seller_id UUID NOT NULL REFERENCES sellers (id),
    id UUID NOT NULL UNIQUE REFERENCES principals (id),
    sealed BYTEA NOT NULL,
    email_hash BYTEA NOT NULL,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    disabled_at TIMESTAMPTZ,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, email_hash)
);
CREATE INDEX users_by_email ON users (email_hash);

CREATE TABLE invitations (
    seller_id UUID NOT NULL REFERENCES sellers (id),
    id UUID NOT NULL,
    sealed BYTEA NOT NULL,
    email_hash BYTEA NOT NULL,
    role TEXT NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    invited_by UUID NOT NULL REFERENCES principals (id),
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    PRIMARY KEY (seller_id, id)
);

CREATE TABLE sessions (
    seller_id UUID NOT NULL,
    user_id UUID NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (seller_id, user_id, token_hash),
    FOREIGN KEY (seller_id, user_id) REFERENCES users (seller_id, id)
);

-- Who did what to the doors and to people's data. Append-only, each row chained to the one before it of the same seller;
-- rows without a seller are the platform's own.
CREATE TABLE audit_log (
    id UUID NOT NULL PRIMARY KEY,
    seller_id UUID REFERENCES sellers (id),
    chain_no BIGINT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    actor_id UUID NOT NULL REFERENCES principals (id),
    action TEXT NOT NULL,
    object TEXT,
    detail JSONB NOT NULL,
    request_id TEXT,
    chain_hash BYTEA NOT NULL
);
CREATE UNIQUE INDEX audit_log_by_seller ON audit_log (seller_id, chain_no);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END;
$$;
CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE orders (
    seller_id UUID NOT NULL REFERENCES sellers (id),
    id UUID NOT NULL,
    shop_id UUID NOT NULL,
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
    dispatch_by_at TIMESTAMPTZ,
    deliver_by_on TEXT,
    token_hash BYTEA NOT NULL UNIQUE,
    token_sealed BYTEA NOT NULL,
    contact_erased_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, shop_id, order_number),
    FOREIGN KEY (seller_id, shop_id) REFERENCES shops (seller_id, id)
);

CREATE TABLE order_lines (
    seller_id UUID NOT NULL,
    order_id UUID NOT NULL,
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
    seller_id UUID NOT NULL,
    order_id UUID NOT NULL,
    sealed BYTEA NOT NULL,
    email_hash BYTEA,
    phone_hash BYTEA,
    PRIMARY KEY (seller_id, order_id),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders (seller_id, id)
);
CREATE INDEX order_contacts_by_email ON order_contacts (seller_id, email_hash);
CREATE INDEX order_contacts_by_phone ON order_contacts (seller_id, phone_hash);

CREATE TABLE promise_policies (
    seller_id UUID NOT NULL REFERENCES sellers (id),
    id UUID NOT NULL,
    shop_id UUID,
    shipping_method TEXT,
    country TEXT,
    working_days INTEGER NOT NULL,
    PRIMARY KEY (seller_id, id)
);

CREATE TABLE trackers (
    seller_id UUID NOT NULL REFERENCES sellers (id),
    id UUID NOT NULL,
    carrier TEXT NOT NULL,
    number TEXT NOT NULL,
    generation INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_event_at TIMESTAMPTZ,
    last_checked_at TIMESTAMPTZ,
    next_check_at TIMESTAMPTZ,
    failed_checks INTEGER NOT NULL,
    claimed_until TIMESTAMPTZ,
    details_erased_at TIMESTAMPTZ,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, carrier, number, generation)
);
CREATE INDEX trackers_due ON trackers (next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX trackers_by_number ON trackers (seller_id, number);

CREATE TABLE shipments (
    seller_id UUID NOT NULL,
    id UUID NOT NULL,
    order_id UUID NOT NULL,
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
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders (seller_id, id)
);
CREATE INDEX shipments_by_order ON shipments (seller_id, order_id);
CREATE INDEX shipments_by_number ON shipments (seller_id, tracking_number);
CREATE INDEX shipments_by_update ON shipments (seller_id, updated_at);

CREATE TABLE legs (
    seller_id UUID NOT NULL,
    shipment_id UUID NOT NULL,
    leg_no INTEGER NOT NULL,
    tracker_id UUID NOT NULL,
    PRIMARY KEY (seller_id, shipment_id, leg_no),
    FOREIGN KEY (seller_id, shipment_id) REFERENCES shipments (seller_id, id),
    FOREIGN KEY (seller_id, tracker_id) REFERENCES trackers (seller_id, id)
);
CREATE INDEX legs_by_tracker ON legs (seller_id, tracker_id);

-- What the events say of a shipment: a projection, which can be rebuilt from them at any time.
CREATE TABLE standings (
    seller_id UUID NOT NULL,
    shipment_id UUID NOT NULL,
    milestone TEXT NOT NULL,
    sub_status TEXT,
    verdict TEXT NOT NULL,
    timeliness TEXT NOT NULL,
    cause TEXT,
    is_open BOOLEAN NOT NULL,
    delivered_on TEXT,
    first_attempt_on TEXT,
    ending TEXT,
    detail JSONB NOT NULL,
    judged_at TIMESTAMPTZ NOT NULL,
    reconsider_at TIMESTAMPTZ,
    PRIMARY KEY (seller_id, shipment_id),
    FOREIGN KEY (seller_id, shipment_id) REFERENCES shipments (seller_id, id)
);
CREATE INDEX standings_due ON standings (reconsider_at) WHERE reconsider_at IS NOT NULL;

-- Every change of a promise, the first one included.
CREATE TABLE promise_changes (
    seller_id UUID NOT NULL,
    shipment_id UUID NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    deliver_by_on TEXT,
    source TEXT,
    PRIMARY KEY (seller_id, shipment_id, changed_at),
    FOREIGN KEY (seller_id, shipment_id) REFERENCES shipments (seller_id, id)
);

-- Append-only and without personal data. Each is chained to the one heard before it of the same tracker.
CREATE TABLE tracking_events (
    seller_id UUID NOT NULL,
    tracker_id UUID NOT NULL,
    dedupe_key TEXT NOT NULL,
    id UUID NOT NULL,
    occurred_local TEXT NOT NULL,
    occurred_offset TEXT,
    sort_at TIMESTAMPTZ NOT NULL,
    heard_at TIMESTAMPTZ NOT NULL,
    sub_status TEXT,
    raw_code TEXT NOT NULL,
    source TEXT NOT NULL,
    details_digest BYTEA,
    chain_no BIGINT NOT NULL,
    chain_hash BYTEA NOT NULL,
    PRIMARY KEY (seller_id, tracker_id, dedupe_key),
    UNIQUE (seller_id, tracker_id, chain_no),
    FOREIGN KEY (seller_id, tracker_id) REFERENCES trackers (seller_id, id)
);

-- Place, free text and signer: sealed with the salt of their digest, and erasable.
CREATE TABLE event_details (
    seller_id UUID NOT NULL,
    tracker_id UUID NOT NULL,
    dedupe_key TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (seller_id, tracker_id, dedupe_key),
    FOREIGN KEY (seller_id, tracker_id, dedupe_key) REFERENCES tracking_events (seller_id, tracker_id, dedupe_key)
);

-- A source took a scan back, or said it again; the latest word counts.
CREATE TABLE event_withdrawals (
    seller_id UUID NOT NULL,
    tracker_id UUID NOT NULL,
    id UUID NOT NULL,
    dedupe_key TEXT NOT NULL,
    withdrawn BOOLEAN NOT NULL,
    heard_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (seller_id, tracker_id, id),
    FOREIGN KEY (seller_id, tracker_id, dedupe_key) REFERENCES tracking_events (seller_id, tracker_id, dedupe_key)
);

CREATE TRIGGER tracking_events_are_not_changed BEFORE UPDATE OR DELETE ON tracking_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Uploaded files. The file's name and what was found out about it may quote its cells, so they are sealed.
CREATE TABLE imports (
    seller_id UUID NOT NULL REFERENCES sellers (id),
    id UUID NOT NULL,
    shop_id UUID NOT NULL,
    kind TEXT,
    state TEXT NOT NULL,
    dry_run BOOLEAN NOT NULL,
    options JSONB NOT NULL,
    sealed BYTEA NOT NULL,
    file_bytes BIGINT NOT NULL,
    problems JSONB NOT NULL,
    cursor_line BIGINT NOT NULL,
    rows_total BIGINT NOT NULL,
    rows_created BIGINT NOT NULL,
    rows_updated BIGINT NOT NULL,
    rows_unchanged BIGINT NOT NULL,
    rows_rejected BIGINT NOT NULL,
    rows_warned BIGINT NOT NULL,
    uploaded_by UUID NOT NULL REFERENCES principals (id),
    created_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    claimed_until TIMESTAMPTZ,
    claim UUID,
    expired_at TIMESTAMPTZ,
    file_erased_at TIMESTAMPTZ,
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, shop_id) REFERENCES shops (seller_id, id)
);
CREATE INDEX imports_due ON imports (created_at) WHERE state IN ('received', 'running');
CREATE INDEX imports_kept ON imports (finished_at) WHERE expired_at IS NULL;

-- The uploaded file as it came, in sealed pieces.
CREATE TABLE import_chunks (
    seller_id UUID NOT NULL,
    import_id UUID NOT NULL,
    chunk_no INTEGER NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (seller_id, import_id, chunk_no),
    FOREIGN KEY (seller_id, import_id) REFERENCES imports (seller_id, id)
);

-- What became of each row; what was read of it, and what is wrong with it, are sealed.
CREATE TABLE import_rows (
    seller_id UUID NOT NULL,
    import_id UUID NOT NULL,
    line BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    order_id UUID,
    shipment_id UUID,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (seller_id, import_id, line),
    FOREIGN KEY (seller_id, import_id) REFERENCES imports (seller_id, id)
);
CREATE INDEX import_rows_by_order ON import_rows (seller_id, order_id) WHERE order_id IS NOT NULL;
CREATE INDEX import_rows_by_shipment ON import_rows (seller_id, shipment_id)
    WHERE order_id IS NULL AND shipment_id IS NOT NULL;

-- Whom and what a row names that led to no order, by keyed hash: so that an erasure finds it too.
CREATE TABLE import_row_names (
    seller_id UUID NOT NULL,
    name_hash BYTEA NOT NULL,
    import_id UUID NOT NULL,
    line BIGINT NOT NULL,
    PRIMARY KEY (seller_id, name_hash, import_id, line),
    FOREIGN KEY (seller_id, import_id, line) REFERENCES import_rows (seller_id, import_id, line)
);
CREATE INDEX import_row_names_by_row ON import_row_names (seller_id, import_id, line);

-- What changed, written with the change: webhooks, notifications and the change feed read from here.
-- seq counts the changes of one seller in the order of their commits. Whoever removes old rows must leave the last one
-- of each seller, or the count starts again and readers miss what comes.
CREATE TABLE outbox (
    seller_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    subject_id UUID NOT NULL,
    body JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (seller_id, seq)
);

-- What was asked under an Idempotency-Key, who works on it, and how it was answered; kept for a day. The answer may hold
-- contacts, so it is sealed. An import is noted with its key in one transaction, so a crash makes no second one.
CREATE TABLE idempotency_keys (
    seller_id UUID NOT NULL REFERENCES sellers (id),
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    claim UUID NOT NULL,
    locked_until TIMESTAMPTZ NOT NULL,
    fingerprint BYTEA,
    import_id UUID,
    answer BYTEA,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (seller_id, route, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
-- The second net: in the role of the application a query sees the rows of the seller at hand, whatever it asks for. The
-- named exceptions say that they work for the platform.
DO $$
DECLARE
    mine TEXT := '(SELECT current_setting(''parceltrail.seller'', true)::uuid)';
    platform TEXT := '(SELECT current_setting(''parceltrail.platform'', true) = ''on'')';
    held RECORD;
BEGIN
    FOR held IN
        SELECT table_name AS name, 'seller_id' AS key FROM information_schema.columns
        WHERE table_schema = current_schema() AND column_name = 'seller_id'
        UNION ALL SELECT 'sellers', 'id'
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', held.name);
        EXECUTE format('CREATE POLICY own_rows ON %I USING (%I = %s OR %s)', held.name, held.key, mine, platform);
    END LOOP;
    FOR held IN SELECT unnest(ARRAY['instance', 'signing_keys']) AS name LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', held.name);
        EXECUTE format('CREATE POLICY platform_only ON %I USING (%s)', held.name, platform);
    END LOOP;
END;
$$;
