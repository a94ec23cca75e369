//! One row of the catalogue's `Job` table, as text.

use crate::moment::Moment;
use crate::{Place, RecordError};

macro_rules! columns {
    ($($Column:ident = $name:literal $(or $other:literal)*;)*) => {
        /// The columns that are used. Their names are written in capitals or not.
        #[derive(Debug, Clone, Copy)]
        pub(super) enum Column { $($Column,)* }

        impl Column {
            const COUNT: usize = [$(Self::$Column),*].len();

            /// The column of this name.
            pub(super) fn named(name: &str) -> Option<Self> {
                let is = |other: &str| name.eq_ignore_ascii_case(other);
                $(if is($name) $(|| is($other))* {
                    return Some(Self::$Column);
                })*
                None
            }

            const fn name(self) -> &'static str {
                match self { $(Self::$Column => $name,)* }
            }
        }
    };
}

columns! {
    JobId = "JobId";
    Name = "Name";
    Type = "Type";
    Level = "Level";
    ClientId = "ClientId";
    // Of the `Client` table: `client` for Bareos, `clientname` for Bacula and older Bareos.
    Client = "Client" or "ClientName";
    JobStatus = "JobStatus";
    SchedTime = "SchedTime";
    StartTime = "StartTime";
    EndTime = "EndTime";
    RealEndTime = "RealEndTime";
    JobTDate = "JobTDate";
    JobFiles = "JobFiles";
    JobBytes = "JobBytes";
    ReadBytes = "ReadBytes";
    JobErrors = "JobErrors";
    JobMissingFiles = "JobMissingFiles";
}

/// The values of a row, where it has them.
#[derive(Debug, Clone)]
pub(super) struct Row<T> {
    values: [Option<T>; Column::COUNT],
    pub(super) place: Place,
}

impl<T: AsRef<str>> Row<T> {
    pub(super) fn new(place: Place) -> Self {
        Self {
            values: [const { None }; Column::COUNT],
            place,
        }
    }

    pub(super) fn set(&mut self, column: Column, value: T) {
        self.values[column as usize] = Some(value);
    }

    /// Whether there is such a column, with or without a value.
    pub(super) fn has(&self, column: Column) -> bool {
        self.values[column as usize].is_some()
    }

    /// The value, unless it is empty or stands for none: psql writes nothing for it, MySQL `NULL`.
    pub(super) fn text(&self, column: Column) -> Option<&str> {
        let value = self.values[column as usize].as_ref()?.as_ref().trim();
        (!matches!(value, "" | "NULL" | "\\N")).then_some(value)
    }

    /// A code, which is one letter.
    pub(super) fn code(&self, column: Column) -> Result<char, RecordError> {
        let text = self.needed(column)?;
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) => Ok(letter),
            _ => Err(self.refused(column, "one letter")),
        }
    }

    pub(super) fn needed(&self, column: Column) -> Result<&str, RecordError> {
        self.text(column).ok_or_else(|| self.missing(column))
    }

    fn missing(&self, column: Column) -> RecordError {
        let message = format!("`{}` is missing", column.name());
        RecordError::new(self.place, message)
    }

    /// A count. bconsole groups digits: `1,795,649,546`.
    pub(super) fn count(&self, column: Column) -> Result<Option<u64>, RecordError> {
        let Some(text) = self.text(column) else {
            return Ok(None);
        };
        let count = ungrouped(text).and_then(|digits| digits.parse().ok());
        count.map(Some).ok_or_else(|| {
            let expected = format!("a whole number from 0 to {}", u64::MAX);
            self.refused(column, &expected)
        })
    }

    pub(super) fn needed_count(&self, column: Column) -> Result<u64, RecordError> {
        self.count(column)?.ok_or_else(|| self.missing(column))
    }

    /// A time. MySQL and SQLite write zeros for one that was never set.
    pub(super) fn moment(&self, column: Column) -> Result<Option<Moment>, RecordError> {
        let is_set = |text: &&str| !text.starts_with("0000-00-00") && *text != "0";
        let Some(text) = self.text(column).filter(is_set) else {
            return Ok(None);
        };
        let moment = Moment::parse(text).map(Some);
        moment.ok_or_else(|| self.refused(column, "a time such as 2026-11-22 03:00:00"))
    }

    /// A value that is not what it must be.
    pub(super) fn refused(&self, column: Column, expected: &str) -> RecordError {
        let text: String = self
            .text(column)
            .unwrap_or_default()
            .chars()
            .take(40)
            .collect();
        let message = format!("`{}` is {text:?}: must be {expected}", column.name());
        RecordError::new(self.place, message)
    }
}

/// The digits of a number without the commas between its groups of three.
fn ungrouped(text: &str) -> Option<String> {
    let mut groups = text.split(',');
    let mut digits = groups.next()?.to_owned();
    let is_grouped = (1..=3).contains(&digits.len());
    for group in groups {
        if group.len() != 3 || !is_grouped {
            return None;
        }
        digits.push_str(group);
    }
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::ungrouped;

    #[test]
    fn digits_come_in_groups_or_not() {
        for (text, digits) in [
            ("0", Some("0")),
            ("1795649546", Some("1795649546")),
            ("1,795,649,546", Some("1795649546")),
            ("641,210", Some("641210")),
            ("1,5", None),
            ("1234,567", None),
            (",567", None),
            ("12,", None),
            ("", None),
            ("-5", None),
            ("+5", None),
        ] {
            assert_eq!(ungrouped(text).as_deref(), digits, "{text}");
        }
    }
}
