-- There is no way back from here: restore a backup from before. This fails on purpose.
DROP TABLE restore_a_backup_from_before;
