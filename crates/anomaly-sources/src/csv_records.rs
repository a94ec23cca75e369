//! Records of comma-separated values, one at a time, none longer than it may be.
//!
//! Whether a record goes on in the next line is decided here, so that a quote which is never closed
//! costs its own line and not the rest of the input; what is in a record is up to `csv-core`.

use std::collections::VecDeque;

use crate::lines::Lines;
use crate::{Input, Place, ReadOptions, RecordError, SourceError};

/// What parts the fields, unless the first line has a semicolon or a tab before its first comma.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// The records of an input.
pub(crate) struct CsvRecords<'a> {
    lines: Lines<'a>,
    has_quotes: bool,
    parser: csv_core::Reader,
    max_bytes: usize,
    /// Lines that were taken for the rest of a record, and are records of their own.
    waiting: VecDeque<Line>,
    text: String,
    fields: Fields,
}

type Line = (Place, Result<String, RecordError>);

/// A record, or why it has no fields.
pub(crate) struct CsvRecord<'a> {
    pub(crate) place: Place,
    pub(crate) fields: Result<&'a Fields, RecordError>,
}

/// The fields of a record.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    text: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
    may_be_cut: bool,
}

impl<'a> CsvRecords<'a> {
    pub(crate) fn new(input: Input<'a>, options: &ReadOptions) -> Self {
        let mut first_line = input.head.iter().take_while(|byte| **byte != b'\n');
        let separator = first_line.find(|byte| SEPARATORS.contains(byte));
        let separator = separator.copied().unwrap_or(b',');
        // Tabs part fields that are escaped and not quoted.
        Self::parted_by(separator, separator != b'\t', input, options)
    }

    /// The records of an input whose fields are parted by `separator`, and can be quoted or not.
    pub(crate) fn parted_by(
        separator: u8,
        has_quotes: bool,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Self {
        let parser = csv_core::ReaderBuilder::new()
            .delimiter(separator)
            .quoting(has_quotes)
            .build();
        Self {
            has_quotes,
            parser,
            lines: Lines::new(input, options),
            max_bytes: options.max_record_bytes,
            waiting: VecDeque::new(),
            text: String::new(),
            fields: Fields::default(),
        }
    }

    /// The next record; `None` at the end of the input.
    pub(crate) fn next(&mut self) -> Result<Option<CsvRecord<'_>>, SourceError> {
        let Some((place, line)) = self.line()? else {
            return Ok(None);
        };
        let whole = match line {
            Ok(line) => {
                self.text = line;
                self.complete(place)?
            }
            Err(error) => Err(error),
        };
        if whole.is_ok() {
            self.fields.split(&self.text, &mut self.parser);
            // What was read ahead and put back had ends up to its last line.
            self.fields.may_be_cut = self.waiting.is_empty() && !self.lines.has_end();
        }
        Ok(Some(CsvRecord {
            place,
            fields: whole.map(|()| &self.fields),
        }))
    }

    /// Takes in the lines up to the one that closes the last quote. If none does, they are put back.
    fn complete(&mut self, place: Place) -> Result<Result<(), RecordError>, SourceError> {
        if !self.has_quotes || has_closed_quotes(&self.text) {
            return Ok(Ok(()));
        }
        let mut taken = VecDeque::new();
        let mut bytes = self.text.len();
        let mut is_open = true;
        while is_open && let Some(next) = self.line()? {
            if let Ok(text) = &next.1 {
                bytes += text.len() + 1;
                is_open = has_closed_quotes(text);
            }
            let goes_on = next.1.is_ok() && bytes <= self.max_bytes;
            taken.push_back(next);
            if !goes_on {
                is_open = true;
                break;
            }
        }
        if is_open {
            taken.append(&mut self.waiting);
            self.waiting = taken;
            let message = "has a quote that is not closed within the length of a record";
            return Ok(Err(RecordError::new(place, message)));
        }
        for (_, line) in taken {
            self.text.push('\n');
            self.text.push_str(&line.unwrap_or_default());
        }
        Ok(Ok(()))
    }

    fn line(&mut self) -> Result<Option<Line>, SourceError> {
        if let Some(line) = self.waiting.pop_front() {
            return Ok(Some(line));
        }
        let line = self.lines.next()?;
        Ok(line.map(|raw| (raw.place, raw.text.map(str::to_owned))))
    }
}

fn has_closed_quotes(text: &str) -> bool {
    text.bytes()
        .filter(|byte| *byte == b'"')
        .count()
        .is_multiple_of(2)
}

impl Fields {
    fn split(&mut self, text: &str, parser: &mut csv_core::Reader) {
        parser.reset();
        // No record has more text or fields than that.
        self.text.resize(text.len() + 1, 0);
        self.ends.resize(text.len() + 1, 0);
        let mut input = text.as_bytes();
        let (mut written, mut ended) = (0, 0);
        loop {
            let (result, read, out, ends) =
                parser.read_record(input, &mut self.text[written..], &mut self.ends[ended..]);
            (written, ended) = (written + out, ended + ends);
            input = &input[read..];
            if result != csv_core::ReadRecordResult::InputEmpty {
                break;
            }
        }
        self.count = ended;
    }

    /// Whether the input ends in them, without the end of their line.
    pub(crate) fn may_be_cut(&self) -> bool {
        self.may_be_cut
    }

    /// All of them, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        (0..self.count).map(|n| {
            let start = n.checked_sub(1).map_or(0, |before| self.ends[before]);
            // Text that was cut at separators only is still text.
            std::str::from_utf8(&self.text[start..self.ends[n]]).unwrap_or_default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{CsvRecord, CsvRecords};
    use crate::{Input, ReadOptions};

    fn records(text: &str) -> Vec<String> {
        let options = ReadOptions::default().max_record_bytes(40);
        let mut records = CsvRecords::new(Input::new(text.as_bytes()).unwrap(), &options);
        let mut found = Vec::new();
        while let Some(CsvRecord { place, fields }) = records.next().unwrap() {
            let fields = fields.map(|fields| fields.iter().collect::<Vec<_>>().join("|"));
            found.push(fields.map_or_else(
                |error| error.to_string(),
                |fields| format!("{}: {fields}", place.line),
            ));
        }
        found
    }

    #[test]
    fn quotes_hold_separators_quotes_and_lines() {
        assert_eq!(
            records("a,b,c\r\n\"1,5\",\"say \"\"x\"\"\",\"two\nlines, \n of text\"\n,,\n"),
            [
                "1: a|b|c",
                "2: 1,5|say \"x\"|two\nlines, \n of text",
                "5: ||"
            ]
        );
        assert_eq!(records("a;b\n1,5;2\n"), ["1: a|b", "2: 1,5|2"]);
        assert_eq!(records("a\tb\n\"\t\n"), ["1: a|b", "2: \"|"]);
    }

    #[test]
    fn a_quote_that_is_not_closed_costs_its_line_only() {
        let open = "has a quote that is not closed within the length of a record";
        assert_eq!(
            records("a,b\n1,\"x\n2,y\n3,z\n"),
            [
                "1: a|b".to_owned(),
                format!("line 2: {open}"),
                "3: 2|y".to_owned(),
                "4: 3|z".to_owned()
            ]
        );
        let long = "4,0123456789\n".repeat(4);
        let found = records(&format!("a,b\n1,\"x\n{long}5,\"y\n6,z\"\n"));
        assert_eq!(found[1], format!("line 2: {open}"));
        assert_eq!(
            found[2..6],
            [
                "3: 4|0123456789",
                "4: 4|0123456789",
                "5: 4|0123456789",
                "6: 4|0123456789"
            ]
        );
        assert_eq!(found[6..], ["7: 5|y\n6,z"]);
    }
}
