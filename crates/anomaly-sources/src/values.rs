//! The values at some places of JSON documents, one at a time, none longer than it may be.
//!
//! Only brackets and strings are followed here, so that a value which is not what it should be
//! costs nothing but itself.

use std::io::ErrorKind;

use crate::input::Text;
use crate::raw_record::RawRecord;
use crate::{Input, Place, ReadOptions, Record, RecordError, Records, SourceError};

/// Where a value is in its document: keys of objects, and [`ELEMENT`] for any element of a list.
/// `&["data", ELEMENT]` is every element of the list under `data`; `&[]` is the document.
pub(crate) type Path = &'static [&'static str];

/// Any element of a list.
pub(crate) const ELEMENT: &str = "[]";

/// Longer keys are not looked for.
pub(crate) const MAX_KEY_BYTES: usize = 64;

/// The wanted values of the documents that an input consists of: usually one, several where the
/// output of several runs was put into one file.
pub(crate) struct Values<'a> {
    text: Text<'a>,
    scanner: Scanner,
}

/// A value, or something that should not be where it is.
pub(crate) struct Value<'a> {
    /// Which of the wanted paths led to it.
    pub(crate) path: usize,
    /// In which document it is, from 1. Each element of a list of documents is one, too.
    pub(crate) document: u64,
    /// Whether it is a line of text outside of every document, or a document of another kind.
    pub(crate) is_stray: bool,
    pub(crate) raw: RawRecord<'a>,
}

impl<'a> Values<'a> {
    /// The values to which one of the `wanted` paths leads, of which there may be 32.
    ///
    /// Where one path is the beginning of another, a list is what the longer one leads into, and an
    /// object is that if its first key leads on: a whole value otherwise.
    pub(crate) fn new(input: Input<'a>, wanted: &'static [Path], options: &ReadOptions) -> Self {
        let scanner = Scanner {
            wanted,
            state: State::Outside,
            levels: Vec::new(),
            key: Vec::new(),
            kept: None,
            line: input.line,
            begin: input.line,
            elements: 0,
            documents: 0,
            value: Vec::new(),
            max_bytes: options.max_record_bytes,
        };
        Self {
            text: input.text,
            scanner,
        }
    }

    /// What `read` makes of each value; without any record the input is `empty`.
    pub(crate) fn records(
        mut self,
        empty: &'static str,
        mut read: impl FnMut(Value<'_>) -> Result<Option<Record>, RecordError> + 'a,
    ) -> Records<'a> {
        let mut is_empty = true;
        let mut next = move || {
            while let Some(value) = self.next()? {
                let record = read(value).unwrap_or_else(|error| Some(Record::Bad(error)));
                if record.is_some() {
                    is_empty = false;
                    return Ok(record);
                }
            }
            let error = SourceError::Empty { reason: empty };
            if is_empty { Err(error) } else { Ok(None) }
        };
        Box::new(std::iter::from_fn(move || next().transpose()))
    }

    /// The next value; `None` at the end of the input.
    pub(crate) fn next(&mut self) -> Result<Option<Value<'_>>, SourceError> {
        let scanner = &mut self.scanner;
        let found = loop {
            let chunk = match self.text.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(source) => {
                    return Err(SourceError::Unreadable {
                        line: scanner.line,
                        source,
                    });
                }
            };
            if chunk.is_empty() {
                break scanner.end();
            }
            let (used, found) = scanner.scan(chunk);
            self.text.consume(used);
            if found.is_some() {
                break found;
            }
        };
        Ok(found.map(|found| self.scanner.value(&found)))
    }
}

struct Scanner {
    wanted: &'static [Path],
    state: State,
    /// The containers that are open and lead to wanted values, from the outermost.
    levels: Vec<Level>,
    /// The last key of the innermost of them.
    key: Vec<u8>,
    /// Which path led to the value that is read, if it is wanted.
    kept: Option<usize>,
    /// The line of the next byte, from 1.
    line: u64,
    /// The line on which the last value began.
    begin: u64,
    /// How many elements of lists were found.
    elements: u64,
    /// How many documents, or elements of lists of them, were begun.
    documents: u64,
    /// The last wanted value; at most one byte more than `max_bytes` of it.
    value: Vec<u8>,
    max_bytes: usize,
}

#[derive(Debug, Clone, Copy)]
struct Level {
    is_list: bool,
    /// The wanted paths that lead here: bit n for path n.
    paths: u32,
    /// The path to the object as a whole, while its first key is not known, and its first line.
    whole: Option<(usize, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// Outside of every document.
    Outside,
    /// In a line of text outside of every document.
    Stray,
    /// Before a value of a list, or a key of an object, or the end of one.
    Before,
    /// In a key.
    Key,
    /// After a backslash in a key.
    KeyEscape,
    /// Between a key and its value.
    Colon,
    /// In a value, so many brackets deep.
    Within(u64),
    /// In a string of a value, so many brackets deep.
    Text(u64),
    /// After a backslash in a string of a value, so many brackets deep.
    Escape(u64),
    /// Nothing more is read.
    Ended,
}

enum Found {
    Value(usize),
    Stray,
    Fault(&'static str),
}

impl Scanner {
    /// Reads up to the end of a wanted value; says how many bytes that took.
    fn scan(&mut self, chunk: &[u8]) -> (usize, Option<Found>) {
        for (i, &byte) in chunk.iter().enumerate() {
            let found = self.step(byte);
            self.line += u64::from(byte == b'\n');
            if found.is_some() {
                return (i + 1, found);
            }
        }
        (chunk.len(), None)
    }

    fn step(&mut self, byte: u8) -> Option<Found> {
        match self.state {
            State::Ended => None,
            State::Outside => self.outside(byte),
            State::Stray => {
                if byte == b'\n' {
                    self.state = State::Outside;
                }
                None
            }
            State::Before => self.before(byte),
            State::Key => {
                self.keep_undecided(byte);
                match byte {
                    b'"' => self.state = State::Colon,
                    b'\\' => self.state = State::KeyEscape,
                    _ => self.keep_key(byte),
                }
                None
            }
            State::KeyEscape => {
                self.keep_undecided(byte);
                self.keep_key(byte);
                self.state = State::Key;
                None
            }
            State::Colon if byte.is_ascii_whitespace() || byte == b':' => {
                self.keep_undecided(byte);
                None
            }
            State::Colon => self.begin_value(byte),
            State::Within(depth) => self.within(depth, byte),
            State::Text(depth) => {
                self.keep(byte);
                self.state = match byte {
                    b'\\' => State::Escape(depth),
                    // No string has a line feed in it: one that was cut ends with its line.
                    b'"' | b'\n' => State::Within(depth),
                    _ => State::Text(depth),
                };
                None
            }
            State::Escape(depth) => {
                self.keep(byte);
                self.state = State::Text(depth);
                None
            }
        }
    }

    fn outside(&mut self, byte: u8) -> Option<Found> {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => None,
            b'[' | b'{' => self.begin_value(byte),
            _ => {
                self.begin = self.line;
                self.state = State::Stray;
                Some(Found::Stray)
            }
        }
    }

    fn before(&mut self, byte: u8) -> Option<Found> {
        let is_list = self.levels.last().is_some_and(|level| level.is_list);
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => self.keep_undecided(byte),
            b']' if is_list => self.leave(),
            _ if is_list => return self.begin_value(byte),
            b'"' => {
                self.keep_undecided(byte);
                self.key.clear();
                self.state = State::Key;
            }
            _ if self.is_undecided() => return self.go_on_as_whole(byte),
            b'}' => self.leave(),
            _ => {
                self.state = State::Ended;
                return Some(Found::Fault(
                    "not valid JSON here, between two values: what follows was not read",
                ));
            }
        }
        None
    }

    fn within(&mut self, depth: u64, byte: u8) -> Option<Found> {
        let is_list = self.levels.last().is_some_and(|level| level.is_list);
        if depth == 0 {
            match byte {
                b',' => {
                    self.state = State::Before;
                    return self.kept.map(Found::Value);
                }
                b']' if is_list => {
                    self.leave();
                    return self.kept.map(Found::Value);
                }
                b'}' if !is_list => {
                    self.leave();
                    return self.kept.map(Found::Value);
                }
                _ => {}
            }
        }
        self.keep(byte);
        self.state = after(depth, byte);
        // A document ends with its last bracket.
        if self.levels.is_empty() && self.state == State::Within(0) {
            self.state = State::Outside;
            return self.kept.map(Found::Value);
        }
        None
    }

    /// The first byte of a value: one to go into, one that is wanted, or one to pass over.
    fn begin_value(&mut self, byte: u8) -> Option<Found> {
        let paths = self.paths();
        if self.is_undecided() {
            if paths == 0 {
                return self.go_on_as_whole(byte);
            }
            if let Some(level) = self.levels.last_mut() {
                level.whole = None;
            }
        }
        self.begin = self.line;
        if let [] | [Level { is_list: true, .. }] = self.levels.as_slice() {
            self.documents += 1;
        }
        let steps = self.levels.len();
        let leads_on = |path: &Path| {
            let step = path.get(steps);
            step.is_some_and(|step| (*step == ELEMENT) == (byte == b'['))
        };
        let leads_on = matches!(byte, b'[' | b'{') && self.any(paths, leads_on);
        let mut wanted = (0..self.wanted.len()).filter(|n| paths & (1 << n) != 0);
        let whole = wanted.find(|n| self.wanted[*n].len() == steps);
        self.value.clear();
        if leads_on {
            let is_list = byte == b'[';
            let whole = whole.filter(|_| !is_list).map(|path| (path, self.begin));
            self.levels.push(Level {
                is_list,
                paths,
                whole,
            });
            self.state = State::Before;
            self.keep_undecided(byte);
            return None;
        }
        self.kept = whole;
        self.count_element();
        self.keep(byte);
        self.state = after(0, byte);
        let is_stray = self.levels.is_empty() && self.kept.is_none();
        is_stray.then_some(Found::Stray)
    }

    fn is_undecided(&self) -> bool {
        self.levels
            .last()
            .is_some_and(|level| level.whole.is_some())
    }

    /// The first key of the object leads nowhere, or is none: the object is a value.
    fn go_on_as_whole(&mut self, byte: u8) -> Option<Found> {
        let (path, begin) = self.levels.pop()?.whole?;
        self.begin = begin;
        self.kept = Some(path);
        self.count_element();
        self.state = State::Within(1);
        self.within(1, byte)
    }

    fn count_element(&mut self) {
        let is_in_list = self.levels.last().is_some_and(|level| level.is_list);
        self.elements += u64::from(is_in_list && self.kept.is_some());
    }

    /// The wanted paths that lead to the value that begins, or further through it.
    fn paths(&self) -> u32 {
        let Some(level) = self.levels.last() else {
            return u32::MAX;
        };
        let step = self.levels.len() - 1;
        let mut paths = 0;
        for (n, path) in self.wanted.iter().enumerate() {
            let leads_here = path.get(step).is_some_and(|wanted| {
                if level.is_list {
                    *wanted == ELEMENT
                } else {
                    wanted.as_bytes() == self.key
                }
            });
            if leads_here && level.paths & (1 << n) != 0 {
                paths |= 1 << n;
            }
        }
        paths
    }

    fn any(&self, paths: u32, is: impl Fn(&Path) -> bool) -> bool {
        let mut wanted = self.wanted.iter().enumerate();
        wanted.any(|(n, path)| paths & (1 << n) != 0 && is(path))
    }

    fn leave(&mut self) {
        self.levels.pop();
        self.state = if self.levels.is_empty() {
            State::Outside
        } else {
            State::Before
        };
    }

    fn keep(&mut self, byte: u8) {
        if self.kept.is_some() && self.value.len() <= self.max_bytes {
            self.value.push(byte);
        }
    }

    fn keep_undecided(&mut self, byte: u8) {
        if self.is_undecided() && self.value.len() <= self.max_bytes {
            self.value.push(byte);
        }
    }

    fn keep_key(&mut self, byte: u8) {
        if self.key.len() <= MAX_KEY_BYTES {
            self.key.push(byte);
        }
    }

    /// What the end of the input leaves; whoever reads a value that was cut will notice.
    fn end(&mut self) -> Option<Found> {
        if self.is_undecided() && self.state != State::Ended {
            _ = self.go_on_as_whole(b' ');
        }
        let cut = if self.levels.iter().any(|level| level.is_list) {
            "the list is cut off here"
        } else {
            "the document is cut off here"
        };
        let (state, found) = match self.state {
            State::Outside | State::Stray | State::Ended => (State::Ended, None),
            State::Within(0) if self.kept.is_some() => (State::Before, self.kept.map(Found::Value)),
            State::Within(_) | State::Text(_) | State::Escape(_) if self.kept.is_some() => {
                (State::Ended, self.kept.map(Found::Value))
            }
            _ => (State::Ended, Some(Found::Fault(cut))),
        };
        self.state = state;
        found
    }

    fn value(&self, found: &Found) -> Value<'_> {
        let (path, raw) = match found {
            Found::Value(path) => {
                let is_element = self.wanted[*path].contains(&ELEMENT);
                let place = Place {
                    line: self.begin,
                    element: is_element.then_some(self.elements),
                };
                let raw = RawRecord::new(place, &self.value, self.max_bytes);
                (*path, raw)
            }
            Found::Stray => {
                let message = "does not belong here";
                (0, RawRecord::bad(Place::line(self.begin), message))
            }
            Found::Fault(message) => (0, RawRecord::bad(Place::line(self.line), message)),
        };
        Value {
            path,
            document: self.documents,
            is_stray: matches!(found, Found::Stray),
            raw,
        }
    }
}

/// The state after `byte` of a value, `depth` brackets deep and not in a string.
fn after(depth: u64, byte: u8) -> State {
    match byte {
        b'[' | b'{' => State::Within(depth + 1),
        b']' | b'}' => State::Within(depth.saturating_sub(1)),
        b'"' => State::Text(depth),
        _ => State::Within(depth),
    }
}
