//! Verdicts in words.

use anomaly_features::{FeatureVector, Reading, Share, Unit, counted, label};
use anomaly_model::chrono::TimeDelta;
use anomaly_model::{AnomalyKind, BackupJob, CoveredBy, Finding, LevelShift};

use crate::classify;
use crate::impact::Impact;
use crate::judge::Seen;
use crate::level::Level;
use crate::recovery::raised;
use crate::slow_loss::SlowLoss;
use crate::surprise::Term;

/// A time span in one unit that a person would choose.
pub(crate) fn span(delta: TimeDelta) -> String {
    let (minutes, hours, days) = (delta.num_minutes(), delta.num_hours(), delta.num_days());
    let (count, noun) = match (minutes, hours) {
        (..=119, _) => (minutes, "minute"),
        (_, ..=47) => (hours, "hour"),
        _ => (days, "day"),
    };
    counted(u64::try_from(count).unwrap_or(0), noun)
}

/// The sentence for a job with this p-value, where what is below `threshold` would be reported. What
/// comes near to it is not called usual.
pub(crate) fn normal(p_value: Option<f64>, threshold: f64) -> String {
    let near = p_value.filter(|p_value| (threshold..raised(threshold)).contains(p_value));
    let one_in = |part: f64| (1.0 / part).round();
    near.map_or_else(
        || "Nothing unusual in what was reported.".to_owned(),
        |p_value| {
            format!(
                "Unusual, but not enough to be reported: about 1 usual job in {} is as strange, \
                 and what is reported is rarer than 1 in {}.",
                one_in(p_value),
                one_in(threshold)
            )
        },
    )
}

/// The sentence for an anomaly that was reported before, and goes on or comes again.
pub(crate) fn going_on(age_jobs: u32, summary: &str) -> String {
    let ago = counted(u64::from(age_jobs) + 1, "job");
    format!("The same as was reported {ago} ago: {summary}")
}

/// The sentence for what a person called usual.
pub(crate) fn covered(by: &CoveredBy, summary: &str) -> String {
    let said = by.reviewed_at.format("%Y-%m-%d");
    let until = match by.expires_at {
        Some(end) => format!(", until {}", end.format("%Y-%m-%d")),
        None => String::new(),
    };
    format!("Covered by a false positive of {said}{until}: {summary}")
}

/// The sentence for what was reported often enough, before what else there is to say.
pub(crate) fn known(summary: &str, rest: &str) -> String {
    format!("{summary} The same was reported before. {rest}")
}

/// The sentence for a change that has lasted.
pub(crate) fn level_shift(shift: &LevelShift, summary: &str) -> String {
    let jobs = counted(shift.jobs.into(), "job");
    if shift.accepted {
        format!("{summary} After {jobs} it is the new normal, as the settings say.")
    } else {
        format!("{summary} It has lasted for {jobs}: is it the new normal?")
    }
}

/// The sentence for data that go a little every day.
pub(crate) fn slow_loss(loss: SlowLoss) -> String {
    format!(
        "Little by little, {} of the data and {} of the files have gone since this stream held most.",
        Unit::Share.format(loss.bytes),
        Unit::Share.format(loss.files)
    )
}

/// The sentence for an anomaly whose strongest sign is a share of the data.
pub(crate) fn by_share(
    kind: AnomalyKind,
    job: &BackupJob,
    seen: &Seen,
    impact: &Impact,
    leading: &Term,
) -> String {
    let share = Unit::Share.format(leading.share());
    let label = leading.statistic.share.label();
    let most = leading.comparison.past.iter().copied().max();
    let came_before = most.is_some() && leading.comparison.strangest > most;
    let but = if came_before {
        ", but for what was reported then"
    } else {
        ""
    };
    // Before this job, or in as many jobs before these.
    let usual = |before: &str| match most.map(Level::share) {
        Some(most) => {
            let most = Unit::Share.format(most);
            format!(", never more than {most} {before}{but}")
        }
        None => String::new(),
    };
    match kind {
        AnomalyKind::SlowDrift => {
            let window = leading.statistic.window;
            let usual = usual("in as many before");
            format!("In each of the last {window} jobs at least {share} {label}{usual}.")
        }
        AnomalyKind::MassEncryption | AnomalyKind::MassChange => {
            let what = match leading.statistic.share {
                Share::EntropyFall => format!("{label}: {share}{}", usual("before")),
                _ => rewritten(job, &seen.features, impact),
            };
            let (begin, looks) = if kind == AnomalyKind::MassEncryption {
                ("mass encryption", looks(seen, leading))
            } else if classify::ciphertext(leading, &seen.shares).is_some() {
                (
                    "a mass change",
                    ", though what was written does not look encrypted",
                )
            } else {
                ("a mass change", "; what was written was not examined")
            };
            format!("Looks like {begin}: {what}{looks}.")
        }
        AnomalyKind::MassDeletion | AnomalyKind::Shrinkage | AnomalyKind::Growth => {
            describe(kind, job, &seen.features, impact, &[])
        }
        _ => format!("Unusual {label}: {share}{}.", usual("before")),
    }
}

/// What was written looks like, in a job that may have encrypted.
fn looks(seen: &Seen, leading: &Term) -> &'static str {
    let content = seen
        .share(Share::Random)
        .max(seen.share(Share::EntropyRise));
    match classify::ciphertext(leading, &seen.shares) {
        None => "; what was written was not examined",
        Some(part) if part < classify::LOOKS_LIKE * leading.share() => {
            ", and some of what was written looks random"
        }
        Some(_) if content >= seen.share(Share::OverwrittenDense) => {
            ", and what was written looks random"
        }
        Some(_) => ", and what was written does not compress as it usually does",
    }
}

/// The sentence for an anomaly that the levels of features show.
pub(crate) fn describe(
    kind: AnomalyKind,
    job: &BackupJob,
    features: &FeatureVector,
    impact: &Impact,
    findings: &[Finding],
) -> String {
    match kind {
        AnomalyKind::MassEncryption => {
            let looks = match impact.looks_encrypted {
                Some(true) => ", and what was written looks random",
                Some(false) => "",
                None => "; what was written was not examined",
            };
            format!(
                "Looks like mass encryption: {}{looks}.",
                rewritten(job, features, impact)
            )
        }
        AnomalyKind::MassChange => {
            let looks = match impact.looks_encrypted {
                Some(_) => ", though what was written does not look encrypted",
                None => "; what was written was not examined",
            };
            format!(
                "Looks like a mass change: {}{looks}.",
                rewritten(job, features, impact)
            )
        }
        AnomalyKind::MassDeletion => {
            format!("Looks like mass deletion: {}.", gone(features, impact))
        }
        AnomalyKind::Shrinkage if impact.lost() > 0.0 => {
            format!("The image shrank: {}.", gone(features, impact))
        }
        AnomalyKind::Growth => growth(job, features, findings),
        AnomalyKind::Slowdown => match features.value("duration_seconds") {
            Some(seconds) => {
                format!(
                    "The job took {}{}.",
                    Unit::Seconds.format(seconds),
                    usual(findings)
                )
            }
            None => "The job took far longer than usual.".to_owned(),
        },
        _ => match findings.first() {
            Some(first) => format!("Unusual {}{}.", observed(first), usual(findings)),
            None => "No single number is far from usual, but their combination is.".to_owned(),
        },
    }
}

/// How much was overwritten, in files where they were counted, else in data.
fn rewritten(job: &BackupJob, features: &FeatureVector, impact: &Impact) -> String {
    let image = job.image();
    let all_files = features
        .get("files_changed")
        .map(|reading| reading.reference);
    if let Some(all_files) = all_files.filter(|_| impact.touched_files >= impact.rewritten / 2.0) {
        let of = format!("of {all_files:.0} files were");
        // Whole again: it is a number of files as a part of all.
        let replaced = (impact.replaced_files * all_files).round();
        let changed = image.files_changed.unwrap_or(0);
        if replaced <= changed as f64 {
            return format!("{changed} {of} rewritten");
        }
        let unseen = image
            .content
            .and_then(|content| content.unseen_extension_files);
        let kinds = if unseen.is_some_and(|unseen| unseen as f64 >= replaced / 2.0) {
            " by files of kinds never seen here"
        } else {
            ""
        };
        return format!("{replaced} {of} replaced{kinds}");
    }
    match features.value("rewritten_share") {
        Some(share) => format!("{} of the data was written anew", Unit::Share.format(share)),
        None => "far more was written than usual".to_owned(),
    }
}

fn gone(features: &FeatureVector, impact: &Impact) -> String {
    let data = || {
        format!(
            "{} of the data is gone",
            Unit::Share.format(impact.lost_bytes)
        )
    };
    match features.get("file_count") {
        Some(files) if files.value < files.reference => {
            let lost = files.reference - files.value;
            let files = format!("{lost:.0} of {:.0} files", files.reference);
            if impact.lost_bytes > 0.0 {
                format!("{files} and {}", data())
            } else {
                format!("{files} are gone")
            }
        }
        _ => data(),
    }
}

fn growth(job: &BackupJob, features: &FeatureVector, findings: &[Finding]) -> String {
    let formatted = |size: Reading| {
        let (from, to) = (size.reference, size.value);
        (Unit::Bytes.format(from), Unit::Bytes.format(to))
    };
    match features
        .get("image_bytes")
        .map(|size| (size, formatted(size)))
    {
        // Too little to be seen is not what grew.
        Some((size, (from, to))) if size.value > size.reference && from != to => {
            let copies = match job.image().transferred_bytes {
                Some(sent) if (sent as f64) < (size.value - size.reference) / 2.0 => {
                    ", mostly by copies of data that was there before"
                }
                _ => "",
            };
            format!("The image grew from {from} to {to}{copies}.")
        }
        _ => match findings.first() {
            Some(first) => format!("Unusual growth: {}{}.", observed(first), usual(findings)),
            None => "The image grew far more than usual.".to_owned(),
        },
    }
}

/// `a`, `a and b`, `a, b and c`; of more than four, the first three and how many more.
pub(crate) fn listed(words: impl IntoIterator<Item = String>) -> String {
    let mut words: Vec<String> = words.into_iter().collect();
    if words.len() > 4 {
        let more = words.len() - 3;
        words.truncate(3);
        words.push(format!("{more} more"));
    }
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => String::new(),
    }
}

fn observed(finding: &Finding) -> String {
    match label(finding.feature.as_str()) {
        Some((label, unit)) => format!("{label}: {}", unit.format(finding.observed)),
        None => finding.feature.to_string(),
    }
}

/// `, usual 0 to 3 MB`, for the strongest finding.
fn usual(findings: &[Finding]) -> String {
    let range = findings.first().and_then(|finding| {
        let (_, unit) = label(finding.feature.as_str())?;
        Some(unit.format_range(finding.usual_low, finding.usual_high))
    });
    range
        .map(|range| format!(", usual {range}"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::normal;

    /// From ten times as frequent on, or one in twenty.
    #[test]
    fn what_comes_near_to_an_alarm_is_not_called_usual() {
        for (threshold, from) in [(0.002, 0.02), (0.02, 0.05)] {
            let is_usual = |p_value| normal(p_value, threshold).starts_with("Nothing unusual");
            assert!(is_usual(None) && is_usual(Some(from)) && is_usual(Some(threshold * 0.99)));
            assert!(!is_usual(Some(threshold)) && !is_usual(Some(from * 0.99)));
        }
        let near = normal(Some(0.005), 0.004);
        assert!(near.starts_with("Unusual, but not enough to be reported"));
        assert!(near.contains("1 usual job in 200 ") && near.contains("1 in 250."));
    }
}
