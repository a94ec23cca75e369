//! What a walk found.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use anomaly_features::{Unit, counted};
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{BackupImage, BackupJob, FileInspection};
use anomaly_walk::{WalkWarning, Walked};
use serde::Serialize;

use crate::exit::Failure;
use crate::report::files;
use crate::report::json::{line, pretty};
use crate::report::text::{when, wrapped};
use crate::terminal::harmless;

/// A job record, in one line.
pub(super) fn record(mut out: impl Write, job: &BackupJob) -> Result<(), Failure> {
    line(&mut out, job)
}

/// One document, with the fields of a job record that a walk can fill in.
pub(super) fn document(out: impl Write, walked: &Walked) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Document<'a> {
        directory: String,
        previous_walk_at: Option<DateTime<Utc>>,
        #[serde(flatten)]
        image: &'a BackupImage,
        inspection: &'a FileInspection,
        read_bytes: u64,
        warnings: Vec<String>,
    }
    let document = Document {
        directory: shown(walked.directory()),
        previous_walk_at: walked.previous(),
        image: walked.image(),
        inspection: walked.inspection(),
        read_bytes: walked.read_bytes(),
        warnings: walked
            .warnings()
            .iter()
            .map(WalkWarning::to_string)
            .collect(),
    };
    pretty(out, &document)
}

/// A summary for people.
pub(super) fn text(out: &mut impl Write, walked: &Walked) -> io::Result<()> {
    let image = walked.image();
    let headline = format!(
        "{}: {} in {}, {}",
        shown(walked.directory()),
        many_files(image.file_count),
        Unit::Directories.format(number(image.directory_count)),
        bytes(image.image_bytes),
    );
    writeln!(out, "{}\n", harmless(&headline))?;
    for line in wrapped(&summary(walked), "") {
        writeln!(out, "{line}")?;
    }
    let notable = &walked.inspection().notable_files;
    if !notable.is_empty() {
        writeln!(out, "\nThe files that weigh most:")?;
    }
    for file in notable {
        writeln!(out, "  {}", files::line(file))?;
    }
    if !walked.warnings().is_empty() {
        writeln!(out, "\nNot seen, or not as it is now:")?;
    }
    for warning in walked.warnings() {
        writeln!(out, "  {}", harmless(&warning.to_string()))?;
    }
    Ok(())
}

/// What changed, what was written, and what was not seen.
fn summary(walked: &Walked) -> String {
    let (image, inspection) = (walked.image(), walked.inspection());
    let content = image.content.unwrap_or_default();
    let mut text = match walked.previous() {
        Some(previous) => format!(
            "Since the walk of {} UTC: {} new, {} changed, {} deleted, {} as before.",
            when(previous),
            many_files(image.files_new),
            image.files_changed.unwrap_or_default(),
            image.files_deleted.unwrap_or_default(),
            image.files_unmodified.unwrap_or_default(),
        ),
        None => {
            "The first walk: all files count as new, and the next one says what changed.".into()
        }
    };
    if let Some(written) = content.written_bytes.filter(|bytes| *bytes > 0) {
        _ = write!(
            text,
            " New and changed files hold {}, of which {} were read.",
            bytes(Some(written)),
            bytes(Some(walked.read_bytes())),
        );
    }
    if let Some(entropy) = content.mean_entropy_bits {
        _ = write!(
            text,
            " Their mean entropy is {}.",
            Unit::Bits.format(entropy)
        );
    }
    let told = [
        (content.random_files, "look random"),
        (inspection.partly_random_files, "look random in parts"),
        (inspection.encoded_files, "look like random bytes, encoded"),
        (inspection.contradicting_files, "contradict their type"),
        (inspection.ransom_note_files, "are named like ransom notes"),
        (content.renamed_files, "were renamed"),
        (content.emptied_files, "are empty"),
    ];
    let told: Vec<String> = told
        .into_iter()
        .filter_map(|(count, what)| Some((count.filter(|count| *count > 0)?, what)))
        .map(|(count, what)| format!("that {what}: {count}"))
        .collect();
    if !told.is_empty() {
        _ = write!(text, " Files {}.", told.join(", "));
    }
    if let Some(unreadable @ 1..) = inspection.unreadable_files {
        _ = write!(
            text,
            " Files and directories that could not be read: {unreadable}."
        );
    }
    if let Some(unsteady @ 1..) = inspection.unsteady_files {
        _ = write!(
            text,
            " Files that vanished, or changed while they were read: {unsteady}."
        );
    }
    text
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn number(count: Option<u64>) -> f64 {
    count.unwrap_or_default() as f64
}

fn many_files(count: Option<u64>) -> String {
    counted(count.unwrap_or_default(), "file")
}

fn bytes(count: Option<u64>) -> String {
    Unit::Bytes.format(number(count))
}
