-- A row while nothing enters an environment until somebody mends something, so that it is told once it has been so for
-- as long as `blocked_alarm` says, and once it is over.
--
-- Only a new table: an older version that goes on working on this store leaves it alone, and tells of nothing.

CREATE TABLE blocked (
  flow          TEXT    NOT NULL,
  env           TEXT    NOT NULL,
  since_wall    BIGINT  NOT NULL,
  since_trusted BIGINT  NOT NULL,
  told          BOOLEAN NOT NULL,
  verdict       TEXT    NOT NULL, -- what stands in the way, JSON
  PRIMARY KEY (flow, env)
);
