//! The records of an input: most are one line, but a value can have a line end in it.

use std::collections::VecDeque;

use crate::lines::{Lines, text};
use crate::netbackup::bpdbjobs::columns::has_separator;
use crate::{Input, Place, ReadOptions, RecordError, SourceError};

/// A number and so many commas are meant to be a record, even if something else is wrong with it.
const RECORD_COMMAS: usize = 31;

/// A record before anyone looks into it.
pub(super) struct RawJob {
    /// Where its first line is.
    pub(super) place: Place,
    pub(super) text: Result<String, RecordError>,
    /// Whether the input ends in it, without the end of its line.
    pub(super) may_be_cut: bool,
}

/// The records of an input.
///
/// A line that does not begin like a record goes on with the one before it. Text after the last
/// column of that is not part of it, but a bad record.
pub(super) struct JobLines<'a> {
    lines: Lines<'a>,
    max_bytes: usize,
    open: Option<Open>,
    ready: VecDeque<RawJob>,
    end: Option<Result<(), SourceError>>,
}

/// A record that may go on.
struct Open {
    place: Place,
    text: String,
    /// Up to the last line in which a column ends.
    certain_bytes: usize,
    /// The first line after that.
    stray: Option<Place>,
}

impl<'a> JobLines<'a> {
    pub(super) fn new(input: Input<'a>, options: &ReadOptions) -> Self {
        Self {
            lines: Lines::new(input, options),
            max_bytes: options.max_record_bytes,
            open: None,
            ready: VecDeque::new(),
            end: None,
        }
    }

    /// The next record; `None` at the end of the input.
    pub(super) fn next(&mut self) -> Result<Option<RawJob>, SourceError> {
        loop {
            if let Some(job) = self.ready.pop_front() {
                return Ok(Some(job));
            }
            if let Some(end) = self.end.take() {
                return end.map(|()| None);
            }
            match self.lines.next_bytes() {
                Ok(Some((place, line))) => {
                    // Paths are in whatever encoding the client has.
                    let line = text(line).into_owned();
                    self.take(place, line);
                }
                Ok(None) => self.finish(Ok(())),
                Err(error) => self.finish(Err(error)),
            }
        }
    }

    fn take(&mut self, place: Place, line: String) {
        if is_control(&line) {
            return;
        }
        if begins_record(&line) {
            let certain_bytes = line.len();
            let next = Open {
                place,
                text: line,
                certain_bytes,
                stray: None,
            };
            let before = self.open.replace(next);
            self.close(before, false);
        } else if let Some(open) = &mut self.open {
            open.go_on(place, &line, self.max_bytes);
        } else {
            self.ready.push_back(stray(place));
        }
    }

    fn close(&mut self, open: Option<Open>, may_be_cut: bool) {
        let Some(mut open) = open else { return };
        open.text.truncate(open.certain_bytes);
        let text = if open.text.len() > self.max_bytes {
            let message = format!(
                "longer than {} bytes, the most that is read of one record",
                self.max_bytes
            );
            Err(RecordError::new(open.place, message))
        } else {
            Ok(open.text)
        };
        self.ready.push_back(RawJob {
            place: open.place,
            text,
            may_be_cut,
        });
        self.ready.extend(open.stray.map(stray));
    }

    fn finish(&mut self, end: Result<(), SourceError>) {
        let open = self.open.take();
        self.close(open, !self.lines.has_end());
        self.end = Some(end);
    }
}

impl Open {
    fn go_on(&mut self, place: Place, line: &str, max_bytes: usize) {
        // What is too long already need not grow.
        if self.text.len() <= max_bytes {
            self.text.push('\n');
            self.text.push_str(line);
        }
        if has_separator(line) {
            self.certain_bytes = self.text.len();
            self.stray = None;
        } else {
            self.stray.get_or_insert(place);
        }
    }
}

fn stray(place: Place) -> RawJob {
    let message = "text that is no record, and in no column of the one before it";
    RawJob {
        place,
        text: Err(RecordError::new(place, message)),
        may_be_cut: false,
    }
}

/// With `-stay_alive`: `C` and how many records follow, or a minus sign and the number of a job that
/// is no longer known.
fn is_control(line: &str) -> bool {
    let rest = line.strip_prefix(['C', '-']).map(str::trim_end);
    rest.is_some_and(is_digits)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a line begins with number, type, state and status of a job, or with a number and enough
/// columns.
fn begins_record(line: &str) -> bool {
    let mut columns = line.split(',');
    if !columns.next().is_some_and(is_digits) {
        return false;
    }
    let mut is_code = |digits: usize| {
        let code = columns.next();
        code.is_some_and(|code| code.is_empty() || code.len() <= digits && is_digits(code))
    };
    // Status codes have up to seven digits.
    let has_codes = is_code(3) && is_code(1) && is_code(9);
    has_codes || line.bytes().filter(|&byte| byte == b',').count() >= RECORD_COMMAS
}

/// Whether a line, which may be cut, begins with what a finished or running job has: codes, names,
/// and its times.
pub(super) fn is_job(line: &[u8]) -> bool {
    let mut columns = line.split(|&byte| byte == b',');
    let mut number = |skip: usize, digits: std::ops::RangeInclusive<usize>| {
        let column = columns.nth(skip);
        column.is_some_and(|column| {
            digits.contains(&column.len()) && column.iter().all(u8::is_ascii_digit)
        })
    };
    // Job, type, state, status; then past policy, schedule, client and server: started, elapsed,
    // ended.
    let has_codes = number(0, 1..=19) && number(0, 1..=3) && number(0, 1..=1) && number(0, 0..=9);
    has_codes && number(4, 9..=11) && number(0, 1..=12) && number(0, 1..=11)
}

#[cfg(test)]
mod tests {
    use super::{begins_record, is_control, is_job};

    #[test]
    fn what_begins_a_record() {
        for line in ["1,0,3,0,a", "12,,,,", "99,0,0,,a,b", "7,22,3,2800000,a"] {
            assert!(begins_record(line), "{line}");
        }
        assert!(begins_record(&format!("8,x,3,0{}", ",".repeat(30))));
        let messages = [
            "11/22/2026 03:00:00 - Info bpbrm, 3",
            "8,x",
            "C12",
            ",0,3,0",
            "-7,0,3,0",
        ];
        for line in messages {
            assert!(!begins_record(line), "{line}");
        }
        assert!(is_control("C12 ") && is_control("-4711") && !is_control("C") && !is_control("Cx"));
        let job = b"4711,0,3,0,daily,full,mail01,media1,1637000000,0000000090,1637000090,x";
        assert!(is_job(job) && !is_job(&job[..50]));
    }
}
