//! A store that lasts as long as the process.

use std::collections::{BTreeSet, HashMap};

use anomaly_model::{Anomaly, BackupJob, JobKey, JobRef, Judgement, Review, StreamKey, Verdict};

use crate::{AnomalyQuery, Inserted, Observation, Store, StoreError, Transaction};

/// A store that lasts as long as the process: for a single scan, and for tests.
///
/// ```
/// use anomaly_storage::{AnomalyQuery, MemoryStore, Store};
///
/// let store = MemoryStore::default();
/// assert!(store.anomalies(&AnomalyQuery::default())?.is_empty());
/// # Ok::<(), anomaly_storage::StoreError>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    data: Data,
}

#[derive(Debug, Default)]
struct Data {
    /// In the order in which they were stored.
    rows: Vec<Row>,
    /// Where each job is in `rows`.
    places: HashMap<JobKey, usize>,
    /// Where the normal jobs of each stream are in `rows`, by their start.
    normal_places: HashMap<StreamKey, BTreeSet<(i64, usize)>>,
    model_states: HashMap<StreamKey, Vec<u8>>,
    reviews: HashMap<JobKey, Vec<Review>>,
}

#[derive(Debug)]
struct Row {
    job: BackupJob,
    stream: StreamKey,
    verdict: Verdict,
}

impl Row {
    fn started_at_micros(&self) -> i64 {
        self.job.started_at().timestamp_micros()
    }
}

impl Data {
    fn row(&self, job: &JobKey) -> Option<&Row> {
        self.places.get(job).map(|&place| &self.rows[place])
    }

    fn push(&mut self, row: Row) {
        let place = self.rows.len();
        self.places.insert(row.job.key(), place);
        if row.verdict.judgement == Judgement::Normal {
            let places = self.normal_places.entry(row.stream.clone()).or_default();
            places.insert((row.started_at_micros(), place));
        }
        self.rows.push(row);
    }

    /// Adds everything that `later` holds.
    fn absorb(&mut self, later: Self) {
        for row in later.rows {
            self.push(row);
        }
        self.model_states.extend(later.model_states);
        for (job, reviews) in later.reviews {
            self.reviews.entry(job).or_default().extend(reviews);
        }
    }

    fn last_normal(&self, place: usize) -> Option<JobRef> {
        let this = &self.rows[place];
        let normal = self.normal_places.get(&this.stream)?;
        // Jobs mostly come in the order of their start: the first of these is nearly always it.
        let mut earlier = normal
            .range(..=(this.started_at_micros(), usize::MAX))
            .rev();
        let (_, found) = earlier.find(|(_, normal)| *normal < place)?;
        let job = &self.rows[*found].job;
        Some(JobRef::new(job.key(), job.started_at()))
    }
}

impl Store for MemoryStore {
    fn transaction(&mut self) -> Result<Box<dyn Transaction + '_>, StoreError> {
        Ok(Box::new(MemoryTransaction {
            stored: &mut self.data,
            staged: Data::default(),
        }))
    }

    fn verdict(&self, job: &JobKey) -> Result<Option<Verdict>, StoreError> {
        Ok(self.data.row(job).map(|row| row.verdict.clone()))
    }

    fn job(&self, job: &JobKey) -> Result<Option<BackupJob>, StoreError> {
        Ok(self.data.row(job).map(|row| row.job.clone()))
    }

    fn is_known(&self, job: &JobKey) -> Result<bool, StoreError> {
        Ok(self.data.places.contains_key(job))
    }

    fn anomalies(&self, query: &AnomalyQuery) -> Result<Vec<Anomaly>, StoreError> {
        let mut found: Vec<(usize, Anomaly)> = self
            .data
            .rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.verdict.is_anomalous())
            .map(|(place, row)| {
                let mut anomaly = Anomaly::new(row.verdict.clone());
                let reviews = self.data.reviews.get(&row.job.key());
                anomaly.review = reviews.and_then(|reviews| reviews.last().cloned());
                (place, anomaly)
            })
            .filter(|(_, anomaly)| query.includes(anomaly))
            .collect();
        found.sort_by_key(|&(place, _)| {
            std::cmp::Reverse((self.data.rows[place].started_at_micros(), place))
        });
        found.truncate(query.limit.unwrap_or(usize::MAX));
        Ok(found
            .into_iter()
            .map(|(place, mut anomaly)| {
                anomaly.last_normal = self.data.last_normal(place);
                anomaly
            })
            .collect())
    }

    fn last_normal(&self, job: &JobKey) -> Result<Option<JobRef>, StoreError> {
        let place = self.data.places.get(job);
        Ok(place.and_then(|&place| self.data.last_normal(place)))
    }

    fn reviews(&self, job: &JobKey) -> Result<Vec<Review>, StoreError> {
        Ok(self.data.reviews.get(job).cloned().unwrap_or_default())
    }
}

/// Keeps what is written apart until the commit.
struct MemoryTransaction<'a> {
    stored: &'a mut Data,
    staged: Data,
}

impl MemoryTransaction<'_> {
    fn row(&self, job: &JobKey) -> Option<&Row> {
        self.staged.row(job).or_else(|| self.stored.row(job))
    }
}

impl Transaction for MemoryTransaction<'_> {
    fn verdict(&self, job: &JobKey) -> Result<Option<Verdict>, StoreError> {
        Ok(self.row(job).map(|row| row.verdict.clone()))
    }

    fn job(&self, job: &JobKey) -> Result<Option<BackupJob>, StoreError> {
        Ok(self.row(job).map(|row| row.job.clone()))
    }

    fn model_state(&self, stream: &StreamKey) -> Result<Option<Vec<u8>>, StoreError> {
        let staged = self.staged.model_states.get(stream);
        Ok(staged
            .or_else(|| self.stored.model_states.get(stream))
            .cloned())
    }

    fn insert(&mut self, observation: &Observation<'_>) -> Result<Inserted, StoreError> {
        let key = observation.checked_key()?;
        if self.row(&key).is_some() {
            return Ok(Inserted::AlreadyStored);
        }
        self.staged.push(Row {
            job: observation.job.clone(),
            stream: observation.stream.clone(),
            verdict: observation.verdict.clone(),
        });
        Ok(Inserted::New)
    }

    fn put_model_state(&mut self, stream: &StreamKey, state: &[u8]) -> Result<(), StoreError> {
        self.staged
            .model_states
            .insert(stream.clone(), state.to_vec());
        Ok(())
    }

    fn review(&mut self, job: &JobKey, review: &Review) -> Result<Option<Review>, StoreError> {
        if !self.row(job).is_some_and(|row| row.verdict.is_anomalous()) {
            return Err(StoreError::NoSuchAnomaly { job: job.clone() });
        }
        let staged = self.staged.reviews.entry(job.clone()).or_default();
        let replaced = staged
            .last()
            .or_else(|| self.stored.reviews.get(job)?.last())
            .cloned();
        staged.push(review.clone());
        Ok(replaced)
    }

    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.stored.absorb(self.staged);
        Ok(())
    }
}
