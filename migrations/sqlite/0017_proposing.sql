-- Until when what opens a request, or moves its head, may be under way: a pause that is given meanwhile says so.
--
-- Only a nullable column: an older version that goes on working on this store leaves it alone, and what it opens is not
-- told of.

ALTER TABLE proposed ADD COLUMN until_trusted BIGINT;
