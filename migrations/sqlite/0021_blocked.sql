-- A row while nothing enters an environment until somebody mends something, so that it is told once it has been so for
-- as long as `blocked_alarm` says, and once it is over.
--
-- Only a new table, which an older version that still runs leaves alone; the events are new to it, too, and it cannot show
-- a history that has one.

CREATE TABLE blocked (
  flow          TEXT    NOT NULL,
  env           TEXT    NOT NULL,
  since_wall    BIGINT  NOT NULL,
  since_trusted BIGINT  NOT NULL,
  told          BIGINT,           -- when it was told last, by the trusted clock; null before that
  verdict       TEXT    NOT NULL, -- what stands in the way, JSON
  PRIMARY KEY (flow, env)
);
