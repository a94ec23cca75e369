//! The closing lines: what was judged, and what could not be.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};

use anomaly_features::{counted, feature};
use anomaly_model::FeatureName;

use crate::found::Found;
use crate::report::text::wrapped;
use crate::switched_off::SwitchedOff;
use crate::tally::Tally;
use crate::terminal::harmless;

/// More names than this in one sentence are counted instead.
const SHOWN_NAMES: usize = 8;

pub(super) fn print(out: &mut impl Write, found: &Found) -> io::Result<()> {
    let mut text = counts(&found.tally, "job");
    coverage(&mut text, &found.tally, &found.off);
    paragraph(out, &text)
}

/// The same of new jobs: nothing is said of what they rest on where there are none.
pub(super) fn print_news(out: &mut impl Write, found: &Found) -> io::Result<()> {
    let mut text = counts(&found.tally, "new job");
    if found.tally.jobs > 0 {
        coverage(&mut text, &found.tally, &found.off);
    } else {
        text.push_str(&found.off.loosened_in_words());
    }
    paragraph(out, &text)
}

fn paragraph(out: &mut impl Write, text: &str) -> io::Result<()> {
    for line in wrapped(text, "") {
        writeln!(out, "{}", harmless(&line))?;
    }
    Ok(())
}

fn counts(tally: &Tally, noun: &str) -> String {
    let by_severity: Vec<String> = tally
        .anomalous_by_severity
        .iter()
        .rev()
        .map(|(severity, jobs)| format!("{jobs} {severity}"))
        .collect();
    let by_severity = by_severity.join(", ");
    let outcomes = [
        (tally.normal, "normal".to_owned()),
        (tally.anomalous, format!("anomalous ({by_severity})")),
        (tally.warming_up, "warming up".to_owned()),
        (tally.not_scored, "not scored".to_owned()),
    ];
    let outcomes: Vec<String> = outcomes
        .iter()
        .filter(|(jobs, _)| *jobs > 0)
        .map(|(jobs, outcome)| format!("{jobs} {outcome}"))
        .collect();
    let mut text = match tally.jobs {
        0 => format!("No {noun}."),
        jobs => format!("{}: {}.", counted(jobs, noun), outcomes.join(", ")),
    };
    for (reason, jobs) in &tally.not_scored_by_reason {
        _ = write!(text, " Not scored: {jobs}, because {reason}.");
    }
    if tally.already_known > 0 {
        let (jobs, were) = (
            counted(tally.already_known, "job"),
            were(tally.already_known),
        );
        _ = write!(text, " {jobs} {were} known already.");
    }
    if tally.not_kept > 0 {
        let (jobs, were) = (counted(tally.not_kept, "job"), were(tally.not_kept));
        _ = write!(text, " {jobs} {were} neither judged nor kept.");
    }
    if tally.duplicates > 0 {
        let records = counted(tally.duplicates, "record");
        _ = write!(text, " {records} named a job twice and changed nothing.");
    }
    if tally.bad_records > 0 {
        let records = counted(tally.bad_records, "record");
        _ = write!(text, " {records} could not be read: see the warnings.");
    }
    text
}

fn were(count: u64) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

/// What the verdicts do not rest on.
fn coverage(text: &mut String, tally: &Tally, off: &SwitchedOff) {
    let (judged, streams) = (tally.streams_judged, tally.streams);
    let (who, whose) = match judged {
        0 => ("No stream was".to_owned(), "its"),
        _ if judged == streams => ("Every stream was".to_owned(), "its"),
        1 => (format!("1 of {streams} streams was"), "its"),
        _ => (format!("{judged} of {streams} streams were"), "their"),
    };
    let nothing_off = off.is_nothing();
    let everything =
        judged > 0 && nothing_off && tally.unseen.is_empty() && tally.partly_unseen.is_empty();
    let on = if everything {
        format!("all {whose} features")
    } else {
        format!("{whose} history")
    };
    _ = write!(text, " {who} judged on {on}.");
    if !tally.unseen.is_empty() {
        _ = write!(
            text,
            " Not reported, so not judged: {}.",
            labels(&tally.unseen)
        );
    }
    if !tally.partly_unseen.is_empty() {
        _ = write!(
            text,
            " Reported by some jobs only: {}.",
            labels(&tally.partly_unseen)
        );
    }
    if !nothing_off {
        let names: Vec<&str> = off.names().collect();
        _ = write!(text, " Switched off in the settings: {}.", names.join(", "));
    }
    text.push_str(&off.loosened_in_words());
}

fn labels(names: &BTreeSet<FeatureName>) -> String {
    let label = |name: &FeatureName| match feature(name.as_str()) {
        Some(feature) => feature.label.to_owned(),
        None => name.to_string(),
    };
    // To count a single one is no shorter than to name it.
    let shown = match names.len() {
        few if few <= SHOWN_NAMES + 1 => few,
        _ => SHOWN_NAMES,
    };
    let text: Vec<String> = names.iter().take(shown).map(label).collect();
    let text = text.join(", ");
    match names.len() - shown {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_name_is_not_counted() {
        let names = |count: usize| {
            let names = (0..count).map(|number| FeatureName::new(format!("f{number:02}")));
            labels(&names.map(Result::unwrap).collect())
        };
        assert!(names(9).ends_with("f07, f08"), "{}", names(9));
        assert!(names(10).ends_with("f07 and 2 more"), "{}", names(10));
    }
}
