-- Webhooks of forges that were taken, so that one that is sent again wakes nobody, also after a restart.
--
-- Only a new table: an older version that goes on working on this store leaves it alone.

CREATE TABLE deliveries (
  forge   TEXT   NOT NULL,
  id      TEXT   NOT NULL,
  at_wall BIGINT NOT NULL,
  PRIMARY KEY (forge, id)
);

CREATE INDEX deliveries_by_age ON deliveries (at_wall);
