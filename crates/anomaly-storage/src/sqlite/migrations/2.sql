-- The log of everything that was recorded: append-only, and kept when what it is of is purged.
-- What is recorded has its number in the log: 1 for the first leaf, without gaps, never used twice.
CREATE TABLE log (
    number INTEGER PRIMARY KEY,
    -- 1 observation, 2 review, 3 settings, 4 audit, 5 purge: the table that has the record
    kind INTEGER NOT NULL,
    -- Microseconds since 1970, UTC; none when the caller did not say what time it was.
    recorded_at_micros INTEGER,
    -- The leaf hash (RFC 6962).
    hash BLOB NOT NULL
) STRICT;

-- Enough of the tree to add a leaf and to hash them all: one row.
CREATE TABLE log_tree (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    size INTEGER NOT NULL,
    -- The roots of the perfect trees that the leaves fall into, largest first, 32 bytes each.
    peaks BLOB NOT NULL
) STRICT;

INSERT INTO log_tree VALUES (0, 0, x'');

-- What is to be known of a stream without reading its jobs; the caller's own text.
ALTER TABLE streams ADD COLUMN status TEXT;
-- When the next job has to have come, microseconds since 1970, UTC; none when nobody waits for it.
ALTER TABLE streams ADD COLUMN due_at_micros INTEGER;

CREATE INDEX due_streams ON streams (due_at_micros) WHERE due_at_micros IS NOT NULL;

-- When the newest of its jobs that were purged started: what tells how long a stream without jobs
-- has been idle. Microseconds since 1970, UTC.
ALTER TABLE streams ADD COLUMN purged_until_micros INTEGER;

CREATE INDEX purged_streams ON streams (purged_until_micros)
    WHERE purged_until_micros IS NOT NULL;

CREATE TABLE new_model_states (
    stream INTEGER PRIMARY KEY REFERENCES streams (id),
    -- CRC-32 of the state.
    checksum INTEGER NOT NULL,
    -- The engine's own bytes.
    state BLOB NOT NULL
) STRICT;

INSERT INTO new_model_states SELECT stream, checksum(state), state FROM model_states;

CREATE TABLE new_jobs (
    -- Its number in the log: the order in which jobs were stored.
    number INTEGER PRIMARY KEY,
    -- The first 16 bytes of a SHA-256 of source and job id: job ids are long and random, and an
    -- index of them would be most of what is written.
    key BLOB NOT NULL UNIQUE,
    stream INTEGER NOT NULL REFERENCES streams (id),
    -- clock: it was due and did not come
    origin TEXT NOT NULL CHECK (origin IN ('tool', 'clock')),
    client TEXT NOT NULL,
    policy TEXT NOT NULL,
    -- Microseconds since 1970, UTC.
    started_at_micros INTEGER NOT NULL,
    -- Checked, because no index has most of them: a look over the file would not find one damaged.
    state TEXT NOT NULL CHECK (state IN ('normal', 'anomalous', 'warming_up', 'not_scored')),
    -- All three only when anomalous.
    severity TEXT,
    kind TEXT,
    review_status TEXT,
    -- The whole records as JSON; the columns above repeat what is searched for.
    job TEXT NOT NULL,
    verdict TEXT NOT NULL
) STRICT;

INSERT INTO new_jobs
SELECT row_number() OVER (ORDER BY sequence), job_key(source, job_id), stream, 'tool', client,
       policy, started_at_micros, state, severity, kind,
       iif(state = 'anomalous',
           coalesce((SELECT status FROM reviews
                     WHERE sequence = (SELECT max(sequence) FROM reviews WHERE job = jobs.sequence)),
                    'not_reviewed'),
           NULL),
       job, verdict
FROM jobs;

CREATE TABLE new_reviews (
    -- Its number in the log. The last one of a job counts.
    number INTEGER PRIMARY KEY,
    job INTEGER NOT NULL REFERENCES new_jobs (number),
    status TEXT NOT NULL,
    -- The whole decision as JSON.
    review TEXT NOT NULL
) STRICT;

INSERT INTO new_reviews
SELECT row_number() OVER (ORDER BY reviews.sequence) + (SELECT count(*) FROM jobs),
       (SELECT number FROM new_jobs WHERE key = job_key(source, job_id)), status, review
FROM reviews JOIN jobs ON jobs.sequence = reviews.job;

-- What refers goes before what it refers to.
DROP TABLE model_states;
DROP TABLE reviews;
DROP TABLE jobs;
ALTER TABLE new_model_states RENAME TO model_states;
ALTER TABLE new_jobs RENAME TO jobs;
ALTER TABLE new_reviews RENAME TO reviews;

CREATE INDEX jobs_of_stream ON jobs (stream, started_at_micros);
CREATE INDEX jobs_by_start ON jobs (started_at_micros);
CREATE INDEX anomalies ON jobs (started_at_micros) WHERE state = 'anomalous';
CREATE INDEX anomalies_of_client ON jobs (client, started_at_micros) WHERE state = 'anomalous';
CREATE INDEX anomalies_by_severity ON jobs (severity, started_at_micros)
    WHERE state = 'anomalous';
CREATE INDEX anomalies_by_review ON jobs (review_status, started_at_micros)
    WHERE state = 'anomalous';
CREATE INDEX false_positives ON jobs (stream)
    WHERE state = 'anomalous' AND review_status = 'false_positive';
CREATE INDEX reviews_of_job ON reviews (job);

-- The client of the first job of each stream, and those of the others: rarely any.
ALTER TABLE streams ADD COLUMN client TEXT;

UPDATE streams SET client = (SELECT client FROM jobs WHERE stream = id ORDER BY number LIMIT 1);

CREATE INDEX streams_of_client ON streams (client);

CREATE TABLE other_clients (
    client TEXT NOT NULL,
    stream INTEGER NOT NULL REFERENCES streams (id),
    PRIMARY KEY (client, stream)
) STRICT, WITHOUT ROWID;

INSERT INTO other_clients
SELECT DISTINCT jobs.client, stream FROM jobs JOIN streams ON streams.id = jobs.stream
WHERE jobs.client <> streams.client;

CREATE TABLE incidents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Microseconds since 1970, UTC.
    first_seen_micros INTEGER NOT NULL,
    last_seen_micros INTEGER NOT NULL,
    severity TEXT NOT NULL,
    opened_at_micros INTEGER NOT NULL,
    -- None while it is open.
    closed_at_micros INTEGER,
    -- JSON, the caller's own.
    details TEXT NOT NULL
) STRICT;

CREATE INDEX incidents_by_last_seen ON incidents (last_seen_micros);
CREATE INDEX open_incidents ON incidents (last_seen_micros) WHERE closed_at_micros IS NULL;

CREATE TABLE incident_jobs (
    job INTEGER PRIMARY KEY REFERENCES jobs (number),
    incident INTEGER NOT NULL REFERENCES incidents (number)
) STRICT;

CREATE INDEX jobs_of_incident ON incident_jobs (incident);

CREATE TABLE audit (
    -- Its number in the log.
    number INTEGER PRIMARY KEY,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- Of system events.
    severity TEXT,
    -- The whole entry as JSON.
    entry TEXT NOT NULL
) STRICT;

CREATE INDEX audit_of_subject ON audit (subject);
CREATE INDEX audit_of_what ON audit (what);
CREATE INDEX system_events ON audit (severity) WHERE severity IS NOT NULL;

-- What was purged: leaves of which the hash alone is left.
CREATE TABLE purges (
    -- Its number in the log.
    number INTEGER PRIMARY KEY,
    -- JSON
    purge TEXT NOT NULL
) STRICT;

-- What is left of jobs that were purged: handed over again, they are still known.
CREATE TABLE purged_jobs (
    -- As in jobs.
    key BLOB PRIMARY KEY,
    -- The number of the purge, which has hashed the keys of its jobs.
    purge INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settings_versions (
    -- Its number in the log.
    number INTEGER PRIMARY KEY,
    -- When, by whom, and the settings, as JSON.
    version TEXT NOT NULL
) STRICT;

-- Changes that wait, or waited, for a second person.
CREATE TABLE proposals (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- 0 or 1
    decided INTEGER NOT NULL,
    -- The whole proposal, and how it ended, as JSON.
    proposal TEXT NOT NULL
) STRICT;

CREATE INDEX pending ON proposals (number) WHERE decided = 0;

-- What others are to be told.
CREATE TABLE messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Microseconds since 1970, UTC.
    made_at_micros INTEGER NOT NULL,
    topic TEXT NOT NULL,
    -- JSON
    body TEXT NOT NULL
) STRICT;

CREATE INDEX messages_by_time ON messages (made_at_micros);

CREATE TABLE deliveries (
    message INTEGER NOT NULL REFERENCES messages (number),
    sink TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    -- Microseconds since 1970, UTC; none when it was delivered or given up.
    next_attempt_at_micros INTEGER,
    -- None when it was not delivered.
    delivered_at_micros INTEGER,
    error TEXT,
    PRIMARY KEY (message, sink)
) STRICT, WITHOUT ROWID;

CREATE INDEX due_deliveries ON deliveries (sink, next_attempt_at_micros)
    WHERE next_attempt_at_micros IS NOT NULL;

-- What is to be remembered of the whole installation, by name; the caller's own text.
CREATE TABLE notes (
    name TEXT PRIMARY KEY,
    note TEXT NOT NULL
) STRICT, WITHOUT ROWID;
