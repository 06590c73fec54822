-- Of which request people were told that it is for the head that we put there, so that one whose opening
-- was not answered is told of, and none twice.
--
-- Only a nullable column: an older version that goes on working on this store leaves it alone, and what it
-- puts there is announced once more by a newer one.

ALTER TABLE proposed ADD COLUMN announced BIGINT;
