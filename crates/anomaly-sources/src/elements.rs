//! The elements of a JSON list, one at a time, none longer than it may be.
//!
//! Only brackets and strings are followed here, so that an element which is not what it should be
//! costs nothing but itself.

use std::io::{BufRead, ErrorKind};

use crate::raw_record::RawRecord;
use crate::{Place, ReadOptions, SourceError};

/// The elements of the lists that an input consists of: usually one list, several where the output
/// of several runs was put into one file.
#[derive(Debug)]
pub(crate) struct Elements<I> {
    text: I,
    scanner: Scanner,
}

impl<I: BufRead> Elements<I> {
    /// The elements of `text`, of which the first line has the number `line`.
    pub(crate) fn new(text: I, line: u64, options: &ReadOptions) -> Self {
        let scanner = Scanner {
            state: State::Outside,
            line,
            place: Place {
                line,
                element: Some(0),
            },
            element: Vec::new(),
            max_bytes: options.max_record_bytes,
        };
        Self { text, scanner }
    }

    /// The next element; `None` at the end of the input.
    pub(crate) fn next(&mut self) -> Result<Option<RawRecord<'_>>, SourceError> {
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
        let (place, max_bytes) = (scanner.place, scanner.max_bytes);
        Ok(found.map(|found| match found {
            Found::Element => RawRecord::new(place, &scanner.element, max_bytes),
            Found::Fault(message) => RawRecord::bad(Place::line(scanner.line), message),
        }))
    }
}

#[derive(Debug)]
struct Scanner {
    state: State,
    /// The line of the next byte, from 1.
    line: u64,
    /// Where the last element began.
    place: Place,
    /// The last element; at most one byte more than `max_bytes` of it.
    element: Vec<u8>,
    max_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// Outside of every list.
    Outside,
    /// After `[` or a comma.
    Before,
    /// In an element, so many brackets deep.
    Within(u64),
    /// In a string of an element, so many brackets deep.
    Text(u64),
    /// After a backslash in a string of an element, so many brackets deep.
    Escape(u64),
    /// Nothing more is read.
    Ended,
}

enum Found {
    Element,
    Fault(&'static str),
}

impl Scanner {
    /// Reads up to the end of an element; says how many bytes that took.
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
        use State::{Before, Ended, Escape, Outside, Text, Within};
        self.state = match (self.state, byte) {
            (Ended, _) => Ended,
            (Outside | Before, b' ' | b'\t' | b'\r' | b'\n') => return None,
            (Outside, b'[') | (Before, b',') => Before,
            (Outside, _) => {
                self.state = Ended;
                return Some(Found::Fault(
                    "text after the end of the list: it was not read",
                ));
            }
            (Before, b']') => Outside,
            (Within(0), b',') => {
                self.state = Before;
                return Some(Found::Element);
            }
            (Within(0), b']') => {
                self.state = Outside;
                return Some(Found::Element);
            }
            (Before, _) => {
                self.element.clear();
                self.place.line = self.line;
                self.place.element = self.place.element.map(|number| number + 1);
                self.keep(byte);
                after(0, byte)
            }
            (Within(depth), _) => {
                self.keep(byte);
                after(depth, byte)
            }
            (Text(depth), _) => {
                self.keep(byte);
                match byte {
                    b'\\' => Escape(depth),
                    // No string has a line feed in it: one that was cut ends with its line.
                    b'"' | b'\n' => Within(depth),
                    _ => Text(depth),
                }
            }
            (Escape(depth), _) => {
                self.keep(byte);
                Text(depth)
            }
        };
        None
    }

    fn keep(&mut self, byte: u8) {
        if self.element.len() <= self.max_bytes {
            self.element.push(byte);
        }
    }

    /// What the end of the input leaves; whoever reads an element that was cut will notice.
    fn end(&mut self) -> Option<Found> {
        let (state, found) = match self.state {
            State::Outside | State::Ended => (State::Ended, None),
            State::Before => (State::Ended, Some(Found::Fault("the list is cut off here"))),
            State::Within(0) => (State::Before, Some(Found::Element)),
            State::Within(_) | State::Text(_) | State::Escape(_) => {
                (State::Ended, Some(Found::Element))
            }
        };
        self.state = state;
        found
    }
}

/// The state after `byte` of an element, `depth` brackets deep and not in a string.
fn after(depth: u64, byte: u8) -> State {
    match byte {
        b'[' | b'{' => State::Within(depth + 1),
        b']' | b'}' => State::Within(depth.saturating_sub(1)),
        b'"' => State::Text(depth),
        _ => State::Within(depth),
    }
}
