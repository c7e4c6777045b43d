DROP TABLE import_runs;
ALTER TABLE legs DROP COLUMN handed_over_offset;
ALTER TABLE legs DROP COLUMN handed_over_local;
ALTER TABLE imports DROP COLUMN undone_at;
ALTER TABLE imports DROP COLUMN proved;
ALTER TABLE sellers DROP COLUMN strict_imports;
