//! Which format an input is in, by its content.

use crate::input::{EMPTY, check_line_feeds, check_text};
use crate::{Format, Head, SourceError};

/// The format of an input, and what shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recognised {
    /// The format.
    pub format: Format,
    /// What shows it, for a message: "it has lines with `source`, `job_id` and `started_at`".
    pub because: &'static str,
}

/// Finds out the format of an input that begins with `head`.
///
/// `head` may end anywhere; what one `fill_buf` of a `BufReader` gives is plenty.
///
/// ```
/// use anomaly_sources::{Format, recognise};
///
/// let recognised = recognise(br#"[{"time":"2026-11-22T03:00:00Z","tree":"588d","paths":["/ho"#)?;
/// assert_eq!(recognised.format, Format::ResticSnapshots);
/// # Ok::<(), anomaly_sources::SourceError>(())
/// ```
///
/// # Errors
/// [`SourceError`] when the input is empty, is not text, or when no format or more than one fits.
pub fn recognise(head: &[u8]) -> Result<Recognised, SourceError> {
    let head = Head::new(head);
    check_text(head.text())?;
    let recognised = |format: &Format| {
        let because = format.source().recognise(&head)?;
        Some(Recognised {
            format: *format,
            because,
        })
    };
    let candidates: Vec<Recognised> = Format::ALL.iter().filter_map(recognised).collect();
    match candidates.as_slice() {
        [] if head.text().is_empty() => Err(EMPTY),
        // Many a tool prints one for an empty repository.
        [] if head.is_empty_list() => Err(SourceError::Empty {
            reason: "the list is empty",
        }),
        [] => Err(SourceError::Unrecognised),
        [recognised] => {
            // Their first line would be all there is, and is no record.
            if matches!(recognised.format, Format::Csv | Format::BareosCatalogue) {
                check_line_feeds(head.text())?;
            }
            Ok(*recognised)
        }
        _ => Err(SourceError::Ambiguous {
            candidates: candidates
                .iter()
                .map(|candidate| candidate.format)
                .collect(),
        }),
    }
}
