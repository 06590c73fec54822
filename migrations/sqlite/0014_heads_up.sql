-- Which heads-up of each environment was told last, so that none is told twice.
--
-- Only a new table: an older version that goes on working on this store leaves it alone, and tells of nothing before
-- it enters.

CREATE TABLE heads_up (
  flow         TEXT   NOT NULL,
  env          TEXT   NOT NULL,
  newest       TEXT   NOT NULL CHECK (length(newest) = 40), -- the newest commit that it named
  at_wall      BIGINT NOT NULL,                             -- when that was to enter
  told_wall    BIGINT NOT NULL,
  told_trusted BIGINT NOT NULL,
  PRIMARY KEY (flow, env)
);
