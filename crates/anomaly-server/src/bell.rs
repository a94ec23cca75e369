//! What people are told in the browser, and what each has read of it.

mod marks;
mod notice;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use anomaly_model::Severity;
use anomaly_service::{AnomalyService, ServiceError};
use anomaly_storage::{AuditEntry, AuditQuery, Sort, SortKey, Stored, StoredObservation};

use self::marks::Marks;
use self::notice::About;
pub(crate) use self::notice::Notice;
use crate::app::now;

/// Notices that are kept: older ones are in the lists of incidents and of the audit log.
const MOST: usize = 100;
/// Of these, the newest stay whatever they are; of the others, the least severe go first.
const NEWEST: usize = 50;

/// The newest notices, each under the number in the log of what it is about; and what was read.
///
/// They are made anew from the store when the service starts. Only the marks are kept, in one note.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    notices: BTreeMap<u64, Notice>,
    marks: Marks,
    /// The last entry of the audit log that was looked at.
    audited: u64,
}

impl Bell {
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up what is stored, as of now.
    pub(crate) fn begin(&self, service: &AnomalyService) -> Result<(), ServiceError> {
        let newest = anomaly_storage::AnomalyQuery::default()
            .sorted(Sort {
                key: SortKey::Received,
                ascending: false,
            })
            .limit(MOST);
        let listed = service.records().listed_anomalies(&newest)?;
        let marks = Marks::read(service.records())?;
        let mut found = Vec::new();
        // The oldest first: of an incident, the last one counts.
        for one in listed.iter().rev() {
            let at = one.received_at.unwrap_or_else(now);
            let verdict = &one.anomaly.verdict;
            found.extend(Notice::of(service, one.number, verdict, at)?);
        }
        // So many of each severity: many that matter little do not hide one that does.
        let mut entries = Vec::new();
        for least in [Severity::Low, Severity::Medium, Severity::High] {
            let query = AuditQuery::default().at_least(least).limit(MOST);
            entries.extend(service.records().audit_entries(&query)?);
        }
        let mut inner = self.lock();
        inner.marks = marks;
        inner.note(&entries);
        for notice in found {
            inner.put(notice);
        }
        Ok(())
    }

    /// Takes up what has just been stored, and says whether there was anything to tell.
    pub(crate) fn note(
        &self,
        service: &AnomalyService,
        stored: &[StoredObservation],
    ) -> Result<bool, ServiceError> {
        let mut found = Vec::new();
        for one in stored.iter().filter(|one| one.verdict.is_anomalous()) {
            found.extend(Notice::of(service, one.number, &one.verdict, now())?);
        }
        let is_news = self.note_entries(service)? || !found.is_empty();
        let mut inner = self.lock();
        for notice in found {
            inner.put(notice);
        }
        Ok(is_news)
    }

    /// Takes up what the audit log has come to say of Backwatch itself.
    fn note_entries(&self, service: &AnomalyService) -> Result<bool, ServiceError> {
        let mut is_news = false;
        loop {
            let audited = self.lock().audited;
            let query = AuditQuery::default()
                .at_least(Severity::Low)
                .after(audited)
                .limit(MOST);
            let entries = service.records().audit_entries(&query)?;
            if entries.is_empty() {
                return Ok(is_news);
            }
            is_news = true;
            self.lock().note(&entries);
        }
    }

    /// The notices of a person, the newest first, each with whether it was read.
    pub(crate) fn of(&self, name: &str) -> Vec<(Notice, bool)> {
        let inner = self.lock();
        let notices = inner.notices.values().rev();
        notices
            .map(|notice| (notice.clone(), inner.marks.is_read(name, notice.number)))
            .collect()
    }

    /// Marks notices as read by a person: that with this number, or all.
    ///
    /// The marks of people who are not among `people` go.
    pub(crate) fn read(
        &self,
        service: &mut AnomalyService,
        name: &str,
        number: Option<u64>,
        people: &BTreeSet<String>,
    ) -> Result<(), ServiceError> {
        // Every page takes the lock: nothing is written while it is held. Marks are changed by the
        // one who has the service to write with, so that none is lost meanwhile.
        let (before, numbers) = {
            let inner = self.lock();
            let numbers: Vec<u64> = inner.notices.keys().copied().collect();
            (inner.marks.clone(), numbers)
        };
        let mut marks = before.clone();
        marks.read_by(name, number, &numbers);
        marks.keep(people, &numbers);
        if marks != before {
            marks.write(service)?;
            self.lock().marks = marks;
        }
        Ok(())
    }
}

impl Inner {
    fn note(&mut self, entries: &[Stored<AuditEntry>]) {
        for entry in entries {
            self.audited = self.audited.max(entry.number);
            if let Some(notice) = Notice::of_entry(entry) {
                self.put(notice);
            }
        }
    }

    /// Keeps a notice in place of an older one about the same.
    fn put(&mut self, notice: Notice) {
        if let About::Incident(_) = notice.about {
            self.notices.retain(|_, other| other.about != notice.about);
        }
        self.notices.insert(notice.number, notice);
        while self.notices.len() > MOST {
            let others = self.notices.len() - NEWEST;
            let others = self.notices.values().take(others);
            // Of equals, the oldest.
            let Some(least) = others.min_by_key(|notice| notice.severity) else {
                break;
            };
            let number = least.number;
            self.notices.remove(&number);
        }
    }
}
