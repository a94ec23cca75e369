//! Whether what is stored is what was recorded.

use anomaly_model::chrono::{DateTime, Utc};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row};

use super::fault::{Fault, Result};
use super::jobs::PLACE;
use super::values::{count, from_count};
use super::{columns, log, records};
use crate::evidence::{Leaf, LeafKind, Tampering, Tree, Verification};
use crate::job_key::{ShortKey, job_key};
use crate::purge::{PurgeRecord, PurgedLeaves};
use crate::{AuditEntry, Hash, KeptFor, LatestPurge, LogHead};

const LOG: &str = "SELECT number, kind, recorded_at_micros, hash FROM log ORDER BY number";

/// Every purge, and what the log says of it.
const PURGES: &str = "
    SELECT purges.number, hash, recorded_at_micros
    FROM purges LEFT JOIN log ON log.number = purges.number ORDER BY purges.number";

/// What is left of an observation that was purged.
pub(super) const PROOF: &str =
    "SELECT started_at_micros, digest FROM purged_observations WHERE number = ?1";

const PURGED_JOBS: &str = "SELECT purge, key FROM purged_jobs ORDER BY purge, key";

const NO_SUCH_LEAF: &str = "the log has no such leaf";
const NOT_AS_RECORDED: &str = "its record is not what was recorded";

/// Anomalies that are listed by another status than that of their last review.
const MISLISTED: &str = "
    SELECT min(number) FROM jobs
    WHERE (state = 'anomalous' OR review_status IS NOT NULL)
        AND review_status IS NOT coalesce(
            (SELECT status FROM reviews
             WHERE number = (SELECT max(number) FROM reviews WHERE job = jobs.number)),
            'not_reviewed')";

/// Records that no leaf is of.
const UNRECORDED: [(&str, &str); 6] = [
    (
        "job",
        "SELECT min(number) FROM jobs
         WHERE number NOT IN (SELECT number FROM log WHERE kind IN (1, 6))",
    ),
    (
        "purged job",
        "SELECT min(number) FROM purged_observations
         WHERE number NOT IN (SELECT number FROM log WHERE kind = 6)
             OR number IN (SELECT number FROM jobs)",
    ),
    (
        "review",
        "SELECT min(number) FROM reviews WHERE number NOT IN (SELECT number FROM log WHERE kind = 2)",
    ),
    (
        "version of the settings",
        "SELECT min(number) FROM settings_versions WHERE number NOT IN (SELECT number FROM log WHERE kind = 3)",
    ),
    (
        "entry of the audit log",
        "SELECT min(number) FROM audit WHERE number NOT IN (SELECT number FROM log WHERE kind = 4)",
    ),
    (
        "purge",
        "SELECT min(number) FROM purges WHERE number NOT IN (SELECT number FROM log WHERE kind = 5)",
    ),
];

/// Hashes everything anew. `checkpoints` are what the log was at earlier times.
pub(super) fn verify(connection: &Connection, checkpoints: &[LogHead]) -> Result<Verification> {
    // What is read is of one moment, whoever writes meanwhile.
    let snapshot = connection.unchecked_transaction()?;
    let stored = log::tree(&snapshot)?;
    let mut checkpoints = checkpoints.to_vec();
    checkpoints.sort_by_key(|head| head.size);
    let Purges {
        ranges,
        forged,
        kept_for,
        latest,
    } = Purges::read(&snapshot, stored.size())?;
    let mut walk = Walk {
        connection: &snapshot,
        purged: ranges,
        forged,
        purged_hashes: Vec::new(),
        seen: Seen::default(),
        checkpoints,
        agreed: 0,
        tree: Tree::default(),
        verification: Verification {
            head: stored.head(),
            verified_leaves: 0,
            purged_leaves: 0,
            unproven_leaves: 0,
            kept_for,
            latest_purge: latest,
            matched_checkpoints: 0,
            tampering: None,
        },
    };
    let tampering = match walk.all(&stored)? {
        Some(tampering) => Some(tampering),
        None => beside_the_log(&snapshot)?,
    };
    Ok(Verification {
        tampering,
        ..walk.verification
    })
}

/// What was found so far, on the way from the first leaf to the last.
struct Walk<'a> {
    connection: &'a Connection,
    /// Those ahead, the nearest last.
    purged: Vec<PurgedRange>,
    /// The first purge that is not what was recorded, and may say anything of what was purged.
    forged: Option<Tampering>,
    /// The hashes of the purged leaves of the range that the walk is in.
    purged_hashes: Vec<Hash>,
    seen: Seen,
    /// By size.
    checkpoints: Vec<LogHead>,
    /// So many leaves are known to be as they were.
    agreed: u64,
    /// Of the leaves so far.
    tree: Tree,
    verification: Verification,
}

/// Which kinds of leaves there were so far: earlier versions wrote others.
#[derive(Debug, Default)]
struct Seen {
    /// One that an earlier version does not write.
    observation: bool,
    /// One that does not come of a database from before there was a log.
    logged: bool,
}

impl Seen {
    fn note(&mut self, kind: LeafKind) {
        self.observation |= kind == LeafKind::Observation;
        self.logged |= !matches!(kind, LeafKind::OldObservation | LeafKind::Review);
    }
}

impl Walk<'_> {
    fn all(&mut self, stored: &Tree) -> Result<Option<Tampering>> {
        let mut log = self.connection.prepare(LOG)?;
        let mut rows = log.query(())?;
        while let Some(row) = rows.next()? {
            if let Some(tampering) = self.leaf(row)? {
                return Ok(Some(tampering));
            }
        }
        Ok(self.end(stored))
    }

    /// Looks at one leaf, and at what is known of the log that ends with it.
    fn leaf(&mut self, row: &Row<'_>) -> Result<Option<Tampering>> {
        let number = self.tree.size() + 1;
        let removed = |what: &str| {
            let what = what.to_owned();
            Some(Tampering::Removed { leaf: number, what })
        };
        if count(row, 0)? != number {
            return Ok(removed(NO_SUCH_LEAF));
        }
        let hash: Hash = row.get(3)?;
        let Some(kind) = LeafKind::of_number(row.get(1)?) else {
            let what = "the log has a kind for it that there is not";
            return Ok(Some(altered(number, what)));
        };
        if kind == LeafKind::OldObservation && self.seen.observation {
            return Ok(Some(altered(
                number,
                "no version writes such a leaf any more",
            )));
        }
        if let Some(range) = self
            .purged
            .last()
            .filter(|range| range.leaves.first <= number)
            .cloned()
        {
            if records::stored_parts(self.connection, kind, number)?.is_some() {
                let here = altered(number, "it was purged, and its record is here");
                return Ok(Some(self.forged.take().unwrap_or(here)));
            }
            let leaf = Leaf {
                number,
                kind,
                recorded_at_micros: row.get(2)?,
                parts: &[],
            };
            if let Some(tampering) = self.undue(&leaf, hash, &range)? {
                return Ok(Some(self.forged.take().unwrap_or(tampering)));
            }
            self.purged_hashes.push(hash);
            self.verification.purged_leaves += 1;
            if range.leaves.last == number {
                let hashes = std::mem::take(&mut self.purged_hashes);
                self.purged.pop();
                if !range.leaves.have(&hashes) {
                    let (first, last) = (range.leaves.first, range.leaves.last);
                    let rewritten = Tampering::Rewritten { first, last };
                    return Ok(Some(self.forged.take().unwrap_or(rewritten)));
                }
            }
        } else {
            // Text that is none was not recorded either.
            let parts = match records::stored_parts(self.connection, kind, number) {
                Ok(Some(parts)) => parts,
                Ok(None) => return Ok(self.forged.take().or(removed("its record is gone"))),
                Err(Fault::Damaged(_)) => return Ok(Some(altered(number, NOT_AS_RECORDED))),
                Err(fault) => return Err(fault),
            };
            if records::hash(kind, number, row.get(2)?, &parts) != hash {
                return Ok(Some(altered(number, NOT_AS_RECORDED)));
            }
            if !columns::agree(self.connection, kind, number, &parts)? {
                let what = "it is found by something else than it says";
                return Ok(Some(altered(number, what)));
            }
            self.verification.verified_leaves += 1;
        }
        self.seen.note(kind);
        self.tree.push(hash);
        Ok(self.checkpoint())
    }

    /// What says that a purged leaf was not to be purged: nothing goes but observations that are old
    /// enough, and reviews with the job that they are of.
    fn undue(
        &mut self,
        leaf: &Leaf<'_>,
        hash: Hash,
        range: &PurgedRange,
    ) -> Result<Option<Tampering>> {
        let gone = |what: String| {
            let leaf = leaf.number;
            Ok(Some(Tampering::Removed { leaf, what }))
        };
        match leaf.kind {
            LeafKind::Observation => {
                let proof: Option<(i64, Hash)> = self
                    .connection
                    .prepare_cached(PROOF)?
                    .query_row((from_count(leaf.number),), |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })
                    .optional()?;
                let Some((started_at_micros, digest)) = proof else {
                    return gone("nothing is left that proves how old it was".to_owned());
                };
                if leaf.hash_of_purged(&started_at_micros.to_string(), &digest) != hash {
                    return Ok(Some(altered(leaf.number, NOT_AS_RECORDED)));
                }
                if started_at_micros >= range.started_before.timestamp_micros() {
                    let started_at = DateTime::from_timestamp_micros(started_at_micros);
                    return gone(format!(
                        "it was deleted as one of the jobs before {}, and started {}",
                        range.started_before.to_rfc3339(),
                        started_at.map_or("later".to_owned(), |time| time.to_rfc3339()),
                    ));
                }
            }
            LeafKind::OldObservation => self.verification.unproven_leaves += 1,
            LeafKind::Review => match reviewed(self.connection, leaf.number)? {
                Some(subject) => {
                    if is_stored(self.connection, &subject)? {
                        return gone(format!("it is a review of {subject}, which is stored"));
                    }
                }
                None if self.seen.logged => {
                    return gone("it is a review that the audit log does not have".to_owned());
                }
                None => self.verification.unproven_leaves += 1,
            },
            LeafKind::Settings | LeafKind::Audit | LeafKind::Purge => {
                return gone("its record is never deleted".to_owned());
            }
        }
        Ok(None)
    }

    /// Holds the log so far against the checkpoints of this size.
    fn checkpoint(&mut self) -> Option<Tampering> {
        let head = self.tree.head();
        let of_this_size = |checkpoint: &&LogHead| checkpoint.size == head.size;
        let mut here = self.checkpoints.iter().filter(of_this_size).peekable();
        here.peek()?;
        let (first, last) = (self.agreed + 1, head.size);
        if here.all(|checkpoint| *checkpoint == head) {
            self.agreed = head.size;
            let matched = self.checkpoints.iter().filter(of_this_size).count();
            self.verification.matched_checkpoints += matched;
            None
        } else {
            Some(Tampering::Rewritten { first, last })
        }
    }

    /// What is known once the last leaf was seen.
    fn end(&self, stored: &Tree) -> Option<Tampering> {
        let size = self.tree.size();
        let longest = self
            .checkpoints
            .last()
            .map_or(0, |checkpoint| checkpoint.size);
        let most = longest.max(stored.size());
        if size < most {
            let (first, size) = (size + 1, most);
            return Some(Tampering::CutOff { first, size });
        }
        // Also when there is no leaf at all, whose checkpoint no leaf comes to.
        let disagrees = |checkpoint: &LogHead| {
            checkpoint.size == 0 && checkpoint.root != Tree::default().head().root
        };
        if self.tree != *stored || self.checkpoints.iter().any(disagrees) {
            let (first, last) = (self.agreed + 1, size);
            return Some(Tampering::Rewritten { first, last });
        }
        None
    }
}

/// What the review with this number is of, as the entry of the audit log says that was written with
/// it.
fn reviewed(connection: &Connection, number: u64) -> Result<Option<String>> {
    let parts = records::stored_parts(connection, LeafKind::Audit, number + 1)?;
    let entry = parts.map(|parts| records::parse::<AuditEntry>(parts.first()));
    let entry = entry.and_then(Result::ok);
    Ok(entry
        .filter(|entry| entry.what == AuditEntry::REVIEW)
        .map(|entry| entry.subject))
}

/// Whether the job is stored that an entry of the audit log names.
fn is_stored(connection: &Connection, subject: &str) -> Result<bool> {
    let mut jobs = connection.prepare_cached(PLACE)?;
    for (source, job_id) in AuditEntry::jobs_named(subject) {
        if jobs.exists((job_key(source, job_id),))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn altered(leaf: u64, what: &str) -> Tampering {
    let what = what.to_owned();
    Tampering::Altered { leaf, what }
}

/// Which leaves have lost their records.
struct Purges {
    /// The first of them last.
    ranges: Vec<PurgedRange>,
    /// The first purge that is not what was recorded.
    forged: Option<Tampering>,
    /// The shortest time for which one kept jobs.
    kept_for: Option<KeptFor>,
    /// The one that says that it was done last.
    latest: Option<LatestPurge>,
}

/// Leaves side by side whose records were deleted, and by what.
#[derive(Debug, Clone)]
struct PurgedRange {
    leaves: PurgedLeaves,
    /// No job of them started later.
    started_before: DateTime<Utc>,
}

impl Purges {
    fn read(connection: &Connection, size: u64) -> Result<Self> {
        let mut statement = connection.prepare(PURGES)?;
        let mut rows = statement.query(())?;
        let mut purges = Self {
            ranges: Vec::new(),
            forged: None,
            kept_for: None,
            latest: None,
        };
        while let Some(row) = rows.next()? {
            let number = count(row, 0)?;
            let Some(hash) = row.get::<_, Option<Hash>>(1)? else {
                let what = format!("the purge with the number {number}");
                purges.forged = purges.forged.or(Some(if number > size {
                    Tampering::Unrecorded { what }
                } else {
                    let (leaf, what) = (number, NO_SUCH_LEAF.to_owned());
                    Tampering::Removed { leaf, what }
                }));
                continue;
            };
            let parts = records::stored_parts(connection, LeafKind::Purge, number);
            let parts = parts.ok().flatten().unwrap_or_default();
            let is_recorded = records::hash(LeafKind::Purge, number, row.get(2)?, &parts) == hash;
            match records::parse::<PurgeRecord>(parts.first()) {
                // Nothing is deleted before it is recorded.
                Ok(record)
                    if is_recorded && record.leaves.iter().all(|leaves| leaves.last < number) =>
                {
                    purges.note(number, record);
                }
                _ => {
                    let altered = || altered(number, NOT_AS_RECORDED);
                    purges.forged = purges.forged.or_else(|| Some(altered()));
                }
            }
        }
        let first = |range: &PurgedRange| std::cmp::Reverse(range.leaves.first);
        purges.ranges.sort_by_key(first);
        Ok(purges)
    }

    /// Notes what a purge says that is as it was recorded.
    fn note(&mut self, purge: u64, record: PurgeRecord) {
        let PurgeRecord {
            purged_at,
            started_before,
            leaves,
            ..
        } = record;
        let time = purged_at - started_before;
        if self.kept_for.is_none_or(|before| time < before.time) {
            self.kept_for = Some(KeptFor { purge, time });
        }
        if self
            .latest
            .is_none_or(|latest| latest.purged_at < purged_at)
        {
            self.latest = Some(LatestPurge { purge, purged_at });
        }
        let ranges = leaves.into_iter().map(|leaves| PurgedRange {
            leaves,
            started_before,
        });
        self.ranges.extend(ranges);
    }
}

/// Whether the jobs that are known as purged are those that were: another one among them would be
/// passed over when it comes.
fn purged_jobs(connection: &Connection) -> Result<Option<Tampering>> {
    let mut statement = connection.prepare(PURGED_JOBS)?;
    let keys = statement.query_map((), |row| Ok((count(row, 0)?, row.get::<_, ShortKey>(1)?)));
    let mut keys = keys?.peekable();
    let mut purges = connection.prepare("SELECT number FROM purges ORDER BY number")?;
    let mut purges = purges.query(())?;
    while let Some(row) = purges.next()? {
        let number = count(row, 0)?;
        let mut of_this = Vec::new();
        // One of a purge that there is not stays, and is what the next purge lacks its own for.
        while let Some(key) = keys.next_if(|key| !matches!(key, Ok((of, _)) if *of != number)) {
            of_this.push(key?.1);
        }
        let record: Option<PurgeRecord> = records::record(connection, LeafKind::Purge, number)?;
        if !record.is_some_and(|record| record.is_of(&of_this)) {
            let what = "the jobs that are known as purged by it are not those that it purged";
            return Ok(Some(altered(number, what)));
        }
    }
    Ok(keys.next().transpose()?.map(|(purge, _)| {
        let what = format!("a job that is known as purged by {purge}");
        Tampering::Unrecorded { what }
    }))
}

/// What is wrong though every leaf is as it was.
fn beside_the_log(connection: &Connection) -> Result<Option<Tampering>> {
    for (what, sql) in UNRECORDED {
        let number: Option<i64> = connection.query_row(sql, (), |row| row.get(0))?;
        if let Some(number) = number {
            let what = format!("the {what} with the number {number}");
            return Ok(Some(Tampering::Unrecorded { what }));
        }
    }
    if let Some(tampering) = purged_jobs(connection)? {
        return Ok(Some(tampering));
    }
    let mut statement = connection.prepare(MISLISTED)?;
    let mut rows = statement.query(())?;
    if let Some(row) = rows.next()?
        && row.get_ref(0)?.data_type() != Type::Null
    {
        let what = "it is listed by another status than that of its last review";
        return Ok(Some(altered(count(row, 0)?, what)));
    }
    Ok(None)
}
