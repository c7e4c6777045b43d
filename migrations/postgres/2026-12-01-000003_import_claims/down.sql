DROP INDEX imports_expired;
DROP INDEX imports_open;
ALTER TABLE imports DROP COLUMN unpacked_bytes;
ALTER TABLE imports DROP COLUMN claims;
