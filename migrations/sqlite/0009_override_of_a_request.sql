-- Which request was for an override's commit while its hour lasted: as long as it is, the override stands.
--
-- Only a nullable column: an older version that goes on working on this store leaves it alone, and ends the
-- override with its hour.

ALTER TABLE overrides ADD COLUMN request BIGINT;
