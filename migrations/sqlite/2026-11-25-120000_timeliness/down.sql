UPDATE standings SET verdict = timeliness WHERE verdict IN ('stalled', 'suspected_lost', 'lost', 'found');
ALTER TABLE standings DROP COLUMN timeliness;
