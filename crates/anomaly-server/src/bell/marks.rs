//! What each person has read.

use std::collections::{BTreeMap, BTreeSet};

use anomaly_service::{AnomalyService, ServiceError};
use anomaly_storage::Read;
use serde::{Deserialize, Serialize};

/// The note of the store that has them.
const NOTE: &str = "bell";

/// What each person has read, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Marks(BTreeMap<String, Mark>);

/// Up to which number all is read, and which later ones.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Mark {
    until: u64,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    also: BTreeSet<u64>,
}

impl Marks {
    /// As they are kept. Marks that cannot be read are none: everything is unread then.
    pub(super) fn read(records: &(impl Read + ?Sized)) -> Result<Self, ServiceError> {
        let note = records.note(NOTE)?;
        Ok(note
            .and_then(|note| serde_json::from_str(&note).ok())
            .unwrap_or_default())
    }

    pub(super) fn write(&self, service: &mut AnomalyService) -> Result<(), ServiceError> {
        let note = serde_json::to_string(self).map_err(|source| ServiceError::Record { source })?;
        let mut transaction = service.transaction()?;
        transaction.put_note(NOTE, &note)?;
        transaction.commit()?;
        Ok(())
    }

    pub(super) fn is_read(&self, name: &str, number: u64) -> bool {
        let mark = self.0.get(name);
        mark.is_some_and(|mark| number <= mark.until || mark.also.contains(&number))
    }

    /// Marks one of the notices as read by a person, or all of them.
    pub(super) fn read_by(&mut self, name: &str, number: Option<u64>, notices: &[u64]) {
        let mark = self.0.entry(name.to_owned()).or_default();
        match number {
            Some(number) => _ = mark.also.insert(number),
            None => mark.until = notices.iter().copied().max().unwrap_or(0).max(mark.until),
        }
    }

    /// Forgets the people who are gone, and marks of notices that are.
    pub(super) fn keep(&mut self, people: &BTreeSet<String>, notices: &[u64]) {
        self.0.retain(|name, _| people.contains(name));
        for mark in self.0.values_mut() {
            let until = mark.until;
            mark.also
                .retain(|number| *number > until && notices.contains(number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_as_few_as_people_and_notices() {
        let people = BTreeSet::from(["ann".to_owned()]);
        let mut marks = Marks::default();
        marks.read_by("ann", Some(5), &[3, 5, 9]);
        marks.read_by("bob", Some(3), &[3, 5, 9]);
        assert!(marks.is_read("ann", 5) && !marks.is_read("ann", 3));
        marks.keep(&people, &[5, 9]);
        assert!(!marks.is_read("bob", 3), "bob is gone");

        marks.read_by("ann", None, &[5, 9]);
        marks.keep(&people, &[5, 9]);
        assert!(marks.is_read("ann", 9) && !marks.is_read("ann", 10));
        let note = serde_json::to_string(&marks).unwrap();
        assert_eq!(note, r#"{"ann":{"until":9}}"#);
        marks.read_by("ann", Some(1_000), &[5, 9]);
        marks.keep(&people, &[5, 9]);
        assert_eq!(serde_json::to_string(&marks).unwrap(), note);
    }
}
