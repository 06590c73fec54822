-- Tokens for the API. What is stored cannot be used: the hash is SHA-256 of a token of 256 random
-- bits, which needs neither salt nor stretching. Rows stay, so that a name in the audit keeps its
-- meaning.

CREATE TABLE tokens (
  id           TEXT   NOT NULL PRIMARY KEY CHECK (length(id) = 12),
  name         TEXT   NOT NULL,
  hash         BLOB   NOT NULL UNIQUE CHECK (length(hash) = 32),
  scope        TEXT   NOT NULL CHECK (scope IN ('read', 'report', 'steer', 'admin')),
  flows        TEXT   NOT NULL CHECK (json_valid(flows)), -- a list of names; empty: every flow
  created_wall BIGINT NOT NULL,
  created_by   TEXT   NOT NULL,
  expires_wall BIGINT, -- none: never
  revoked_wall BIGINT,
  used_day     BIGINT -- the day it was last used, counted from 1970-01-01, in UTC
);
-- A name says who gave a command, so two tokens that can be used do not share one.
CREATE UNIQUE INDEX tokens_by_name ON tokens (name) WHERE revoked_wall IS NULL;

CREATE TRIGGER tokens_not_deleted BEFORE DELETE ON tokens
BEGIN SELECT RAISE(ABORT, 'tokens are kept; revoke them'); END;
CREATE TRIGGER tokens_stay_what_they_are BEFORE UPDATE OF id, name, hash, scope, flows, created_wall, created_by, expires_wall ON tokens
BEGIN SELECT RAISE(ABORT, 'a token stays what it was made as'); END;
CREATE TRIGGER tokens_stay_revoked BEFORE UPDATE OF revoked_wall ON tokens
WHEN OLD.revoked_wall IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a revoked token stays revoked'); END;
