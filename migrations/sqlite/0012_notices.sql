-- What other systems are told, a row for each sink: made when an event is handed out, ended when the sink took it or
-- when it was given up. What was given up stays, to be looked at and sent again.
--
-- Only a new table: an older version that goes on working on this store leaves it alone, and tells no sink.

CREATE TABLE notices (
  seq       BIGINT  NOT NULL PRIMARY KEY,
  id        TEXT    NOT NULL UNIQUE, -- the idempotency key at the sink
  sink      TEXT    NOT NULL,
  flow      TEXT    NOT NULL,
  env       TEXT    NOT NULL,
  at_wall   BIGINT  NOT NULL,
  notice    TEXT    NOT NULL CHECK (json_valid(notice)),
  state     TEXT    NOT NULL CHECK (state IN ('waiting', 'sent', 'dead')),
  attempts  BIGINT  NOT NULL,
  next_wall BIGINT  NOT NULL, -- while it waits: when it is tried next; else when it was ended
  words     TEXT               -- what the last try came to, if it failed
);

CREATE INDEX notices_by_state ON notices (state, next_wall);
