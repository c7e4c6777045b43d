-- Imports: what a seller's sheets are held to, imports that are taken whole or not at all or back again, runs of plain
-- rows, and when a forwarder handed a parcel over.

-- Whether a doubtful number is an error, where an upload does not say.
ALTER TABLE sellers ADD COLUMN strict_imports BOOLEAN NOT NULL DEFAULT FALSE;

-- That every row of an import that is to be taken whole or not at all can be taken; only then is it written.
ALTER TABLE imports ADD COLUMN proved BOOLEAN NOT NULL DEFAULT FALSE;
-- When what an import made was taken back.
ALTER TABLE imports ADD COLUMN undone_at TIMESTAMPTZ;

-- When the parcel was handed over to the carrier of this leg, in the seller's words.
ALTER TABLE legs ADD COLUMN handed_over_local TEXT;
ALTER TABLE legs ADD COLUMN handed_over_offset TEXT;

-- Rows that made an order and left nothing to say, many at once: their lines and what they made are packed. All other
-- rows have results of their own.
CREATE TABLE import_runs (
    seller_id UUID NOT NULL,
    import_id UUID NOT NULL,
    last_line BIGINT NOT NULL,
    first_line BIGINT NOT NULL,
    first_order UUID NOT NULL,
    last_order UUID NOT NULL,
    packed BYTEA NOT NULL,
    PRIMARY KEY (seller_id, import_id, last_line),
    FOREIGN KEY (seller_id, import_id) REFERENCES imports (seller_id, id)
);
CREATE INDEX import_runs_by_order ON import_runs (seller_id, last_order);

-- The second net, as for all tables of sellers.
DO $$
DECLARE
    mine TEXT := '(SELECT current_setting(''parceltrail.seller'', true)::uuid)';
    platform TEXT := '(SELECT current_setting(''parceltrail.platform'', true) = ''on'')';
BEGIN
    ALTER TABLE import_runs ENABLE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY own_rows ON import_runs USING (seller_id = %s OR %s)', mine, platform);
END;
$$;
