-- The e-mail of whoever holds a token, as git knows them: by it their approval is told from that of an
-- author. None for a machine's token, and for tokens made before.

ALTER TABLE tokens ADD COLUMN email TEXT;

CREATE TRIGGER tokens_keep_their_email BEFORE UPDATE OF email ON tokens
BEGIN SELECT RAISE(ABORT, 'a token stays what it was made as'); END;
