-- All that anomalies are searched for and sorted by: a list that no other index has in order reads
-- as many entries of it as there are anomalies, and no job. A record that is damaged has an entry
-- too, or nobody could delete it. The newest come first, so that of equals the first ones are kept.
CREATE INDEX anomaly_list ON jobs (
    started_at_micros DESC,
    client,
    policy,
    severity,
    kind,
    review_status,
    iif(json_valid(job), job ->> 'job_id', NULL),
    iif(json_valid(job), job ->> 'policy_type', NULL),
    iif(json_valid(job), job ->> 'schedule', NULL),
    iif(json_valid(job), job ->> 'schedule_type', NULL),
    iif(json_valid(verdict), ifnull(verdict ->> 'score', -1), -1),
    iif(json_valid(verdict), json_array_length(verdict, '$.findings'), 0)
) WHERE state = 'anomalous';

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
