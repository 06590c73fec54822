-- Repositories that were discovered on forges, so that their flows stay while a forge is away, and so that one that was
-- renamed is not taken for another.
--
-- Only a new table: an older version that goes on working on this store leaves it alone.

CREATE TABLE discovered (
  forge      TEXT   NOT NULL,
  path       TEXT   NOT NULL,
  repo       TEXT   NOT NULL, -- the forge's own number of it
  since_wall BIGINT NOT NULL,
  gone_wall  BIGINT, -- since when it is not there to be taken any more; none: it is
  gone_why   TEXT,
  PRIMARY KEY (forge, path)
);
