-- The log of everything that was recorded: append-only, and kept when what it is of is purged.
CREATE TABLE log (
    -- The place of the leaf, from 0, without gaps.
    number INTEGER PRIMARY KEY,
    -- 1 observation, 2 review, 3 settings, 4 audit
    kind INTEGER NOT NULL,
    -- The sequence of the row in the table of that kind.
    subject INTEGER NOT NULL,
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

CREATE TABLE new_model_states (
    stream INTEGER PRIMARY KEY REFERENCES streams (id),
    -- CRC-32 of the state.
    checksum INTEGER NOT NULL,
    -- The engine's own bytes.
    state BLOB NOT NULL
) STRICT;

INSERT INTO new_model_states SELECT stream, 0, state FROM model_states;

CREATE TABLE new_jobs (
    -- The order in which jobs were stored. Never used twice, even after the last one was deleted.
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Its leaf of the log.
    leaf INTEGER NOT NULL,
    stream INTEGER NOT NULL REFERENCES streams (id),
    source TEXT NOT NULL,
    job_id TEXT NOT NULL,
    -- tool; clock: it was due and did not come
    origin TEXT NOT NULL,
    client TEXT NOT NULL,
    policy TEXT NOT NULL,
    -- Microseconds since 1970, UTC.
    started_at_micros INTEGER NOT NULL,
    -- normal, anomalous, warming_up, not_scored
    state TEXT NOT NULL,
    -- All three only when anomalous.
    severity TEXT,
    kind TEXT,
    review_status TEXT,
    -- The whole records as JSON; the columns above repeat what is searched for.
    job TEXT NOT NULL,
    verdict TEXT NOT NULL,
    UNIQUE (source, job_id)
) STRICT;

INSERT INTO new_jobs
SELECT sequence, row_number() OVER (ORDER BY sequence) - 1, stream, source, job_id, 'tool', client,
       policy, started_at_micros, state, severity, kind,
       iif(state = 'anomalous',
           coalesce((SELECT status FROM reviews
                     WHERE sequence = (SELECT max(sequence) FROM reviews WHERE job = jobs.sequence)),
                    'not_reviewed'),
           NULL),
       job, verdict
FROM jobs;

CREATE TABLE new_reviews (
    -- The order of the decisions; the last one of a job counts.
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Its leaf of the log.
    leaf INTEGER NOT NULL,
    job INTEGER NOT NULL REFERENCES new_jobs (sequence),
    status TEXT NOT NULL,
    -- The whole decision as JSON.
    review TEXT NOT NULL
) STRICT;

INSERT INTO new_reviews
SELECT sequence, row_number() OVER (ORDER BY sequence) - 1 + (SELECT count(*) FROM jobs), job,
       status, review
FROM reviews;

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

-- Which streams a client has jobs in.
CREATE TABLE client_streams (
    client TEXT NOT NULL,
    stream INTEGER NOT NULL REFERENCES streams (id),
    PRIMARY KEY (client, stream)
) STRICT, WITHOUT ROWID;

INSERT INTO client_streams SELECT DISTINCT client, stream FROM jobs;

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
    job INTEGER PRIMARY KEY REFERENCES jobs (sequence),
    incident INTEGER NOT NULL REFERENCES incidents (number)
) STRICT;

CREATE INDEX jobs_of_incident ON incident_jobs (incident);

CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Its leaf of the log.
    leaf INTEGER NOT NULL,
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

CREATE TABLE settings_versions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Its leaf of the log.
    leaf INTEGER NOT NULL,
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
