-- The ledger: what `towpath_core::model::Ledger` holds, and the records that only views read.
--
-- Times are epoch milliseconds: `..._wall` by the wall clock, `..._trusted` by the trusted one.
-- Commits are 40 lower-case hexadecimal digits. `seq` is one counter over all tables, so rows of
-- different tables can be put in the order in which they were written.

PRAGMA application_id = 1416591216; -- "Towp": no other program's file is taken for a store

CREATE TABLE counter (
  id  BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
  seq BIGINT NOT NULL CHECK (seq >= 0)
);
INSERT INTO counter (id, seq) VALUES (1, 0);

CREATE TABLE clock (
  id       BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
  trusted  BIGINT NOT NULL,
  wall     BIGINT NOT NULL,
  boottime BIGINT NOT NULL,
  boot     TEXT   NOT NULL,
  boots    TEXT   NOT NULL CHECK (json_valid(boots))
);

CREATE TABLE leases (
  flow          TEXT   NOT NULL PRIMARY KEY,
  epoch         BIGINT NOT NULL CHECK (epoch > 0),
  holder        TEXT   NOT NULL, -- JSON; empty when released
  until_trusted BIGINT NOT NULL
);

CREATE TABLE flows (
  flow           TEXT   NOT NULL PRIMARY KEY,
  looked_wall    BIGINT NOT NULL,
  looked_trusted BIGINT NOT NULL
);

-- Observations ----------------------------------------------------------------------------------

CREATE TABLE branches (
  flow       TEXT   NOT NULL,
  env        TEXT   NOT NULL,
  branch     TEXT   NOT NULL,
  repository TEXT   NOT NULL,
  tip        TEXT   NOT NULL CHECK (length(tip) = 40),
  at_wall    BIGINT NOT NULL,
  at_trusted BIGINT NOT NULL,
  PRIMARY KEY (flow, env)
);

CREATE TABLE arrivals (
  flow      TEXT   NOT NULL,
  env       TEXT   NOT NULL,
  commit_id TEXT   NOT NULL CHECK (length(commit_id) = 40),
  wall      BIGINT NOT NULL,
  trusted   BIGINT NOT NULL,
  how       TEXT   NOT NULL,
  PRIMARY KEY (flow, env, commit_id)
);

CREATE TABLE held (
  seq           BIGINT  NOT NULL PRIMARY KEY,
  flow          TEXT    NOT NULL,
  env           TEXT    NOT NULL,
  commit_id     TEXT    NOT NULL CHECK (length(commit_id) = 40),
  from_wall     BIGINT  NOT NULL,
  from_trusted  BIGINT  NOT NULL,
  until_wall    BIGINT,
  until_trusted BIGINT,
  lost          BOOLEAN NOT NULL DEFAULT FALSE CHECK (lost IN (FALSE, TRUE)),
  how           TEXT    NOT NULL CHECK (json_valid(how)),
  CHECK ((until_wall IS NULL) = (until_trusted IS NULL))
);
CREATE INDEX held_of_env ON held (flow, env, seq);
-- An environment has one tip now.
CREATE UNIQUE INDEX held_now ON held (flow, env) WHERE until_wall IS NULL;

-- What people ordered: rows stay, `ended` says that they no longer stand ------------------------

CREATE TABLE pauses (
  seq        BIGINT  NOT NULL PRIMARY KEY,
  id         TEXT    NOT NULL UNIQUE,
  kind       TEXT    NOT NULL CHECK (kind IN ('pause', 'freeze')),
  flow       TEXT, -- none: every flow
  env        TEXT, -- none: every environment
  by_actor   TEXT    NOT NULL,
  reason     TEXT    NOT NULL,
  at_wall    BIGINT  NOT NULL,
  until_wall BIGINT, -- none: until resumed
  cause      TEXT,
  ended      BOOLEAN NOT NULL DEFAULT FALSE CHECK (ended IN (FALSE, TRUE))
);
CREATE INDEX pauses_standing ON pauses (seq) WHERE ended = FALSE;

CREATE TABLE holds (
  seq       BIGINT  NOT NULL PRIMARY KEY,
  id        TEXT    NOT NULL UNIQUE,
  commit_id TEXT    NOT NULL CHECK (length(commit_id) = 40), -- of a range: the tip before
  kept      TEXT    CHECK (length(kept) = 40), -- of a range: the tip after; none: one commit
  flow      TEXT,
  env       TEXT,
  by_actor  TEXT    NOT NULL,
  reason    TEXT    NOT NULL,
  at_wall   BIGINT  NOT NULL,
  fixed_by  TEXT    CHECK (length(fixed_by) = 40),
  ended     BOOLEAN NOT NULL DEFAULT FALSE CHECK (ended IN (FALSE, TRUE))
);
CREATE INDEX holds_standing ON holds (seq) WHERE ended = FALSE;

CREATE TABLE promotes (
  seq        BIGINT  NOT NULL PRIMARY KEY,
  id         TEXT    NOT NULL UNIQUE,
  flow       TEXT    NOT NULL,
  env        TEXT    NOT NULL,
  commit_id  TEXT    NOT NULL CHECK (length(commit_id) = 40),
  by_actor   TEXT    NOT NULL,
  reason     TEXT    NOT NULL,
  at_wall    BIGINT  NOT NULL,
  until_wall BIGINT  NOT NULL,
  ended      BOOLEAN NOT NULL DEFAULT FALSE CHECK (ended IN (FALSE, TRUE))
);
-- One standing promote for each edge.
CREATE UNIQUE INDEX promotes_standing ON promotes (flow, env) WHERE ended = FALSE;

CREATE TABLE overrides (
  seq        BIGINT  NOT NULL PRIMARY KEY,
  id         TEXT    NOT NULL UNIQUE,
  gate       TEXT    NOT NULL,
  flow       TEXT    NOT NULL,
  env        TEXT    NOT NULL,
  commit_id  TEXT    NOT NULL CHECK (length(commit_id) = 40),
  by_actor   TEXT    NOT NULL,
  reason     TEXT    NOT NULL,
  at_wall    BIGINT  NOT NULL,
  until_wall BIGINT  NOT NULL,
  ended      BOOLEAN NOT NULL DEFAULT FALSE CHECK (ended IN (FALSE, TRUE))
);
CREATE UNIQUE INDEX overrides_standing ON overrides (flow, env, commit_id, gate) WHERE ended = FALSE;

CREATE TABLE approvals (
  seq       BIGINT  NOT NULL PRIMARY KEY,
  id        TEXT    NOT NULL UNIQUE,
  flow      TEXT    NOT NULL,
  env       TEXT    NOT NULL,
  commit_id TEXT    NOT NULL CHECK (length(commit_id) = 40),
  by_actor  TEXT    NOT NULL,
  email     TEXT,
  at_wall   BIGINT  NOT NULL,
  ended     BOOLEAN NOT NULL DEFAULT FALSE CHECK (ended IN (FALSE, TRUE))
);
CREATE UNIQUE INDEX approvals_standing ON approvals (flow, env, commit_id, by_actor) WHERE ended = FALSE;

CREATE TABLE backoffs (
  seq        BIGINT NOT NULL UNIQUE,
  flow       TEXT   NOT NULL,
  env        TEXT   NOT NULL,
  words      TEXT   NOT NULL,
  refusals   BIGINT NOT NULL,
  until_wall BIGINT NOT NULL,
  old_commit TEXT   NOT NULL CHECK (length(old_commit) = 40),
  new_commit TEXT   NOT NULL CHECK (length(new_commit) = 40),
  policy     TEXT   NOT NULL,
  PRIMARY KEY (flow, env)
);

-- Moves -----------------------------------------------------------------------------------------

CREATE TABLE intents (
  seq              BIGINT NOT NULL PRIMARY KEY,
  id               TEXT   NOT NULL UNIQUE,
  flow             TEXT   NOT NULL,
  env              TEXT   NOT NULL,
  branch           TEXT   NOT NULL,
  kind             TEXT   NOT NULL CHECK (kind IN ('fast-forward', 'rollback')),
  old_commit       TEXT   NOT NULL CHECK (length(old_commit) = 40),
  new_commit       TEXT   NOT NULL CHECK (length(new_commit) = 40),
  policy           TEXT   NOT NULL,
  attempt          BIGINT NOT NULL CHECK (attempt >= 0),
  by_actor         TEXT   NOT NULL,
  reason           TEXT,
  promote          TEXT,
  overrides        TEXT   NOT NULL CHECK (json_valid(overrides)),
  holds            TEXT   NOT NULL CHECK (json_valid(holds)),
  state            TEXT   NOT NULL CHECK (state IN
    ('saved', 'pushing', 'landed', 'overtaken', 'superseded', 'refused', 'abandoned')),
  saved_wall       BIGINT NOT NULL,
  saved_trusted    BIGINT NOT NULL,
  deadline_trusted BIGINT,
  words            TEXT,
  finished_seq     BIGINT UNIQUE, -- its place in the history
  finished_wall    BIGINT -- the store's clock when it was finished
);
CREATE INDEX intents_of_flow ON intents (flow, state);
CREATE INDEX intents_of_edge ON intents (flow, env, new_commit);
CREATE INDEX intents_finished ON intents (flow, finished_seq);
CREATE INDEX intents_pushing ON intents (seq) WHERE state = 'pushing';

CREATE TABLE effects (
  seq        BIGINT  NOT NULL PRIMARY KEY,
  intent     TEXT    NOT NULL UNIQUE REFERENCES intents (id),
  flow       TEXT    NOT NULL,
  env        TEXT    NOT NULL,
  kind       TEXT    NOT NULL CHECK (kind IN ('fast-forward', 'rollback')),
  old_commit TEXT    NOT NULL CHECK (length(old_commit) = 40),
  new_commit TEXT    NOT NULL CHECK (length(new_commit) = 40),
  at_wall    BIGINT  NOT NULL,
  at_trusted BIGINT  NOT NULL,
  late       BOOLEAN NOT NULL CHECK (late IN (FALSE, TRUE))
);
CREATE INDEX effects_of_env ON effects (flow, env, seq);

CREATE TABLE events (
  seq        BIGINT NOT NULL PRIMARY KEY,
  flow       TEXT   NOT NULL,
  env        TEXT   NOT NULL,
  at_wall    BIGINT NOT NULL,
  at_trusted BIGINT NOT NULL,
  event      TEXT   NOT NULL CHECK (json_valid(event))
);
CREATE INDEX events_of_flow ON events (flow, seq);

CREATE TABLE outbox (
  seq     BIGINT  NOT NULL PRIMARY KEY,
  id      TEXT    NOT NULL UNIQUE,
  flow    TEXT    NOT NULL,
  sink    TEXT    NOT NULL,
  env     TEXT    NOT NULL,
  at_wall BIGINT  NOT NULL,
  event   TEXT    NOT NULL CHECK (json_valid(event)),
  sent    BOOLEAN NOT NULL DEFAULT FALSE CHECK (sent IN (FALSE, TRUE))
);
CREATE INDEX outbox_unsent ON outbox (flow, seq) WHERE sent = FALSE;

CREATE TABLE decisions (
  flow       TEXT   NOT NULL,
  env        TEXT   NOT NULL,
  since_wall BIGINT NOT NULL,
  decision   TEXT   NOT NULL CHECK (json_valid(decision)),
  PRIMARY KEY (flow, env)
);

-- What was reported and commanded ---------------------------------------------------------------

CREATE TABLE reports (
  seq        BIGINT NOT NULL PRIMARY KEY,
  flow       TEXT   NOT NULL,
  commit_id  TEXT   NOT NULL CHECK (length(commit_id) = 40),
  name       TEXT   NOT NULL,
  on_branch  TEXT,
  state      TEXT   NOT NULL CHECK (state IN ('green', 'running', 'red')),
  url        TEXT,
  by_actor   TEXT   NOT NULL,
  at_wall    BIGINT NOT NULL,
  at_trusted BIGINT NOT NULL
);
CREATE INDEX reports_of_commit ON reports (flow, commit_id, seq);

CREATE TABLE audit (
  seq      BIGINT  NOT NULL PRIMARY KEY,
  id       TEXT    NOT NULL UNIQUE,
  flow     TEXT,
  at_wall  BIGINT  NOT NULL,
  by_actor TEXT    NOT NULL,
  command  TEXT    NOT NULL,
  allowed  BOOLEAN NOT NULL CHECK (allowed IN (FALSE, TRUE)),
  effect   TEXT    NOT NULL
);
CREATE INDEX audit_of_flow ON audit (flow, seq);

-- What is never changed once written, whoever holds the pen -------------------------------------

CREATE TRIGGER effects_not_changed BEFORE UPDATE ON effects
BEGIN SELECT RAISE(ABORT, 'effects are append-only'); END;
CREATE TRIGGER effects_not_deleted BEFORE DELETE ON effects
BEGIN SELECT RAISE(ABORT, 'effects are append-only'); END;

CREATE TRIGGER events_not_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_not_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TRIGGER audit_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;

CREATE TRIGGER intents_not_deleted BEFORE DELETE ON intents
BEGIN SELECT RAISE(ABORT, 'intents are kept'); END;
-- A final state stays, but a push that had been given up may land late.
CREATE TRIGGER intents_stay_final BEFORE UPDATE OF state ON intents
WHEN OLD.state NOT IN ('saved', 'pushing') AND NOT (OLD.state = 'abandoned' AND NEW.state = 'landed')
BEGIN SELECT RAISE(ABORT, 'the intent is in a final state'); END;
