//! What an engine that distributes tables by seller needs of the schema, looked up in PostgreSQL's own catalog.

use crate::server::{Database, Server};

/// `sellers` is what is distributed; the others are small enough to be on every node.
const NOT_BY_SELLER: &str = "'sellers', 'directory', 'instance', 'signing_keys', '__diesel_schema_migrations'";

#[test]
fn every_key_is_led_by_the_seller() {
    let server = Server::start(Database::Postgres);
    let unled = server.texts(&format!(
        "SELECT i.indexrelid::regclass::text AS text FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid \
         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0] \
         WHERE t.relnamespace = 'public'::regnamespace AND i.indisunique AND a.attname <> 'seller_id' \
         AND t.relname NOT IN ({NOT_BY_SELLER})"
    ));
    assert!(unled.is_empty(), "unique keys that a distributed table cannot have: {unled:?}");
    let keyless = server.texts(&format!(
        "SELECT t.relname::text AS text FROM pg_class t WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace \
         AND t.relname NOT IN ({NOT_BY_SELLER}) \
         AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = t.oid AND i.indisprimary)"
    ));
    assert!(keyless.is_empty(), "tables without a primary key: {keyless:?}");
}

#[test]
fn foreign_keys_stay_within_a_seller() {
    let server = Server::start(Database::Postgres);
    let crossing = server.texts(
        "SELECT c.conname::text AS text FROM pg_constraint c \
         JOIN pg_attribute child ON child.attrelid = c.conrelid AND child.attnum = c.conkey[1] \
         JOIN pg_attribute parent ON parent.attrelid = c.confrelid AND parent.attnum = c.confkey[1] \
         WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace AND NOT (child.attname = 'seller_id' \
         AND (parent.attname = 'seller_id' OR c.confrelid = 'sellers'::regclass))",
    );
    assert!(crossing.is_empty(), "foreign keys from one seller to another: {crossing:?}");
}

#[test]
fn nothing_runs_beside_the_statements() {
    let server = Server::start(Database::Postgres);
    let triggers = server.texts("SELECT tgname::text AS text FROM pg_trigger WHERE NOT tgisinternal");
    assert!(triggers.is_empty(), "triggers: {triggers:?}");
    let policies = server.texts("SELECT policyname::text AS text FROM pg_policies WHERE qual ~* 'select'");
    assert!(policies.is_empty(), "policies with a sub-select: {policies:?}");
    let open = server.texts(
        "SELECT t.relname::text AS text FROM pg_class t WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace \
         AND NOT t.relrowsecurity AND t.relname <> '__diesel_schema_migrations'",
    );
    assert!(open.is_empty(), "tables without row-level security: {open:?}");
}

#[test]
fn append_only_tables_are_so_by_privileges() {
    let server = Server::start(Database::Postgres);
    let changeable = server.texts(
        "SELECT t || ' ' || p AS text FROM unnest(ARRAY['tracking_events', 'audit_log']) t, \
         unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) p WHERE has_table_privilege('parceltrail_app', t, p)",
    );
    assert!(changeable.is_empty(), "{changeable:?}");
}
