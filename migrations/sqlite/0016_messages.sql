-- Messages of ours that stand in chats, so that they are changed in place instead of said again, also after a restart;
-- and for each sink that is a chat, when its last digest was sent and which process is telling it now.
--
-- Only new tables: an older version that goes on working on this store leaves them alone, and tells no chat.

CREATE TABLE messages (
  sink         TEXT   NOT NULL,
  channel      TEXT   NOT NULL, -- as the platform's answer named it
  post         TEXT   NOT NULL, -- the platform's id of the message
  key          TEXT   NOT NULL, -- what it is about; one is open for each
  state        TEXT   NOT NULL CHECK (state IN ('open', 'closed', 'superseded')),
  posted_wall  BIGINT NOT NULL,
  changed_wall BIGINT NOT NULL,
  saying       TEXT   NOT NULL CHECK (json_valid(saying)), -- what it says, and what that was made from
  PRIMARY KEY (sink, channel, post)
);

-- Not unique: a message that was posted has to be remembered, whatever else was.
CREATE INDEX messages_by_state ON messages (sink, state, changed_wall);
CREATE INDEX messages_by_age ON messages (changed_wall);

CREATE TABLE chats (
  sink         TEXT   NOT NULL PRIMARY KEY,
  digest_wall  BIGINT,          -- when the last digest was sent; none: none was
  claimed_wall BIGINT NOT NULL  -- until when one process alone tells it
);
