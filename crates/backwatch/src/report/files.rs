//! The files that an anomaly shows itself in.

use anomaly_model::NotableFile;

use crate::terminal::harmless;

/// More files than this are counted, not shown; those that a verdict keeps are in the other outputs.
const SHOWN_FILES: usize = 8;

/// One line per file, the weightiest first, and how many more there are.
pub(super) fn lines(files: &[NotableFile]) -> Vec<String> {
    let mut lines: Vec<String> = files.iter().take(SHOWN_FILES).map(line).collect();
    if let Some(more @ 1..) = files.len().checked_sub(SHOWN_FILES) {
        lines.push(format!("... and {more} more; --output json names them"));
    }
    lines
}

/// A file, and what is notable about it.
pub(crate) fn line(file: &NotableFile) -> String {
    let before = file.previous_path.as_deref();
    let before = before.map_or_else(String::new, |before| format!(" (was {before})"));
    let reasons: Vec<&str> = file
        .reasons
        .iter()
        .map(|reason| reason.in_words())
        .collect();
    let entropy = match (file.entropy_bits_before, file.entropy_bits) {
        (Some(before), Some(now)) => format!(", entropy {before:.2} to {now:.2} bits"),
        (None, Some(now)) => format!(", entropy {now:.2} bits"),
        _ => String::new(),
    };
    let text = format!("{}{before}: {}{entropy}", file.path, reasons.join(", "));
    harmless(&text).into_owned()
}
