//! The beginning of an input, looked into far enough to tell which format it is in.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::input::trim_start;

/// More than this says nothing new.
const HEAD_BYTES: usize = 1 << 16;
/// Deeper in a document than this, nothing tells formats apart.
const MAX_DEPTH: usize = 6;

/// The first bytes of an input, and the keys of the JSON in them.
///
/// The bytes may end anywhere. A key is named by its path: `hostname`, `archive.stats.nfiles`, and
/// with `[]` for the elements of a list: `[].tree`, `data[].attributes`.
#[derive(Debug, Clone)]
pub struct Head<'a> {
    text: &'a [u8],
    document: Paths,
    lines: Vec<Paths>,
}

type Paths = BTreeSet<String>;

impl<'a> Head<'a> {
    /// Looks into the first bytes of an input.
    #[must_use]
    pub fn new(head: &'a [u8]) -> Self {
        let head = trim_start(head);
        let text = &head[..head.len().min(HEAD_BYTES)];
        let lines = text.split(|&byte| byte == b'\n');
        let objects = lines.filter(|line| line.trim_ascii_start().starts_with(b"{"));
        Self {
            text,
            document: paths(text),
            lines: objects.map(paths).collect(),
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

    /// Whether the first JSON document of the input, on however many lines, has all these keys.
    #[must_use]
    pub fn has(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| self.document.contains(*key))
    }

    /// Whether some line is a JSON object that has all these keys and `without` none of those. A
    /// bad line at the beginning does not hide the others.
    #[must_use]
    pub fn has_line(&self, keys: &[&str], without: &[&str]) -> bool {
        self.lines.iter().any(|line| {
            let has = |key: &&str| line.contains(*key);
            keys.iter().all(has) && !without.iter().any(has)
        })
    }

    /// Whether all there is is an empty list.
    pub(crate) fn is_empty_list(&self) -> bool {
        let inside = self.text.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
        inside.is_some_and(|text| text.starts_with(b"]"))
    }
}

/// The paths of the keys in the first value of `json`, as far as it goes before it ends or goes
/// wrong.
fn paths(json: &[u8]) -> Paths {
    let mut paths = Paths::new();
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let seed = Keys {
        paths: &mut paths,
        within: "",
        depth: 0,
    };
    // What came before an error is kept, and is all that is wanted.
    _ = seed.deserialize(&mut deserializer);
    paths
}

struct Keys<'a> {
    paths: &'a mut Paths,
    within: &'a str,
    depth: usize,
}

impl Keys<'_> {
    fn inside<'a>(&'a mut self, path: &'a str) -> Keys<'a> {
        Keys {
            paths: self.paths,
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
        while let Some(key) = map.next_key::<String>()? {
            let dot = if self.within.is_empty() { "" } else { "." };
            let path = format!("{}{dot}{key}", self.within);
            self.paths.insert(path.clone());
            map.next_value_seed(self.inside(&path))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        let path = format!("{}[]", self.within);
        while list.next_element_seed(self.inside(&path))?.is_some() {
            self.paths.insert(path.clone());
        }
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

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
