//! Output for programs.

use std::fmt::Write as _;
use std::io::{BufWriter, Write};

use anomaly_features::AnomalyType;
use anomaly_model::{Anomaly, Verdict};
use serde::Serialize;

use crate::exit::Failure;
use crate::scan::Found;
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

    /// An anomaly with NetBackup's type.
    #[derive(Serialize)]
    struct Typed<'a> {
        anomaly_type: Option<&'static str>,
        #[serde(flatten)]
        anomaly: &'a Anomaly,
    }

    let typed = |anomaly: &'a Anomaly| Typed {
        anomaly_type: AnomalyType::of(&anomaly.verdict).map(AnomalyType::as_str),
        anomaly,
    };
    let anomalies = found.anomalies.iter();
    let anomalies = anomalies.map(|found| typed(&found.anomaly)).collect();
    let document = Document {
        tally: &found.tally,
        switched_off: &found.off,
        anomalies,
    };
    write_lines(out, [serde_json::to_string_pretty(&document)])
}

/// One verdict record a line.
pub(super) fn verdicts(out: impl Write, verdicts: &[Verdict]) -> Result<(), Failure> {
    write_lines(out, verdicts.iter().map(serde_json::to_string))
}

pub(crate) fn write_lines(
    out: impl Write,
    lines: impl IntoIterator<Item = serde_json::Result<String>>,
) -> Result<(), Failure> {
    let mut out = BufWriter::new(out);
    for line in lines {
        writeln!(out, "{}", escaped(&line?))?;
    }
    Ok(out.flush()?)
}

/// The same JSON, with what could harm a terminal escaped. It only stands inside of strings, since
/// between values JSON has no such characters but line ends.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if harmful(c) && c != '\n' {
            _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}
