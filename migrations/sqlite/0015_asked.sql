-- What people said to us in chats and in comments: taken before it is acknowledged, worked from here, and kept for a while so
-- that what a platform sends twice is taken once.
--
-- Only a new table: an older version that goes on working on this store leaves it alone, and answers nobody.

CREATE TABLE asked (
  seq        BIGINT NOT NULL PRIMARY KEY,
  place      TEXT   NOT NULL,         -- `chat:NAME`, `forge:NAME`
  once       TEXT   NOT NULL,         -- the same where the platform sends the same thing again
  at_wall    BIGINT NOT NULL,
  asked      TEXT   NOT NULL CHECK (json_valid(asked)),
  state      TEXT   NOT NULL CHECK (state IN ('waiting', 'working', 'ended')),
  until_wall BIGINT NOT NULL,         -- while it is worked on: until when nobody else does
  words      TEXT,                    -- what came of it, if it was not answered
  UNIQUE (place, once)
);

CREATE INDEX asked_by_state ON asked (state, seq);
