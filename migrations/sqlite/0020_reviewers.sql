-- The request whose reviewers were asked, as the config names them. Old rows know of none: who is asked or has reviewed is
-- seen on the forge.

ALTER TABLE proposed ADD COLUMN asked BIGINT;
