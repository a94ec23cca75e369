//! The beginning of an input, looked into far enough to tell which format it is in.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::input::trim_start;
use crate::values::MAX_KEY_BYTES;

/// More than this says nothing new.
const HEAD_BYTES: usize = 1 << 16;
/// Deeper in a document than this, nothing tells formats apart.
const MAX_DEPTH: usize = 6;

/// So many places that look like a document and are none are looked at.
const MAX_FAILURES: usize = 64;

/// The first bytes of an input, and the keys of the JSON documents in them.
///
/// The bytes may end anywhere, and lines of text may stand between the documents. A key is named by
/// its path: `hostname`, `archive.stats.nfiles`, and with `[]` for the elements of a list:
/// `[].tree`, `data[].attributes`.
#[derive(Debug, Clone)]
pub struct Head<'a> {
    text: &'a [u8],
    documents: Vec<Document>,
}

/// The keys of a document, and with them the texts that are their values.
#[derive(Debug, Clone, Default)]
struct Document {
    keys: BTreeSet<String>,
    texts: Vec<(String, String)>,
}

impl<'a> Head<'a> {
    /// Looks into the first bytes of an input.
    #[must_use]
    pub fn new(head: &'a [u8]) -> Self {
        let head = trim_start(head);
        let text = &head[..head.len().min(HEAD_BYTES)];
        Self {
            text,
            documents: documents(text),
        }
    }

    /// The bytes from the first character that is not blank, without a byte order mark.
    #[must_use]
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    /// The lines, of which the last may be cut.
    pub fn lines(&self) -> impl Iterator<Item = &'a [u8]> {
        let lines = self.text.split(|&byte| byte == b'\n');
        lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// Whether some document has all these keys.
    #[must_use]
    pub fn has(&self, keys: &[&str]) -> bool {
        self.has_but(keys, &[])
    }

    /// Whether some document has all these keys and none of those in `without`.
    #[must_use]
    pub fn has_but(&self, keys: &[&str], without: &[&str]) -> bool {
        self.documents.iter().any(|document| {
            let has = |key: &&str| document.keys.contains(*key);
            keys.iter().all(has) && !without.iter().any(has)
        })
    }

    /// Whether some document has all these keys in an object at the path `within`.
    #[must_use]
    pub fn has_below(&self, within: &str, keys: &[&str]) -> bool {
        self.documents.iter().any(|document| {
            let has = |key: &&str| document.keys.contains(&format!("{within}.{key}"));
            keys.iter().all(has)
        })
    }

    /// Whether some document has a key that `is` one in an object at the path `within`.
    pub(crate) fn has_key_below(&self, within: &str, is: impl Fn(&str) -> bool) -> bool {
        let mut keys = self.documents.iter().flat_map(|document| &document.keys);
        keys.any(|path| {
            let (before, key) = path.rsplit_once('.').unwrap_or(("", path));
            before == within && is(key)
        })
    }

    /// Whether some key of this name, wherever in a document, has a text that begins with `prefix`.
    #[must_use]
    pub fn has_text(&self, key: &str, prefix: &str) -> bool {
        let mut texts = self.documents.iter().flat_map(|document| &document.texts);
        texts.any(|(name, text)| name == key && text.starts_with(prefix))
    }

    /// Whether all there is is an empty list.
    pub(crate) fn is_empty_list(&self) -> bool {
        let inside = self.text.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
        inside.is_some_and(|text| text.starts_with(b"]"))
    }
}

/// What is in the documents of `text`, in each as far as it goes before it ends or goes wrong.
fn documents(mut text: &[u8]) -> Vec<Document> {
    let mut documents = Vec::new();
    let mut failures = 0;
    while failures < MAX_FAILURES {
        text = text.trim_ascii_start();
        if text.is_empty() {
            break;
        }
        let mut rest = text;
        let mut found = Document::default();
        let is_document = text.starts_with(b"{") || text.starts_with(b"[");
        let is_whole = is_document && {
            let seed = Keys {
                found: &mut found,
                within: "",
                depth: 0,
            };
            // What came before an error is kept.
            let whole = seed.deserialize(&mut serde_json::Deserializer::from_reader(&mut rest));
            documents.push(found);
            if whole.as_ref().is_err_and(serde_json::Error::is_eof) {
                break;
            }
            failures += usize::from(whole.is_err());
            whole.is_ok()
        };
        if !is_whole {
            // A bad line does not hide the others.
            rest = next_line(text);
            // An indented line behind the beginning of a document is a piece of it.
            while is_document && rest.first().is_some_and(u8::is_ascii_whitespace) {
                rest = next_line(rest);
            }
        }
        text = rest;
    }
    documents
}

/// What follows the first line.
fn next_line(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|&byte| byte == b'\n');
    end.and_then(|end| text.get(end + 1..)).unwrap_or_default()
}

struct Keys<'a> {
    found: &'a mut Document,
    within: &'a str,
    depth: usize,
}

impl Keys<'_> {
    fn inside<'a>(&'a mut self, path: &'a str) -> Keys<'a> {
        Keys {
            found: self.found,
            within: path,
            depth: self.depth + 1,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Keys<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.depth == MAX_DEPTH {
            deserializer.deserialize_ignored_any(IgnoredAny)?;
            return Ok(());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.found.keys.insert(self.within.to_owned());
        while let Some(key) = map.next_key::<String>()? {
            // No tool has such a key, and below it each path and text would have a copy of it.
            if key.len() > MAX_KEY_BYTES {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let dot = if self.within.is_empty() { "" } else { "." };
            let path = format!("{}{dot}{key}", self.within);
            self.found.keys.insert(path.clone());
            map.next_value_seed(self.inside(&path))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        self.found.keys.insert(self.within.to_owned());
        let path = format!("{}[]", self.within);
        while list.next_element_seed(self.inside(&path))?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if let Some(key) = self.within.rsplit('.').next() {
            self.found.texts.push((key.to_owned(), text.to_owned()));
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is kept of a head is a small multiple of it, whatever its keys are.
    #[test]
    fn a_long_key_costs_no_more_than_a_short_one() {
        let long = "k".repeat(HEAD_BYTES / 4);
        let texts = vec!["\"\""; HEAD_BYTES / 6].join(",");
        let keys: Vec<String> = (0..HEAD_BYTES / 20).map(|n| format!("\"{n}\":0")).collect();
        let keys = keys.join(",");
        for text in [
            format!("{{\"{long}\":[{texts}],\"a\":0}}"),
            format!("{{\"{long}\":{{{keys}}},\"a\":0}}"),
            format!("{{\"{}\":[{texts}],\"a\":0}}", &long[..MAX_KEY_BYTES]),
        ] {
            let head = Head::new(text.as_bytes());
            let kept: usize = head
                .documents
                .iter()
                .map(|document| {
                    let keys = document.keys.iter().map(String::len).sum::<usize>();
                    let texts = document.texts.iter();
                    keys + texts
                        .map(|(key, text)| key.len() + text.len())
                        .sum::<usize>()
                })
                .sum();
            assert!(kept < 64 * HEAD_BYTES, "{kept}");
            // What comes after it is looked at.
            assert!(head.has(&["a"]));
        }
    }
}
