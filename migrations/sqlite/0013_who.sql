-- How a command came, as JSON: from where, what whoever gave it is known by there, in which channel or comment, what they
-- wrote to the letter, and by what it was allowed or denied. None for what Towpath itself records.
ALTER TABLE audit ADD COLUMN came TEXT CHECK (came IS NULL OR json_valid(came));

-- The other addresses of whoever approved, a list: who wrote a commit under one of them is its author.
ALTER TABLE approvals ADD COLUMN also TEXT CHECK (also IS NULL OR json_valid(also));
