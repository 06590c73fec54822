-- Which flows a command concerned, where that is not the one in `flow`: a list of names, which may be
-- empty (a token). Where both are NULL it was every flow; so were all such rows before.
ALTER TABLE audit ADD COLUMN flows TEXT CHECK (flows IS NULL OR json_valid(flows));

-- When a pause began, by the clock that only counts time that has passed. None for those from before.
ALTER TABLE pauses ADD COLUMN at_trusted BIGINT;
