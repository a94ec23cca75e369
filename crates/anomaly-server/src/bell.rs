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
use crate::damage;
use crate::duties::Duties;

/// Notices that are kept: older ones are in the lists of incidents and of the audit log.
const MOST: usize = 100;
/// Of these, the newest stay whatever they are; of the others, the least severe go first.
const NEWEST: usize = 50;

/// The newest notices, each under the number in the log of what it is about; and what was read.
///
/// They are made anew from the store when the service starts. Only the marks are kept, in one note.
#[derive(Debug)]
pub(crate) struct Bell {
    inner: Mutex<Inner>,
    /// Where is noted what was passed over.
    duties: Duties,
}

#[derive(Debug, Default)]
struct Inner {
    notices: BTreeMap<u64, Notice>,
    marks: Marks,
    /// The last entry of the audit log that was looked at.
    audited: u64,
}

impl Bell {
    pub(crate) fn new(duties: Duties) -> Self {
        Self {
            inner: Mutex::default(),
            duties,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up what is stored, as of now: up to what is damaged, from the newest on.
    pub(crate) fn begin(&self, service: &AnomalyService) -> Result<(), ServiceError> {
        let (records, duties) = (service.records(), &self.duties);
        let newest = anomaly_storage::AnomalyQuery::default().sorted(Sort {
            key: SortKey::Received,
            ascending: false,
        });
        let listed = damage::newest(duties, MOST, |most| {
            records.listed_anomalies(&newest.clone().limit(most))
        })?;
        let marks = Marks::read(records)?;
        let mut found = Vec::new();
        // The oldest first: of an incident, the last one counts.
        for one in listed.iter().rev() {
            let at = one.received_at.unwrap_or_else(now);
            for stored in records.observations_stored_after(one.number - 1, 1)? {
                found.extend(duties.unless_damaged(Notice::of(service, &stored, at))?);
            }
        }
        // So many of each severity: many that matter little do not hide one that does.
        let mut entries = Vec::new();
        for least in [Severity::Low, Severity::Medium, Severity::High] {
            let query = AuditQuery::default().at_least(least);
            entries.extend(damage::newest(duties, MOST, |most| {
                records.audit_entries(&query.clone().limit(most))
            })?);
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
            let notice = Notice::of(service, one, now());
            found.extend(self.duties.unless_damaged(notice)?);
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
            let page = damage::system_events(&self.duties, service.records(), audited, MOST)?;
            is_news |= !page.found.is_empty();
            let mut inner = self.lock();
            inner.note(&page.found);
            inner.audited = page.until;
            if page.is_last {
                return Ok(is_news);
            }
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
