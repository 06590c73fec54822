-- What an override of the gate on migrations was given for: it passes nothing else.
--
-- Only a nullable column: an older version that goes on working on this store leaves it alone, and knows no
-- such gate.

ALTER TABLE overrides ADD COLUMN accepts TEXT;
