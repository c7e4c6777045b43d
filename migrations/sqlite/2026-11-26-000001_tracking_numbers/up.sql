-- Tracking numbers: what was thought of each, what was corrected, what is doubtful, and sellers' own carriers.

-- What the number proved to be, and by which table of formats; none where it was taken in before this was kept.
ALTER TABLE shipments ADD COLUMN number_validity TEXT;
ALTER TABLE shipments ADD COLUMN number_code TEXT;
ALTER TABLE shipments ADD COLUMN formats_version TEXT;
-- The carrier as its seller declared it, `other` included: it stays when only the number is corrected. What is known of older
-- shipments is taken for declared, so that no correction loses it.
ALTER TABLE shipments ADD COLUMN declared_carrier TEXT;
UPDATE shipments SET declared_carrier = carrier;

-- What a shipment went under before its carrier or number was corrected. The tracker stays, with all it heard.
CREATE TABLE number_corrections (
    seller_id BLOB NOT NULL,
    shipment_id BLOB NOT NULL,
    version BIGINT NOT NULL,
    tracker_id BLOB NOT NULL,
    carrier TEXT,
    tracking_number TEXT NOT NULL,
    typed_number TEXT NOT NULL,
    corrected_at BIGINT NOT NULL,
    PRIMARY KEY (seller_id, shipment_id, version),
    FOREIGN KEY (seller_id, shipment_id) REFERENCES shipments (seller_id, id),
    FOREIGN KEY (seller_id, tracker_id) REFERENCES trackers (seller_id, id)
);
-- Each row of a sheet asks whether its number was corrected away.
CREATE INDEX number_corrections_by_number ON number_corrections (seller_id, tracking_number);

-- Why a number may not be what the parcel went under: reused, scanned too early, bound elsewhere. The details hold codes,
-- ids, dates and countries, and name nobody.
CREATE TABLE number_doubts (
    seller_id BLOB NOT NULL,
    shipment_id BLOB NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    found_at BIGINT NOT NULL,
    settled_at BIGINT,
    PRIMARY KEY (seller_id, shipment_id, code),
    FOREIGN KEY (seller_id, shipment_id) REFERENCES shipments (seller_id, id)
);

-- Carriers that a seller defined: their names as the seller writes them, and what their numbers look like.
CREATE TABLE seller_carriers (
    seller_id BLOB NOT NULL REFERENCES sellers (id),
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    aliases TEXT NOT NULL,
    country TEXT,
    tracking_url TEXT,
    patterns TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (seller_id, slug)
);
