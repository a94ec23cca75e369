//! Output for programs.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{BufWriter, Write};

use anomaly_features::AnomalyType;
use anomaly_model::{Anomaly, JobRef};
use serde::Serialize;

use crate::exit::Failure;
use crate::found::{Found, FoundAnomaly};
use crate::switched_off::SwitchedOff;
use crate::tally::Tally;
use crate::terminal::harmful;

/// One document: what was counted, and the anomalies.
pub(super) fn document<'a>(out: impl Write, found: &'a Found) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Document<'a> {
        #[serde(flatten)]
        tally: &'a Tally,
        switched_off: &'a SwitchedOff,
        anomalies: Vec<Typed<'a>>,
    }

    /// An anomaly with NetBackup's type, and the last job before its incident.
    #[derive(Serialize)]
    struct Typed<'a> {
        anomaly_type: Option<&'static str>,
        #[serde(flatten)]
        anomaly: &'a Anomaly,
        last_clean: Option<&'a JobRef>,
    }

    let typed = |found: &'a FoundAnomaly| Typed {
        anomaly_type: AnomalyType::of(&found.anomaly.verdict).map(AnomalyType::as_str),
        anomaly: &found.anomaly,
        last_clean: found.last_clean.as_ref(),
    };
    let anomalies = found.anomalies.iter().map(typed).collect();
    let document = Document {
        tally: &found.tally,
        switched_off: &found.off,
        anomalies,
    };
    pretty(out, &document)
}

/// One document, in lines that people can read.
pub(crate) fn pretty(mut out: impl Write, document: &impl Serialize) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(document)?;
    writeln!(out, "{}", escaped(&json))?;
    Ok(out.flush()?)
}

/// A record on a line of its own.
pub(crate) fn line(out: &mut impl Write, record: &impl Serialize) -> Result<(), Failure> {
    let json = serde_json::to_string(record)?;
    Ok(writeln!(out, "{}", escaped(&json))?)
}

/// One record a line.
pub(super) fn lines<T: Serialize>(out: impl Write, records: &[T]) -> Result<(), Failure> {
    let mut out = BufWriter::new(out);
    for record in records {
        line(&mut out, record)?;
    }
    Ok(out.flush()?)
}

/// The same JSON, with what could harm a terminal escaped. It only stands inside of strings, since
/// between values JSON has no such characters but line ends.
fn escaped(json: &str) -> Cow<'_, str> {
    if !json.contains(|c| harmful(c) && c != '\n') {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if harmful(c) && c != '\n' {
            _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}
