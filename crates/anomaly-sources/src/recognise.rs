//! Which format an input is in, by its content.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::opening::{EMPTY, check_text, trim_start};
use crate::{Format, SourceError};

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
    let head = trim_start(head);
    check_text(head)?;
    let candidates: Vec<Recognised> = if head.starts_with(b"[") {
        of_list(head).into_iter().collect()
    } else {
        of_lines(head)
    };
    match candidates.as_slice() {
        [] if head.is_empty() => Err(EMPTY),
        [] => Err(SourceError::Unrecognised),
        [recognised] => Ok(*recognised),
        _ => Err(SourceError::Ambiguous {
            candidates: candidates
                .iter()
                .map(|candidate| candidate.format)
                .collect(),
        }),
    }
}

fn of_list(head: &[u8]) -> Option<Recognised> {
    // An empty repository has an empty list.
    let is_empty = head[1..].trim_ascii_start().starts_with(b"]");
    (is_empty || has_all(&keys(head), &["time", "tree", "paths"])).then_some(Recognised {
        format: Format::ResticSnapshots,
        because: "it is a list of objects with `time`, `tree` and `paths`",
    })
}

/// Every format that a line is in: a bad line at the beginning does not hide the others.
fn of_lines(head: &[u8]) -> Vec<Recognised> {
    let mut found = Vec::new();
    for line in head.split(|&byte| byte == b'\n') {
        let keys = keys(line);
        let mut add = |recognised| {
            if !found.contains(&recognised) {
                found.push(recognised);
            }
        };
        if has_all(&keys, &["source", "job_id", "started_at"]) {
            add(Recognised {
                format: Format::Ndjson,
                because: "it has lines with `source`, `job_id` and `started_at`",
            });
        }
        // `restic ls` writes `message_type` too, beside `struct_type`.
        if has_all(&keys, &["message_type"]) && !has_all(&keys, &["struct_type"]) {
            add(Recognised {
                format: Format::ResticBackup,
                because: "it has lines with `message_type`",
            });
        }
    }
    found
}

fn has_all(keys: &[String], wanted: &[&str]) -> bool {
    wanted
        .iter()
        .all(|wanted| keys.iter().any(|key| key == wanted))
}

/// The keys of the object that `json` is, or of the first object in the list that it is, as far as
/// `json` goes before it ends or goes wrong.
fn keys(json: &[u8]) -> Vec<String> {
    let mut keys = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    // What came before an error is kept, and is all that is wanted.
    _ = Keys(&mut keys).deserialize(&mut deserializer);
    keys
}

struct Keys<'a>(&'a mut Vec<String>);

impl<'de> DeserializeSeed<'de> for Keys<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, or a list of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key()? {
            self.0.push(key);
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        list.next_element_seed(Keys(self.0))?;
        Ok(())
    }
}
