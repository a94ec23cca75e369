//! The WHERE clause of a query, of the conditions that are set alone, so that SQLite can choose the
//! index that fits them.

use anomaly_model::Severity;
use rusqlite::types::{ToSqlOutput, Value};
use rusqlite::{Connection, ToSql, params_from_iter};

use super::values::{count, from_limit};

/// Conditions that must all be met, with the values that they compare with.
#[derive(Debug)]
pub(super) struct Conditions {
    sql: String,
    values: Vec<Value>,
    indexed_by: String,
    order: String,
}

impl Conditions {
    /// Conditions that begin with one without a value.
    pub(super) fn new(first: &str) -> Self {
        Self {
            sql: first.to_owned(),
            values: Vec::new(),
            indexed_by: String::new(),
            order: String::new(),
        }
    }

    /// Adds a condition in which each `?` stands for the next of `values`.
    pub(super) fn and(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        self.sql += " AND ";
        self.sql += sql;
        self.values.extend(values);
    }

    /// Adds a condition with one `?`, if there is something to compare with.
    pub(super) fn and_if(&mut self, sql: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.and(sql, [value.into()]);
        }
    }

    /// Adds that `column` is at least so severe.
    pub(super) fn and_at_least(&mut self, column: &str, least: Option<Severity>) {
        let Some(least) = least else { return };
        let words: Vec<Value> = Severity::ALL
            .iter()
            .filter(|&&severity| severity >= least)
            .map(|severity| severity.as_str().to_owned().into())
            .collect();
        let marks = vec!["?"; words.len()].join(", ");
        self.and(&format!("{column} IN ({marks})"), words);
    }

    /// Has them answered from this index.
    pub(super) fn set_index(&mut self, index: &'static str) {
        self.indexed_by = format!("INDEXED BY {index}");
    }

    /// Has the jobs put in order by this first.
    pub(super) fn set_order(&mut self, order: &str) {
        self.order = format!("{order}, ");
    }

    /// What selects the numbers of the `jobs AS this` that meet them, newest start first unless
    /// another order comes before that.
    pub(super) fn select_jobs(&self, limit: Option<usize>) -> String {
        format!(
            "SELECT number FROM jobs AS this {} WHERE {}
             ORDER BY {}this.started_at_micros DESC, this.number DESC LIMIT {}",
            self.indexed_by,
            self.sql,
            self.order,
            from_limit(limit),
        )
    }

    /// These numbers.
    pub(super) fn jobs(
        &self,
        connection: &Connection,
        limit: Option<usize>,
    ) -> rusqlite::Result<Vec<u64>> {
        let mut statement = connection.prepare_cached(&self.select_jobs(limit))?;
        let numbers = statement.query_map(self.values(), |row| count(row, 0))?;
        numbers.collect()
    }

    pub(super) fn sql(&self) -> &str {
        &self.sql
    }

    /// The values, in the order of their marks.
    pub(super) fn values(&self) -> impl rusqlite::Params + '_ {
        params_from_iter(self.values.iter().map(Borrowed))
    }
}

struct Borrowed<'a>(&'a Value);

impl ToSql for Borrowed<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.0.into()))
    }
}
