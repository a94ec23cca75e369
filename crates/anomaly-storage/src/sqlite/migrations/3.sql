-- What is left of a purged observation beside its hash in the log, and what that is made of: it proves
-- that the job was as old as it had to be.
CREATE TABLE purged_observations (
    -- Its number in the log.
    number INTEGER PRIMARY KEY,
    -- Microseconds since 1970, UTC.
    started_at_micros INTEGER NOT NULL,
    -- SHA-256 of what was purged.
    digest BLOB NOT NULL
) STRICT;
