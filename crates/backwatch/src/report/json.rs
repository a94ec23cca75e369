//! Output for programs.

use std::io::{BufWriter, Write};

use anomaly_model::{Anomaly, Verdict};
use serde::Serialize;

use crate::exit::Failure;
use crate::scan::Found;
use crate::tally::Tally;

/// One document: what was counted, and the anomalies.
pub(super) fn document(out: &mut impl Write, found: &Found) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Document<'a> {
        #[serde(flatten)]
        tally: &'a Tally,
        anomalies: &'a [Anomaly],
    }
    let document = Document {
        tally: &found.tally,
        anomalies: &found.anomalies,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    Ok(writeln!(out)?)
}

/// One verdict record a line.
pub(super) fn verdicts(out: &mut impl Write, verdicts: &[Verdict]) -> Result<(), Failure> {
    let mut out = BufWriter::new(out);
    for verdict in verdicts {
        serde_json::to_writer(&mut out, verdict)?;
        writeln!(out)?;
    }
    Ok(out.flush()?)
}
