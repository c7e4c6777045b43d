-- Keys that can be distributed by seller: seller_id leads every key. What is looked up before its seller is known is in
-- the directory, which is small enough to be on every node. Rows of the platform belong to the seller of all zeros.

CREATE TABLE directory (
    kind TEXT NOT NULL,
    hash BYTEA NOT NULL,
    seller_id UUID NOT NULL,
    PRIMARY KEY (kind, hash, seller_id)
);
-- A person may belong to several sellers; everything else leads to one.
CREATE UNIQUE INDEX directory_by_name ON directory (kind, hash) WHERE kind <> 'user';

INSERT INTO directory (kind, hash, seller_id)
SELECT 'shop', convert_to(handle, 'UTF8'), seller_id FROM shops
UNION ALL
SELECT 'api_key', hash, COALESCE(seller_id, '00000000-0000-0000-0000-000000000000') FROM api_keys
UNION ALL
SELECT 'api_key_id', uuid_send(id), COALESCE(seller_id, '00000000-0000-0000-0000-000000000000') FROM api_keys
UNION ALL
SELECT 'user', email_hash, seller_id FROM users
UNION ALL
SELECT 'session', token_hash, seller_id FROM sessions
UNION ALL
SELECT 'invitation', token_hash, seller_id FROM invitations;

-- Append-only tables are kept so by privileges: the role of the application may neither update nor delete.
DROP TRIGGER audit_log_is_not_changed ON audit_log;
DROP TRIGGER tracking_events_are_not_changed ON tracking_events;
DROP FUNCTION refuse_change();

ALTER TABLE shops DROP CONSTRAINT shops_handle_key;

ALTER TABLE api_keys DROP CONSTRAINT api_keys_id_fkey;
ALTER TABLE api_keys DROP CONSTRAINT api_keys_created_by_fkey;
ALTER TABLE api_keys DROP CONSTRAINT api_keys_seller_id_fkey;
ALTER TABLE users DROP CONSTRAINT users_id_fkey;
ALTER TABLE invitations DROP CONSTRAINT invitations_invited_by_fkey;
ALTER TABLE audit_log DROP CONSTRAINT audit_log_actor_id_fkey;
ALTER TABLE audit_log DROP CONSTRAINT audit_log_seller_id_fkey;
ALTER TABLE imports DROP CONSTRAINT imports_uploaded_by_fkey;

ALTER TABLE principals DROP CONSTRAINT principals_seller_id_fkey;
UPDATE principals SET seller_id = '00000000-0000-0000-0000-000000000000' WHERE seller_id IS NULL;
ALTER TABLE principals ALTER COLUMN seller_id SET NOT NULL;
ALTER TABLE principals DROP CONSTRAINT principals_pkey;
ALTER TABLE principals ADD PRIMARY KEY (seller_id, id);

UPDATE api_keys SET seller_id = '00000000-0000-0000-0000-000000000000' WHERE seller_id IS NULL;
ALTER TABLE api_keys ALTER COLUMN seller_id SET NOT NULL;
DROP INDEX api_keys_by_seller;
ALTER TABLE api_keys DROP CONSTRAINT api_keys_hash_key;
ALTER TABLE api_keys DROP CONSTRAINT api_keys_pkey;
ALTER TABLE api_keys ADD PRIMARY KEY (seller_id, id);
ALTER TABLE api_keys ADD UNIQUE (seller_id, hash);
ALTER TABLE api_keys ADD FOREIGN KEY (seller_id, id) REFERENCES principals (seller_id, id);

DROP INDEX users_by_email;
ALTER TABLE users DROP CONSTRAINT users_id_key;
ALTER TABLE users ADD FOREIGN KEY (seller_id, id) REFERENCES principals (seller_id, id);

ALTER TABLE invitations DROP CONSTRAINT invitations_token_hash_key;
ALTER TABLE invitations ADD UNIQUE (seller_id, token_hash);

ALTER TABLE sessions DROP CONSTRAINT sessions_token_hash_key;
ALTER TABLE sessions ADD UNIQUE (seller_id, token_hash);

UPDATE audit_log SET seller_id = '00000000-0000-0000-0000-000000000000' WHERE seller_id IS NULL;
ALTER TABLE audit_log ALTER COLUMN seller_id SET NOT NULL;
ALTER TABLE audit_log DROP CONSTRAINT audit_log_pkey;
DROP INDEX audit_log_by_seller;
ALTER TABLE audit_log ADD PRIMARY KEY (seller_id, chain_no);
-- By id, which is by time: of one seller, and of all.
CREATE INDEX audit_log_by_seller ON audit_log (seller_id, id);
CREATE INDEX audit_log_by_time ON audit_log (id);

ALTER TABLE orders DROP CONSTRAINT orders_token_hash_key;
ALTER TABLE orders ADD UNIQUE (seller_id, token_hash);

-- Policies name their settings plainly: an engine that distributes tables cannot push a sub-select to its nodes.
DO $$
DECLARE
    mine TEXT := 'current_setting(''parceltrail.seller'', true)::uuid';
    platform TEXT := 'current_setting(''parceltrail.platform'', true) = ''on''';
    held RECORD;
BEGIN
    FOR held IN SELECT tablename AS name, policyname AS policy FROM pg_policies WHERE schemaname = current_schema() LOOP
        EXECUTE format('DROP POLICY %I ON %I', held.policy, held.name);
    END LOOP;
    FOR held IN
        SELECT c.table_name AS name, 'seller_id' AS key FROM information_schema.columns c
        JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
        WHERE c.table_schema = current_schema() AND c.column_name = 'seller_id' AND t.table_type = 'BASE TABLE'
        UNION ALL SELECT 'sellers', 'id'
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', held.name);
        EXECUTE format('CREATE POLICY own_rows ON %I USING (%I = %s OR %s)', held.name, held.key, mine, platform);
    END LOOP;
    FOR held IN SELECT unnest(ARRAY['instance', 'signing_keys']) AS name LOOP
        EXECUTE format('CREATE POLICY platform_only ON %I USING (%s)', held.name, platform);
    END LOOP;
END;
$$;
