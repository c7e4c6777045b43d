//! The tables, one description for both databases; a test compares it with what the migrations make.

#![allow(clippy::wildcard_imports, reason = "each table names the few SQL types there are")]

diesel::table! {
    use crate::store::types::sql::*;
    sellers (id) {
        id -> Id,
        name -> Text,
        country -> Nullable<Text>,
        time_zone -> Text,
        upload_days -> Integer,
        created_at -> Instant,
        strict_imports -> Bool,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    seller_keys (seller_id) {
        seller_id -> Id,
        wrapped -> Binary,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    shops (seller_id, id) {
        seller_id -> Id,
        id -> Id,
        name -> Text,
        handle -> Text,
        contact_days -> Nullable<Integer>,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    instance (id) {
        id -> Integer,
        key_check -> Binary,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    directory (kind, hash, seller_id) {
        kind -> Text,
        hash -> Binary,
        seller_id -> Id,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    principals (seller_id, id) {
        id -> Id,
        kind -> Text,
        seller_id -> Id,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    api_keys (seller_id, id) {
        id -> Id,
        seller_id -> Id,
        role -> Text,
        name -> Text,
        prefix -> Text,
        hash -> Binary,
        created_by -> Id,
        created_at -> Instant,
        expires_at -> Nullable<Instant>,
        revoked_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    signing_keys (kid) {
        kid -> Text,
        public_key -> Binary,
        private_sealed -> Binary,
        created_at -> Instant,
        signs_from -> Instant,
        signs_until -> Instant,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    users (seller_id, id) {
        seller_id -> Id,
        id -> Id,
        sealed -> Binary,
        email_hash -> Binary,
        password_hash -> Text,
        role -> Text,
        created_at -> Instant,
        disabled_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    invitations (seller_id, id) {
        seller_id -> Id,
        id -> Id,
        sealed -> Binary,
        email_hash -> Binary,
        role -> Text,
        token_hash -> Binary,
        invited_by -> Id,
        created_at -> Instant,
        expires_at -> Instant,
        ended_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    sessions (seller_id, user_id, token_hash) {
        seller_id -> Id,
        user_id -> Id,
        token_hash -> Binary,
        created_at -> Instant,
        seen_at -> Instant,
        expires_at -> Instant,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    audit_log (seller_id, chain_no) {
        id -> Id,
        seller_id -> Id,
        chain_no -> BigInt,
        at -> Instant,
        actor_id -> Id,
        action -> Text,
        object -> Nullable<Text>,
        detail -> Document,
        request_id -> Nullable<Text>,
        chain_hash -> Binary,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    orders (seller_id, id) {
        seller_id -> Id,
        id -> Id,
        shop_id -> Id,
        order_number -> Text,
        order_ref -> Nullable<Text>,
        state -> Text,
        ordered_local -> Nullable<Text>,
        ordered_offset -> Nullable<Text>,
        currency -> Nullable<Text>,
        country -> Nullable<Text>,
        region -> Nullable<Text>,
        postal_code -> Nullable<Text>,
        origin_country -> Nullable<Text>,
        origin_region -> Nullable<Text>,
        origin_postal_code -> Nullable<Text>,
        deliver_from_on -> Nullable<Text>,
        shipping_method -> Nullable<Text>,
        shipping_charged_minor -> Nullable<BigInt>,
        channel -> Nullable<Text>,
        dispatch_by_at -> Nullable<Instant>,
        deliver_by_on -> Nullable<Text>,
        token_hash -> Binary,
        token_sealed -> Binary,
        contact_erased_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
        version -> BigInt,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    order_lines (seller_id, order_id, line_key) {
        seller_id -> Id,
        order_id -> Id,
        line_key -> Text,
        line_no -> Integer,
        line_id -> Nullable<Text>,
        sku -> Nullable<Text>,
        item_name -> Nullable<Text>,
        quantity -> BigInt,
        unit_price_minor -> Nullable<BigInt>,
        declared_value_minor -> Nullable<BigInt>,
        hs_code -> Nullable<Text>,
        origin_country -> Nullable<Text>,
        weight_g -> Nullable<BigInt>,
        ship_by_local -> Nullable<Text>,
        ship_by_offset -> Nullable<Text>,
        deliver_by_on -> Nullable<Text>,
        seller_ref -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    order_contacts (seller_id, order_id) {
        seller_id -> Id,
        order_id -> Id,
        sealed -> Binary,
        email_hash -> Nullable<Binary>,
        phone_hash -> Nullable<Binary>,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    promise_policies (seller_id, id) {
        seller_id -> Id,
        id -> Id,
        shop_id -> Nullable<Id>,
        shipping_method -> Nullable<Text>,
        country -> Nullable<Text>,
        working_days -> Integer,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    trackers (seller_id, id) {
        seller_id -> Id,
        id -> Id,
        carrier -> Text,
        number -> Text,
        generation -> Integer,
        created_at -> Instant,
        last_event_at -> Nullable<Instant>,
        last_checked_at -> Nullable<Instant>,
        next_check_at -> Nullable<Instant>,
        failed_checks -> Integer,
        claimed_until -> Nullable<Instant>,
        details_erased_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    shipments (seller_id, id) {
        seller_id -> Id,
        id -> Id,
        order_id -> Id,
        state -> Text,
        carrier -> Nullable<Text>,
        service -> Nullable<Text>,
        tracking_number -> Text,
        typed_number -> Text,
        suspicious -> Bool,
        parcel_ref -> Nullable<Text>,
        shipped_local -> Nullable<Text>,
        shipped_offset -> Nullable<Text>,
        shipped_on -> Nullable<Text>,
        origin_country -> Nullable<Text>,
        origin_region -> Nullable<Text>,
        origin_postal_code -> Nullable<Text>,
        own_deliver_by_on -> Nullable<Text>,
        delivery_claim -> Nullable<Text>,
        deliver_by_on -> Nullable<Text>,
        promise_source -> Nullable<Text>,
        created_at -> Instant,
        updated_at -> Instant,
        version -> BigInt,
        number_validity -> Nullable<Text>,
        number_code -> Nullable<Text>,
        formats_version -> Nullable<Text>,
        declared_carrier -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    legs (seller_id, shipment_id, leg_no) {
        seller_id -> Id,
        shipment_id -> Id,
        leg_no -> Integer,
        tracker_id -> Id,
        handed_over_local -> Nullable<Text>,
        handed_over_offset -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    standings (seller_id, shipment_id) {
        seller_id -> Id,
        shipment_id -> Id,
        milestone -> Text,
        sub_status -> Nullable<Text>,
        verdict -> Text,
        cause -> Nullable<Text>,
        is_open -> Bool,
        delivered_on -> Nullable<Text>,
        first_attempt_on -> Nullable<Text>,
        ending -> Nullable<Text>,
        detail -> Document,
        judged_at -> Instant,
        reconsider_at -> Nullable<Instant>,
        timeliness -> Text,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    promise_changes (seller_id, shipment_id, changed_at) {
        seller_id -> Id,
        shipment_id -> Id,
        changed_at -> Instant,
        deliver_by_on -> Nullable<Text>,
        source -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    tracking_events (seller_id, tracker_id, dedupe_key) {
        seller_id -> Id,
        tracker_id -> Id,
        dedupe_key -> Text,
        id -> Id,
        occurred_local -> Text,
        occurred_offset -> Nullable<Text>,
        sort_at -> Instant,
        heard_at -> Instant,
        sub_status -> Nullable<Text>,
        raw_code -> Text,
        source -> Text,
        details_digest -> Nullable<Binary>,
        chain_no -> BigInt,
        chain_hash -> Binary,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    event_details (seller_id, tracker_id, dedupe_key) {
        seller_id -> Id,
        tracker_id -> Id,
        dedupe_key -> Text,
        sealed -> Binary,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    event_withdrawals (seller_id, tracker_id, id) {
        seller_id -> Id,
        tracker_id -> Id,
        id -> Id,
        dedupe_key -> Text,
        withdrawn -> Bool,
        heard_at -> Instant,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    imports (seller_id, id) {
        seller_id -> Id,
        id -> Id,
        shop_id -> Id,
        kind -> Nullable<Text>,
        state -> Text,
        dry_run -> Bool,
        options -> Document,
        sealed -> Binary,
        file_bytes -> BigInt,
        problems -> Document,
        cursor_line -> BigInt,
        rows_total -> BigInt,
        rows_created -> BigInt,
        rows_updated -> BigInt,
        rows_unchanged -> BigInt,
        rows_rejected -> BigInt,
        rows_warned -> BigInt,
        uploaded_by -> Id,
        created_at -> Instant,
        finished_at -> Nullable<Instant>,
        claimed_until -> Nullable<Instant>,
        claim -> Nullable<Id>,
        expired_at -> Nullable<Instant>,
        file_erased_at -> Nullable<Instant>,
        proved -> Bool,
        undone_at -> Nullable<Instant>,
        claims -> BigInt,
        unpacked_bytes -> Nullable<BigInt>,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    import_chunks (seller_id, import_id, chunk_no) {
        seller_id -> Id,
        import_id -> Id,
        chunk_no -> Integer,
        sealed -> Binary,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    import_rows (seller_id, import_id, line) {
        seller_id -> Id,
        import_id -> Id,
        line -> BigInt,
        outcome -> Text,
        order_id -> Nullable<Id>,
        shipment_id -> Nullable<Id>,
        sealed -> Binary,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    import_runs (seller_id, import_id, last_line) {
        seller_id -> Id,
        import_id -> Id,
        last_line -> BigInt,
        first_line -> BigInt,
        first_order -> Id,
        last_order -> Id,
        packed -> Binary,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    import_row_names (seller_id, name_hash, import_id, line) {
        seller_id -> Id,
        name_hash -> Binary,
        import_id -> Id,
        line -> BigInt,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    outbox (seller_id, seq) {
        seller_id -> Id,
        seq -> BigInt,
        id -> Id,
        kind -> Text,
        subject_id -> Id,
        body -> Document,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    idempotency_keys (seller_id, route, key) {
        seller_id -> Id,
        route -> Text,
        key -> Text,
        claim -> Id,
        locked_until -> Instant,
        fingerprint -> Nullable<Binary>,
        import_id -> Nullable<Id>,
        answer -> Nullable<Binary>,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    number_corrections (seller_id, shipment_id, version) {
        seller_id -> Id,
        shipment_id -> Id,
        version -> BigInt,
        tracker_id -> Id,
        carrier -> Nullable<Text>,
        tracking_number -> Text,
        typed_number -> Text,
        corrected_at -> Instant,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    number_doubts (seller_id, shipment_id, code) {
        seller_id -> Id,
        shipment_id -> Id,
        code -> Text,
        detail -> Document,
        found_at -> Instant,
        settled_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use crate::store::types::sql::*;
    seller_carriers (seller_id, slug) {
        seller_id -> Id,
        slug -> Text,
        name -> Text,
        aliases -> Document,
        country -> Nullable<Text>,
        tracking_url -> Nullable<Text>,
        patterns -> Document,
        created_at -> Instant,
        updated_at -> Instant,
        version -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    sellers,
    shops,
    seller_keys,
    instance,
    directory,
    principals,
    api_keys,
    signing_keys,
    users,
    invitations,
    sessions,
    audit_log,
    orders,
    order_lines,
    order_contacts,
    promise_policies,
    trackers,
    shipments,
    legs,
    standings,
    promise_changes,
    tracking_events,
    event_details,
    event_withdrawals,
    imports,
    import_chunks,
    import_rows,
    import_row_names,
    import_runs,
    outbox,
    idempotency_keys,
    number_corrections,
    number_doubts,
    seller_carriers,
);
