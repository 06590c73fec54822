-- What was said is carried out in turn and once, also across restarts: whose turn it is and whether it is done are known
-- beside each request, and by which rows of the audit.
--
-- New columns, each nullable or with a default, and indexes. An older version that goes on working on this store takes
-- requests as it did before; what it had begun when it died is not known to be done or not.

ALTER TABLE asked ADD COLUMN lane TEXT NOT NULL DEFAULT '';      -- in what it waits for its turn; '' if not known yet
ALTER TABLE asked ADD COLUMN holder TEXT NOT NULL DEFAULT '';    -- the process that is at it, as JSON
ALTER TABLE asked ADD COLUMN turn BIGINT NOT NULL DEFAULT 0;     -- how often it was begun
ALTER TABLE asked ADD COLUMN done BIGINT NOT NULL DEFAULT 0;     -- 1: carried out; 2: nothing to carry out; the answer is owed
ALTER TABLE asked ADD COLUMN after_seq BIGINT;                   -- the last row that there was when it was taken

CREATE INDEX asked_by_lane ON asked (state, lane, seq);

ALTER TABLE audit ADD COLUMN asked BIGINT;                       -- for which request

CREATE INDEX audit_asked ON audit (asked) WHERE asked IS NOT NULL;
