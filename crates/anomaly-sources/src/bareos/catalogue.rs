//! Rows of the catalogue as CSV: what a query gives, or the tables as they are.

use std::collections::HashMap;

use super::job::record;
use super::row::{Column, Row};
use super::{NEVER_KNOWS, OPTIONS, STREAM_KEY};
use crate::csv_records::{CsvRecord, CsvRecords, Fields};
use crate::input::shown;
use crate::{
    Format, Head, Input, Place, ReadOption, ReadOptions, Record, RecordError, Records, Source,
    SourceError,
};

/// The format `bareos-catalogue`.
#[derive(Debug)]
pub(crate) struct Catalogue;

impl Source for Catalogue {
    fn name(&self) -> &'static str {
        "bareos-catalogue"
    }

    fn input(&self) -> &'static str {
        "CSV of the `Job` and `JobHisto` tables of Bareos or Bacula, with the names of the clients"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        let line = head.lines().next()?;
        let line = String::from_utf8_lossy(line);
        let fields = line
            .split([',', ';', '\t'])
            .map(|name| name.trim_matches('"'));
        Table::headed(fields).map(|_| "its first line names columns of Bareos' catalogue")
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
        let input = input.not_empty()?.with_line_feeds()?;
        let begins_with = shown(&input.head);
        let options = options.clone();
        let mut records = CsvRecords::new(input, &options);
        let mut tables = Tables::default();
        let mut next = move || {
            while let Some(CsvRecord { place, fields }) = records.next()? {
                let found = match fields {
                    Ok(fields) => tables.take(fields, place, &options),
                    Err(error) => Some(Record::Bad(error)),
                };
                if tables.now.is_none() {
                    return Err(SourceError::WrongFormat {
                        format: Format::BareosCatalogue,
                        expected: "CSV whose first line names the columns, such as `JobId` and \
                                   `JobStatus`",
                        found: begins_with.clone(),
                    });
                }
                if found.is_some() {
                    return Ok(found);
                }
            }
            Ok(None)
        };
        Ok(Box::new(std::iter::from_fn(move || next().transpose())))
    }
}

/// No director has more clients; the names of more are not remembered.
const MOST_CLIENTS: usize = 100_000;

/// The tables that an input consists of: `Job` rows, and before them the `Client` table where they
/// do not name their client.
#[derive(Default)]
struct Tables {
    now: Option<Table>,
    /// Name by id.
    clients: HashMap<String, String>,
    has_clients: bool,
}

/// The columns of a table, as far as they are used.
enum Table {
    Clients { id: usize, name: usize },
    Jobs(Vec<Option<Column>>),
}

impl Table {
    /// The table whose columns have these names.
    fn headed<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Option<Self> {
        let mut first_look = names.clone().map(str::trim);
        first_look.find(|name| {
            name.eq_ignore_ascii_case("JobId") || name.eq_ignore_ascii_case("ClientId")
        })?;
        let names: Vec<&str> = names.map(str::trim).collect();
        // The row of a job or a client that was given such a name: it has its number.
        let is_number =
            |name: &&str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        if names.iter().any(is_number) {
            return None;
        }
        let at = |name: &str| {
            names
                .iter()
                .position(|other| other.eq_ignore_ascii_case(name))
        };
        if at("JobId").is_some() && at("JobStatus").is_some() {
            let columns = names.iter().map(|name| Column::named(name));
            return Some(Self::Jobs(columns.collect()));
        }
        at("UName")?;
        Some(Self::Clients {
            id: at("ClientId")?,
            name: at("Name")?,
        })
    }
}

impl Tables {
    /// Takes in a line; `None` unless it is the row of a job, or wrong.
    fn take(&mut self, fields: &Fields, place: Place, options: &ReadOptions) -> Option<Record> {
        if let Some(table) = Table::headed(fields.iter()) {
            self.has_clients |= matches!(table, Table::Clients { .. });
            self.now = Some(table);
            return None;
        }
        let bad = |message: String| Some(Record::Bad(RecordError::new(place, message)));
        match &self.now {
            None => bad("stands before the names of the columns".to_owned()),
            Some(Table::Clients { id, name }) => {
                let field = |n: &usize| fields.iter().nth(*n);
                let Some((id, name)) = field(id).zip(field(name)) else {
                    return bad("has too few columns".to_owned());
                };
                if self.clients.len() == MOST_CLIENTS {
                    return bad(format!(
                        "is the client after {MOST_CLIENTS}: not remembered"
                    ));
                }
                self.clients.insert(id.to_owned(), name.to_owned());
                None
            }
            Some(Table::Jobs(columns)) if columns.len() != fields.iter().count() => bad(format!(
                "has {} columns, but the line with their names {}",
                fields.iter().count(),
                columns.len()
            )),
            Some(Table::Jobs(columns)) => {
                let mut row = Row::new(place);
                for (column, value) in columns.iter().zip(fields.iter()) {
                    if let Some(column) = column {
                        row.set(*column, value);
                    }
                }
                if self.has_clients && !row.has(Column::Client) {
                    let id = row.text(Column::ClientId).unwrap_or_default();
                    let name = self.clients.get(id).map_or("", String::as_str);
                    row.set(Column::Client, name);
                }
                Some(record(&row, options))
            }
        }
    }
}
