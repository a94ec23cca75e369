//! One row per anomaly, for comparing many.

use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use crate::found::Found;
use crate::report::{summary, text};
use crate::terminal::harmless;

/// A table as wide as the terminal, without lines.
pub(crate) fn plain<const COLUMNS: usize>(header: [&str; COLUMNS]) -> Table {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    table
}

pub(super) fn print(out: &mut impl Write, found: &Found) -> io::Result<()> {
    let mut table = plain([
        "severity",
        "when (UTC)",
        "client",
        "policy",
        "schedule",
        "score",
        "kind",
        "job",
    ]);
    for anomaly in &found.anomalies {
        let verdict = &anomaly.anomaly.verdict;
        let cell = |text: &str| Cell::new(harmless(text));
        let score = text::score(verdict).unwrap_or_default();
        table.add_row([
            cell(
                verdict
                    .severity()
                    .map_or("", anomaly_model::Severity::as_str),
            ),
            cell(&text::when(verdict.started_at)),
            cell(verdict.client.as_str()),
            cell(verdict.policy.as_str()),
            cell(
                verdict
                    .schedule_type
                    .map_or("", anomaly_model::ScheduleType::as_str),
            ),
            cell(&score).set_alignment(CellAlignment::Right),
            cell(
                verdict
                    .kind()
                    .map_or("", anomaly_model::AnomalyKind::as_str),
            ),
            cell(verdict.job_id.as_str()),
        ]);
    }
    if !found.anomalies.is_empty() {
        writeln!(out, "{}", table.trim_fmt())?;
        writeln!(out)?;
    }
    summary::print(out, found)
}
