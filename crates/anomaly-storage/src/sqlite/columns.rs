//! The columns that repeat a record for searching: who changes them alone hides an anomaly from
//! every list, though its record is as it was.

use anomaly_model::{AnomalyKind, BackupJob, Review, Severity, Verdict};
use rusqlite::Connection;

use super::fault::Result;
use super::jobs::short;
use super::records::parse;
use super::values::from_count;
use crate::evidence::LeafKind;
use crate::{AuditEntry, JudgedAs};

const OBSERVATION: &str = "
    SELECT 1 FROM jobs
    WHERE number = ?1 AND key = ?2 AND client = ?3 AND policy = ?4 AND started_at_micros = ?5
        AND state = ?6 AND severity IS ?7 AND kind IS ?8";
const REVIEW: &str = "SELECT 1 FROM reviews WHERE number = ?1 AND status = ?2";
const AUDIT: &str = "
    SELECT 1 FROM audit
    WHERE number = ?1 AND who = ?2 AND what = ?3 AND subject = ?4 AND severity IS ?5";

/// Whether the columns of a record say what its parts say.
pub(super) fn agree(
    connection: &Connection,
    kind: LeafKind,
    number: u64,
    parts: &[String],
) -> Result<bool> {
    let number = from_count(number);
    Ok(match kind {
        LeafKind::OldObservation | LeafKind::Observation => {
            let job: BackupJob = parse(parts.get(2))?;
            let verdict: Verdict = parse(parts.get(3))?;
            connection.prepare_cached(OBSERVATION)?.exists((
                number,
                short(&job.key()),
                job.client().name.as_str(),
                job.policy().name.as_str(),
                job.started_at().timestamp_micros(),
                JudgedAs::from(&verdict.judgement).as_str(),
                verdict.severity().map(Severity::as_str),
                verdict.kind().map(AnomalyKind::as_str),
            ))?
        }
        LeafKind::Review => {
            let review: Review = parse(parts.get(2))?;
            let status = review.status.as_str();
            connection
                .prepare_cached(REVIEW)?
                .exists((number, status))?
        }
        LeafKind::Audit => {
            let entry: AuditEntry = parse(parts.first())?;
            let severity = entry.severity.map(Severity::as_str);
            let columns = (number, entry.who, entry.what, entry.subject, severity);
            connection.prepare_cached(AUDIT)?.exists(columns)?
        }
        LeafKind::Settings | LeafKind::Purge => true,
    })
}
