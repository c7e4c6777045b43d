-- What the dates alone say of a shipment, beside its verdict: until now the verdict was that, or `delayed`.
ALTER TABLE standings ADD COLUMN timeliness TEXT NOT NULL DEFAULT 'undecided';
UPDATE standings SET timeliness = verdict WHERE verdict <> 'delayed';
-- All are judged anew: silence counts from now on.
UPDATE standings SET reconsider_at = judged_at;
