-- Imports: what a seller's sheets are held to, imports that are taken whole or not at all or back again, runs of plain
-- rows, and when a forwarder handed a parcel over.

-- Whether a doubtful number is an error, where an upload does not say.
ALTER TABLE sellers ADD COLUMN strict_imports BOOLEAN NOT NULL DEFAULT FALSE;

-- That every row of an import that is to be taken whole or not at all can be taken; only then is it written.
ALTER TABLE imports ADD COLUMN proved BOOLEAN NOT NULL DEFAULT FALSE;
-- When what an import made was taken back.
ALTER TABLE imports ADD COLUMN undone_at BIGINT;

-- When the parcel was handed over to the carrier of this leg, in the seller's words.
ALTER TABLE legs ADD COLUMN handed_over_local TEXT;
ALTER TABLE legs ADD COLUMN handed_over_offset TEXT;

-- Rows that made an order and left nothing to say, many at once: their lines and what they made are packed. All other
-- rows have results of their own.
CREATE TABLE import_runs (
    seller_id BLOB NOT NULL,
    import_id BLOB NOT NULL,
    last_line BIGINT NOT NULL,
    first_line BIGINT NOT NULL,
    first_order BLOB NOT NULL,
    last_order BLOB NOT NULL,
    packed BLOB NOT NULL,
    PRIMARY KEY (seller_id, import_id, last_line),
    FOREIGN KEY (seller_id, import_id) REFERENCES imports (seller_id, id)
);
CREATE INDEX import_runs_by_order ON import_runs (seller_id, last_order);
