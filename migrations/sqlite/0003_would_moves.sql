-- What Towpath would have done, and what people did beside it: for `compare`. And which
-- targets are behind for longer than their alarm, so that it is told once.
--
-- Only new tables, so an older version may go on working on this store; it records nothing here.

-- A move that was decided on. While the target is at old_commit the row stands, and begins again
-- where the decision comes back; once it has left, the row is kept as it is.
CREATE TABLE would_moves (
  seq           BIGINT  NOT NULL PRIMARY KEY,
  flow          TEXT    NOT NULL,
  env           TEXT    NOT NULL,
  old_commit    TEXT    NOT NULL CHECK (length(old_commit) = 40),
  new_commit    TEXT    NOT NULL CHECK (length(new_commit) = 40),
  began_wall    BIGINT  NOT NULL,
  began_trusted BIGINT  NOT NULL,
  ended_wall    BIGINT,
  ended_trusted BIGINT,
  times         BIGINT  NOT NULL DEFAULT 1,
  settled       BOOLEAN NOT NULL DEFAULT FALSE CHECK (settled IN (FALSE, TRUE)),
  CHECK ((ended_wall IS NULL) = (ended_trusted IS NULL)),
  CHECK (settled = FALSE OR ended_wall IS NOT NULL)
);
CREATE UNIQUE INDEX would_moves_standing ON would_moves (flow, env, old_commit, new_commit) WHERE settled = FALSE;
CREATE INDEX would_moves_of_env ON would_moves (flow, env, seq) WHERE settled = FALSE;

-- A move of a target that was not ours, with what Towpath had decided before it and said of it.
CREATE TABLE hand_moves (
  seq        BIGINT NOT NULL PRIMARY KEY,
  flow       TEXT   NOT NULL,
  env        TEXT   NOT NULL,
  at_wall    BIGINT NOT NULL,
  at_trusted BIGINT NOT NULL,
  after_wall BIGINT,
  old_commit TEXT   NOT NULL CHECK (length(old_commit) = 40),
  new_commit TEXT   NOT NULL CHECK (length(new_commit) = 40),
  way        TEXT   NOT NULL CHECK (way IN ('forward', 'back', 'aside')),
  would      TEXT   NOT NULL CHECK (json_valid(would)),
  stood      TEXT   NOT NULL CHECK (json_valid(stood))
);
CREATE INDEX hand_moves_of_flow ON hand_moves (flow, at_wall);

-- A row while a target is behind for longer than its alarm.
CREATE TABLE behind (
  flow       TEXT   NOT NULL,
  env        TEXT   NOT NULL,
  commit_id  TEXT   NOT NULL CHECK (length(commit_id) = 40),
  since_wall BIGINT NOT NULL,
  at_wall    BIGINT NOT NULL,
  at_trusted BIGINT NOT NULL,
  PRIMARY KEY (flow, env)
);

CREATE TRIGGER hand_moves_not_changed BEFORE UPDATE ON hand_moves
BEGIN SELECT RAISE(ABORT, 'hand_moves are append-only'); END;
CREATE TRIGGER hand_moves_not_deleted BEFORE DELETE ON hand_moves
BEGIN SELECT RAISE(ABORT, 'hand_moves are append-only'); END;
