CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    -- JSON: [["client","mail01"],["policy","daily"],["schedule_type",null]]
    key TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE model_states (
    stream INTEGER PRIMARY KEY REFERENCES streams (id),
    -- The engine's own bytes.
    state BLOB NOT NULL
) STRICT;

CREATE TABLE jobs (
    -- The order in which jobs were stored. Never used twice, even after the last one was deleted.
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    stream INTEGER NOT NULL REFERENCES streams (id),
    source TEXT NOT NULL,
    job_id TEXT NOT NULL,
    client TEXT NOT NULL,
    policy TEXT NOT NULL,
    -- Microseconds since 1970, UTC.
    started_at_micros INTEGER NOT NULL,
    -- normal, anomalous, warming_up, not_scored
    state TEXT NOT NULL,
    -- Both only when anomalous.
    severity TEXT,
    kind TEXT,
    -- The whole records as JSON; the columns above repeat what is searched for.
    job TEXT NOT NULL,
    verdict TEXT NOT NULL,
    UNIQUE (source, job_id)
) STRICT;

CREATE INDEX normal_jobs ON jobs (stream, started_at_micros) WHERE state = 'normal';

CREATE INDEX anomalous_jobs ON jobs (started_at_micros) WHERE state = 'anomalous';

CREATE TABLE reviews (
    -- The order of the decisions; the last one of a job counts.
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    job INTEGER NOT NULL REFERENCES jobs (sequence),
    status TEXT NOT NULL,
    -- The whole decision as JSON.
    review TEXT NOT NULL
) STRICT;

CREATE INDEX reviews_of_job ON reviews (job);
