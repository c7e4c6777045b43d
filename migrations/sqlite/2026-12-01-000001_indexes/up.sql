-- Each statement finds its rows, in the order it wants them, by an index, whatever the database knows of its tables.

DROP INDEX shipments_by_order;
CREATE INDEX shipments_by_order ON shipments (seller_id, order_id, id);
DROP INDEX shipments_by_number;
CREATE INDEX shipments_by_number ON shipments (seller_id, tracking_number, id);

DROP INDEX trackers_by_number;
CREATE INDEX trackers_by_number ON trackers (seller_id, number, id);
CREATE INDEX trackers_claimed ON trackers (claimed_until) WHERE claimed_until IS NOT NULL;

DROP INDEX order_contacts_by_email;
CREATE INDEX order_contacts_by_email ON order_contacts (seller_id, email_hash, order_id) WHERE email_hash IS NOT NULL;
DROP INDEX order_contacts_by_phone;
CREATE INDEX order_contacts_by_phone ON order_contacts (seller_id, phone_hash, order_id) WHERE phone_hash IS NOT NULL;

-- Doubts that stand are few; most shipments never have one.
CREATE INDEX number_doubts_open ON number_doubts (seller_id, shipment_id, code) WHERE settled_at IS NULL;
CREATE INDEX number_corrections_by_tracker ON number_corrections (seller_id, tracker_id);

CREATE INDEX imports_receiving ON imports (created_at) WHERE state = 'receiving';
