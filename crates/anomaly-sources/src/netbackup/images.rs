//! Images of one backup brought together.

use std::collections::{BTreeMap, HashMap, VecDeque};

use anomaly_model::ScheduleType;
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};

use crate::netbackup::codes;
use crate::netbackup::gather::Gather;
use crate::netbackup::run::{Run, together};
use crate::{Place, Record};

/// So many images are held while others of the same backup may come. The lists are in the order of
/// time, or against it.
const HELD_IMAGES: usize = 10_000;

/// The streams of one backup start within so much time of each other.
const STREAMS: TimeDelta = TimeDelta::days(1);

const NOT_ENDED: &str = "a stream of a backup that has not ended";
const MAY_GO_ON: &str = "an image of a backup that may go on where the list is cut";

/// Whose images can be of one backup: client, policy, name and type of the schedule.
type StreamName = (String, String, Option<String>, Option<ScheduleType>);

/// Images that were written at the same time by the same schedule of a policy for the same client.
#[derive(Debug)]
struct Backup {
    stream: StreamName,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    images: BTreeMap<String, Box<Run>>,
    /// Images that are being written.
    running: Vec<Place>,
}

impl Backup {
    fn of(image: &Run, end: DateTime<Utc>) -> Self {
        Self {
            stream: (
                image.client.clone(),
                image.policy.clone(),
                image.schedule.clone(),
                image.schedule_type,
            ),
            start: image.started_at,
            end,
            images: BTreeMap::new(),
            running: Vec::new(),
        }
    }

    fn len(&self) -> usize {
        self.images.len() + self.running.len()
    }

    /// Passes over all of it, because of `why`.
    fn told(self, why: &'static str) -> impl Iterator<Item = Record> {
        let running = self
            .running
            .into_iter()
            .map(|place| (place, codes::RUNNING));
        let images = self
            .images
            .into_values()
            .map(move |image| (image.place, why));
        let mut told: Vec<_> = running.chain(images).collect();
        told.sort_unstable();
        told.into_iter()
            .map(|(place, why)| Record::skipped(place, why))
    }
}

/// Images that wait for others, in the order in which the first of each backup came.
///
/// A backup of several streams writes one image for each, and nothing in an image says which belong
/// together. But one stream does not run twice at a time: images of the same client, policy and
/// schedule whose times overlap are streams of one backup. It has the id of the earliest. Streams
/// that wait for each other cannot be told from backups that follow each other: they stay backups
/// of their own. A backup of which a stream still runs is passed over whole: a sum without it would
/// look like lost data.
#[derive(Debug, Default)]
pub(super) struct Images {
    waiting: VecDeque<Waiting>,
    backups: HashMap<u64, Backup>,
    /// The backups of each stream by their start; no two of them overlap.
    by_stream: HashMap<StreamName, BTreeMap<DateTime<Utc>, u64>>,
    next_number: u64,
    held: usize,
    /// Nothing more comes.
    is_complete: bool,
    /// What comes next cannot be read.
    is_cut: bool,
    /// The backup of the last image.
    last: Option<u64>,
    ready: VecDeque<Record>,
}

#[derive(Debug)]
enum Waiting {
    Record(Box<Record>),
    Backup(u64),
}

impl Images {
    /// Takes in a record that is no image.
    pub(super) fn pass(&mut self, record: Record) {
        self.waiting.push_back(Waiting::Record(Box::new(record)));
        self.held += 1;
    }

    /// Takes note that the input is cut where it is read.
    pub(super) fn cut(&mut self) {
        self.is_cut = true;
    }

    /// Takes in an image.
    pub(super) fn add(&mut self, image: Box<Run>) {
        let mut backup = Backup::of(&image, image.end());
        backup.images.insert(image.job_id.clone(), image);
        self.join(backup);
    }

    /// Takes in an image that is being written. When it will end nobody knows: it may be of one backup
    /// with all that starts within a day.
    pub(super) fn add_running(&mut self, image: &Run) {
        let end = image.started_at.checked_add_signed(STREAMS);
        let mut backup = Backup::of(image, end.unwrap_or(DateTime::<Utc>::MAX_UTC));
        backup.running.push(image.place);
        self.join(backup);
    }

    /// Takes in a backup of one image, with those that ran at the same time.
    fn join(&mut self, mut backup: Backup) {
        self.held += 1;
        let mut number = self.next_number;
        for (other_number, other) in self.take_overlapping(&backup) {
            number = number.min(other_number);
            backup.start = backup.start.min(other.start);
            backup.end = backup.end.max(other.end);
            backup.running.extend(other.running);
            for (id, image) in other.images {
                let place = image.place;
                // The later one of two with one id is `backup`'s own.
                if let Some(again) = backup.images.insert(id, image) {
                    self.held -= 1;
                    let place = again.place.max(place);
                    let record = Record::skipped(place, "an image that is there twice");
                    self.ready.push_back(record);
                }
            }
        }
        if number == self.next_number {
            self.next_number += 1;
            self.waiting.push_back(Waiting::Backup(number));
        }
        self.last = Some(number);
        let of_stream = self.by_stream.entry(backup.stream.clone()).or_default();
        of_stream.insert(backup.start, number);
        self.backups.insert(number, backup);
    }

    /// Takes out the backups that ran at the same time.
    fn take_overlapping(&mut self, backup: &Backup) -> Vec<(u64, Backup)> {
        let Some(of_stream) = self.by_stream.get_mut(&backup.stream) else {
            return Vec::new();
        };
        let mut taken = Vec::new();
        // The backups of a stream overlap with none of each other, so the later one starts, the
        // later it ends: those that overlap with `backup` stand side by side.
        for (&start, &number) in of_stream.range(..=backup.end).rev() {
            let Some(other) = self.backups.get(&number) else {
                continue;
            };
            let is_before = other.end <= backup.start && start != backup.start;
            if is_before {
                break;
            }
            if start < backup.end || start == backup.start {
                taken.push((start, number));
            }
        }
        let taken = taken.into_iter().filter_map(|(start, number)| {
            of_stream.remove(&start);
            Some((number, self.backups.remove(&number)?))
        });
        taken.collect()
    }

    fn release(&mut self, oldest: Waiting) {
        match oldest {
            Waiting::Record(record) => {
                self.held -= 1;
                self.ready.push_back(*record);
            }
            Waiting::Backup(number) => {
                // One that was joined to an older one is not there any more.
                if let Some(backup) = self.backups.remove(&number) {
                    self.held -= backup.len();
                    self.forget(&backup);
                    if self.is_cut && self.last == Some(number) {
                        self.ready.extend(backup.told(MAY_GO_ON));
                    } else if !backup.running.is_empty() {
                        self.ready.extend(backup.told(NOT_ENDED));
                    } else {
                        self.tell(backup);
                    }
                }
            }
        }
    }

    fn forget(&mut self, backup: &Backup) {
        if let Some(of_stream) = self.by_stream.get_mut(&backup.stream) {
            of_stream.remove(&backup.start);
            if of_stream.is_empty() {
                self.by_stream.remove(&backup.stream);
            }
        }
    }

    fn tell(&mut self, backup: Backup) {
        let images: Vec<_> = backup.images.into_values().map(|image| *image).collect();
        let earliest = images
            .iter()
            .min_by_key(|image| (image.started_at, &image.job_id));
        let Some(id) = earliest.map(|image| image.job_id.clone()) else {
            return;
        };
        let place = images.iter().map(|image| image.place).min();
        let run = together(images, id);
        let job = run.map(|run| run.and_then(Run::job));
        let record = place.zip(job).map(|(place, job)| Record::new(place, job));
        self.ready.extend(record);
    }
}

impl Gather for Images {
    fn next(&mut self) -> Option<Record> {
        let most = if self.is_complete { 0 } else { HELD_IMAGES };
        while self.ready.is_empty()
            && self.held > most
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.release(oldest);
        }
        self.ready.pop_front()
    }

    fn finish(&mut self, is_cut: bool) {
        self.is_complete = true;
        self.is_cut |= is_cut;
    }
}
