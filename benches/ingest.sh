#!/usr/bin/env bash
# What `backwatch ingest` takes for one new job on a database that holds a million.
#
# Usage: benches/ingest.sh [DIRECTORY], target/ingest unless given, which keeps the database for the
# next time: 4 GB, and some minutes to make. Needs hyperfine and jq.
set -euo pipefail
cd "$(dirname "$0")/.."
directory=${1:-target/ingest}
database=$directory/backwatch.db
cargo build --release -p backwatch
backwatch=${CARGO_TARGET_DIR:-target}/release/backwatch
mkdir -p "$directory"

if [[ ! -e $database ]]; then
    # A simulated fleet: 10,000 clients of 100 jobs, which arrive in order of time.
    "$backwatch" eval simulate --clients 10000 --jobs 100 --branches 0 --out "$directory/histories"
    "$backwatch" ingest --db "$database.part" --sort --output table \
        "$directory"/histories/*/jobs.ndjson >/dev/null || [[ $? -eq 1 ]]
    mv "$database.part" "$database"
fi

# Each run gets a job of the same client that is new.
history=$(printf '%s\n' "$directory"/histories/*/jobs.ndjson | tail -1)
job=$directory/job.ndjson
one_more="tail -1 '$history' | jq -c --arg id \"\$(date +%s%N)\" '.job_id = \$id' >'$job'"

hyperfine --shell none --warmup 5 --runs 50 "$backwatch --version"
hyperfine --shell none --warmup 5 --runs 50 --ignore-failure \
    --prepare "sh -c \"${one_more//\"/\\\"}\"" "$backwatch ingest --db $database $job"
# The client's whole list again: a hundred jobs, all known.
hyperfine --shell none --warmup 5 --runs 50 "$backwatch ingest --db $database $history"
