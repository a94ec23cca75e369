//! What `llist jobs` prints in the console: a line for each column, and all that the console says
//! around it.

use super::job::record;
use super::row::{Column, Row};
use super::{NEVER_KNOWS, OPTIONS, STREAM_KEY};
use crate::lines::Lines;
use crate::{
    Head, Input, Place, ReadOption, ReadOptions, Record, RecordError, Records, Source, SourceError,
};

/// The format `bareos-llist`.
#[derive(Debug)]
pub(crate) struct Llist;

impl Source for Llist {
    fn name(&self) -> &'static str {
        "bareos-llist"
    }

    fn input(&self) -> &'static str {
        "`llist jobs` of Bareos or Bacula"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        let columns = || {
            head.lines()
                .filter_map(|line| column(str::from_utf8(line).ok()?))
        };
        let has = |wanted: &str| columns().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        (has("JobId") && has("PurgedFiles"))
            .then_some("it has lines with `jobid:` and `purgedfiles:`")
    }

    fn never_knows(&self) -> &'static [&'static str] {
        NEVER_KNOWS
    }

    fn stream_key(&self) -> &'static str {
        STREAM_KEY
    }

    fn options(&self) -> &'static [ReadOption] {
        OPTIONS
    }

    fn open<'a>(
        &self,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Result<Records<'a>, SourceError> {
        let mut blocks = Blocks {
            lines: Lines::new(input.not_empty()?, options),
            options: options.clone(),
            block: None,
            is_empty: true,
        };
        Ok(Box::new(std::iter::from_fn(move || {
            blocks.next().transpose()
        })))
    }
}

/// The jobs, each a block of lines of which the first has the `JobId`.
struct Blocks<'a> {
    lines: Lines<'a>,
    options: ReadOptions,
    block: Option<Block>,
    is_empty: bool,
}

struct Block {
    row: Row<String>,
    bytes: usize,
}

impl Blocks<'_> {
    fn next(&mut self) -> Result<Option<Record>, SourceError> {
        while let Some(line) = self.lines.next()? {
            let place = line.place;
            let text = match line.text {
                Ok(text) => text,
                Err(error) => {
                    self.is_empty = false;
                    return Ok(Some(Record::Bad(error)));
                }
            };
            let Some((name, value)) = column(text) else {
                continue;
            };
            let Some(column) = Column::named(name) else {
                continue;
            };
            let ended = matches!(column, Column::JobId)
                .then(|| self.block.replace(Block::new(place)))
                .flatten();
            if let Some(block) = &mut self.block {
                block.bytes += value.len();
                if block.bytes <= self.options.max_record_bytes {
                    block.row.set(column, value.to_owned());
                }
            }
            if let Some(block) = ended {
                return Ok(Some(self.record(&block)));
            }
        }
        match self.block.take() {
            Some(block) => Ok(Some(self.record(&block))),
            None if self.is_empty => Err(NO_JOBS),
            None => Ok(None),
        }
    }

    fn record(&mut self, block: &Block) -> Record {
        self.is_empty = false;
        let max_bytes = self.options.max_record_bytes;
        if block.bytes > max_bytes {
            let message =
                format!("longer than {max_bytes} bytes, the most that is read of one record");
            return Record::Bad(RecordError::new(block.row.place, message));
        }
        // It comes after all columns that are used.
        if !block.row.has(Column::JobMissingFiles) {
            let message = "cut off in the middle of the record";
            return Record::Bad(RecordError::new(block.row.place, message));
        }
        record(&block.row, &self.options)
    }
}

impl Block {
    fn new(place: Place) -> Self {
        Self {
            row: Row::new(place),
            bytes: 0,
        }
    }
}

const NO_JOBS: SourceError = SourceError::Empty {
    reason: "no line of it has a `jobid:`, as `llist jobs` prints it",
};

/// The name and the value of a column: `      JobStatus: T`.
fn column(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim_start();
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_name.then_some((name, value))
}
