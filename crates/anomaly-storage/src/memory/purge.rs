//! Deleting what is older than it is kept for.

use anomaly_model::{JobKey, ReviewStatus, StreamKey};

use super::MemoryTransaction;
use super::data::{Data, Row};
use super::log::Entry;
use crate::job_key::job_key;
use crate::purge::PurgeRecord;
use crate::{Hash, Purge, Purged, Stored};

pub(super) fn purge(transaction: &mut MemoryTransaction<'_>, purge: &Purge) -> Purged {
    let before = purge.started_before.timestamp_micros();
    let data = &*transaction.data;
    let mut old: Vec<(i64, u64)> = data
        .rows
        .iter()
        .map(|(&number, row)| (row.started_at_micros(), number))
        .filter(|(started_at, _)| *started_at < before)
        .filter(|(_, number)| !data.rows.get(number).is_some_and(|row| is_kept(data, row)))
        .collect();
    old.sort_unstable();
    old.truncate(purge.limit);
    let mut leaves = Vec::new();
    let mut keys = Vec::new();
    for &(_, number) in &old {
        let key = purge_job(transaction, purge, number, &mut leaves);
        keys.extend(key.map(|key| job_key(key.source.as_str(), key.job_id.as_str())));
    }
    if !leaves.is_empty() {
        let record = PurgeRecord::new(purge, leaves, keys);
        let number = transaction.log(Entry::Purge);
        transaction.data.purges.put(number, record);
        transaction.on_drop(move |data| _ = data.purges.remove(number));
    }
    Purged {
        jobs: old.len() as u64,
        incidents: purge_incidents(transaction, purge),
        messages: purge_messages(transaction, purge),
        streams: purge_streams(transaction, purge),
    }
}

/// Whether a job is kept whatever its age.
fn is_kept(data: &Data, row: &Row) -> bool {
    let job = row.job.key();
    let last = data.reviews.get(&job).and_then(|reviews| reviews.last());
    let incident = data.incident_of.get(&job);
    let incident = incident.and_then(|&number| data.incidents.get(number));
    last.is_some_and(|review| review.record.status == ReviewStatus::Confirmed)
        || incident.is_some_and(|incident| incident.closed_at.is_none())
}

/// Deletes a job with its reviews, adds their leaves to `leaves`, and says which job it was.
fn purge_job(
    transaction: &mut MemoryTransaction<'_>,
    purge: &Purge,
    number: u64,
    leaves: &mut Vec<(u64, Hash)>,
) -> Option<JobKey> {
    let data = &mut *transaction.data;
    let key = data.rows.get(&number)?.job.key();
    data.purged_jobs.insert(key.clone(), purge.started_before);
    let reviews = data.reviews.get(&key).into_iter().flatten();
    let mut numbers: Vec<u64> = reviews.map(|review| review.number).collect();
    numbers.push(number);
    for number in numbers {
        let hash = transaction.data.leaf_hash(number);
        leaves.push((number, hash));
        forget_record(transaction, number, hash);
    }
    let data = &mut *transaction.data;
    let reviews = data.reviews.remove(&key);
    let incident = data.incident_of.remove(&key);
    let row = data.remove(number);
    let stream = row.as_ref().and_then(|row| {
        let started_at = row.started_at_micros();
        let stream = data.streams.get_mut(&row.stream)?;
        let before = stream.purged_until_micros;
        stream.purged_until_micros = Some(before.map_or(started_at, |until| until.max(started_at)));
        Some((row.stream.clone(), before))
    });
    let job = key.clone();
    transaction.on_drop(move |data| {
        data.purged_jobs.remove(&key);
        if let Some((key, before)) = stream
            && let Some(stream) = data.streams.get_mut(&key)
        {
            stream.purged_until_micros = before;
        }
        if let Some(row) = row {
            data.put(number, row);
        }
        data.incident_of
            .extend(incident.map(|incident| (key.clone(), incident)));
        data.reviews.extend(reviews.map(|reviews| (key, reviews)));
    });
    Some(job)
}

/// Leaves of a record its hash alone.
fn forget_record(transaction: &mut MemoryTransaction<'_>, number: u64, hash: Hash) {
    let place = usize::try_from(number - 1).unwrap_or(usize::MAX);
    let entry = &mut transaction.data.log[place].0;
    let before = std::mem::replace(entry, Entry::Gone(hash));
    transaction.on_drop(move |data| data.log[place].0 = before);
}

fn purge_incidents(transaction: &mut MemoryTransaction<'_>, purge: &Purge) -> u64 {
    let data = &*transaction.data;
    let has_jobs = |number: u64| data.incident_of.values().any(|&of| of == number);
    let old = data.incidents.stored().filter(|incident| {
        incident.record.last_seen.timestamp_micros() < purge.started_before.timestamp_micros()
            && incident.record.closed_at.is_some()
            && !has_jobs(incident.number)
    });
    let old: Vec<u64> = old
        .take(purge.limit)
        .map(|incident| incident.number)
        .collect();
    for &number in &old {
        if let Some(incident) = transaction.data.incidents.remove(number) {
            transaction.on_drop(move |data| _ = data.incidents.put(number, incident));
        }
    }
    old.len() as u64
}

fn purge_messages(transaction: &mut MemoryTransaction<'_>, purge: &Purge) -> u64 {
    let data = &*transaction.data;
    let is_on_the_way = |number: u64| {
        let deliveries = data.deliveries.get(&number);
        deliveries.is_some_and(|sinks| sinks.values().any(|one| one.next_attempt_at.is_some()))
    };
    let old = data.messages.stored().filter(|Stored { number, record }| {
        record.made_at.timestamp_micros() < purge.started_before.timestamp_micros()
            && !is_on_the_way(*number)
    });
    let old: Vec<u64> = old
        .take(purge.limit)
        .map(|message| message.number)
        .collect();
    for &number in &old {
        let message = transaction.data.messages.remove(number);
        let deliveries = transaction.data.deliveries.remove(&number);
        transaction.on_drop(move |data| {
            if let Some(message) = message {
                data.messages.put(number, message);
            }
            data.deliveries
                .extend(deliveries.map(|deliveries| (number, deliveries)));
        });
    }
    old.len() as u64
}

fn purge_streams(transaction: &mut MemoryTransaction<'_>, purge: &Purge) -> u64 {
    let data = &*transaction.data;
    let has_jobs = |key: &StreamKey| data.rows.values().any(|row| row.stream == *key);
    let idle = data.stream_order.iter().filter(|(_, key)| {
        let stream = data.streams.get(key);
        stream
            .and_then(|stream| stream.purged_until_micros)
            .is_some_and(|until| until < purge.idle_before.timestamp_micros())
            && !has_jobs(key)
    });
    let idle: Vec<u64> = idle.take(purge.limit).map(|(&number, _)| number).collect();
    for &number in &idle {
        if let Some((key, stream)) = transaction.data.remove_stream(number) {
            let state = transaction.data.model_states.remove(&key);
            transaction.on_drop(move |data| {
                data.put_stream(number, key.clone(), stream);
                data.model_states.extend(state.map(|state| (key, state)));
            });
        }
    }
    idle.len() as u64
}
