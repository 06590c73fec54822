-- A request whose head was pushed to the target instead of being merged: which, what its head was, and whether it
-- is still to be closed. Old rows know of none.

ALTER TABLE proposed ADD COLUMN pushed_number BIGINT;
ALTER TABLE proposed ADD COLUMN pushed_head TEXT;
ALTER TABLE proposed ADD COLUMN pushed_open BOOLEAN;
