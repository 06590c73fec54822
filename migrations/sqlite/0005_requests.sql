-- What we put onto the branches from which requests are opened, and which intents merge a request
-- instead of pushing.
--
-- Only a new table and a nullable column. An older version that goes on working on this store
-- leaves requests alone; it refuses `via = "merge-request"`.

CREATE TABLE proposed (
  flow              TEXT   NOT NULL,
  env               TEXT   NOT NULL,
  head              TEXT   NOT NULL CHECK (length(head) = 40),
  before            TEXT   CHECK (length(before) = 40),
  at_wall           BIGINT NOT NULL,
  at_trusted        BIGINT NOT NULL,
  confirmed_wall    BIGINT,
  confirmed_trusted BIGINT,
  passed_over       BIGINT,
  PRIMARY KEY (flow, env),
  CHECK ((confirmed_wall IS NULL) = (confirmed_trusted IS NULL))
);

ALTER TABLE intents ADD COLUMN merge TEXT; -- JSON; none: a push
