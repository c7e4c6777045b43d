-- Imports that keep failing, how large a file is unpacked, and how many imports of one seller wait.

-- Claims since the import last made progress: a file that ends its process again and again is given up.
ALTER TABLE imports ADD COLUMN claims BIGINT NOT NULL DEFAULT 0;
-- The size of the file when it is unpacked; NULL where that is not known.
ALTER TABLE imports ADD COLUMN unpacked_bytes BIGINT;

CREATE INDEX imports_open ON imports (seller_id) WHERE state IN ('receiving', 'received', 'running');

-- Headers of imports are deleted some time after their files and rows.
CREATE INDEX imports_expired ON imports (expired_at) WHERE expired_at IS NOT NULL;
