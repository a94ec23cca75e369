//! Snapshots joined with the tasks that made them, and with their manifests.

use std::collections::{HashMap, VecDeque};

use anomaly_model::chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use anomaly_model::{BackupImage, BackupJob, JobStatus};

use crate::pbs::element::{Element, Unprotected, Upload, status_of, time, worker_id};
use crate::values::{ELEMENT, Path, Values};
use crate::{
    Format, Input, Located, Place, ReadOption, ReadOptions, Record, RecordError, SourceError, json,
};

/// The source of every job.
const PBS: &str = "pbs";

/// The client takes the time of a snapshot before it connects, which starts the task; their clocks
/// may differ.
const MOST_APART: TimeDelta = TimeDelta::minutes(5);

/// So many tasks, and so many manifests, are held at most.
const MOST_HELD: usize = 1 << 16;

/// Elements of lists, as the client prints them and as the API answers, and what is used of a
/// manifest.
const WANTED: &[Path] = &[
    &[ELEMENT],
    &["data", ELEMENT],
    &["backup-type"],
    &["backup-id"],
    &["backup-time"],
    &["unprotected", "chunk_upload_stats"],
];

/// A finished backup task that waits for its snapshot.
#[derive(Clone, Copy)]
struct Task {
    place: Place,
    started_at: DateTime<Utc>,
    ended_at: DateTime<Utc>,
    status: JobStatus,
    is_joined: bool,
}

/// Tasks and manifests wait for their snapshots; snapshots wait for nothing.
pub(super) struct Join<'a> {
    values: Values<'a>,
    /// The datastore, which no list names, with the namespace behind a slash.
    policy: String,
    tasks: Vec<Task>,
    /// The places in `tasks` of those of a group.
    tasks_of: HashMap<String, Vec<usize>>,
    manifests: HashMap<(String, i64), (Place, Upload)>,
    /// The manifest that is read, and in which document it is.
    manifest: Element,
    manifest_place: Place,
    document: u64,
    /// Whether a snapshot was read already.
    has_snapshots: bool,
    ready: VecDeque<Record>,
    is_empty: bool,
    has_ended: bool,
}

impl<'a> Join<'a> {
    pub(super) fn new(input: Input<'a>, options: &ReadOptions) -> Result<Self, SourceError> {
        let policy = options.policy.clone().ok_or(SourceError::OptionNeeded {
            format: Format::Pbs,
            option: ReadOption::Policy,
        })?;
        Ok(Self {
            values: Values::new(input, WANTED, options),
            policy,
            tasks: Vec::new(),
            tasks_of: HashMap::new(),
            manifests: HashMap::new(),
            manifest: Element::default(),
            manifest_place: Place::line(1),
            document: 0,
            has_snapshots: false,
            ready: VecDeque::new(),
            is_empty: true,
            has_ended: false,
        })
    }

    pub(super) fn next(&mut self) -> Result<Option<Record>, SourceError> {
        loop {
            if let Some(record) = self.ready.pop_front() {
                return Ok(Some(record));
            }
            if self.has_ended {
                return if self.is_empty { Err(EMPTY) } else { Ok(None) };
            }
            let Some(value) = self.values.next()? else {
                self.has_ended = true;
                self.finish_manifest();
                self.say_what_waits();
                continue;
            };
            self.is_empty = false;
            let (place, path, document) = (value.raw.place, value.path, value.document);
            let piece = value
                .raw
                .text
                .and_then(|text| Piece::parse(path, text, place));
            if document != self.document {
                self.finish_manifest();
                self.document = document;
            }
            if let Err(error) = piece.and_then(|piece| self.take_in(piece, place)) {
                self.ready.push_back(Record::Bad(error));
            }
        }
    }

    fn take_in(&mut self, piece: Piece, place: Place) -> Result<(), RecordError> {
        match piece {
            Piece::Type(text) => self.manifest.backup_type = Some(text),
            Piece::Id(text) => self.manifest.backup_id = Some(text),
            Piece::Time(seconds) => self.manifest.backup_time = Some(seconds),
            Piece::Upload(upload) => {
                self.manifest.unprotected = Some(Unprotected {
                    chunk_upload_stats: Some(upload),
                });
                self.manifest_place = place;
            }
            Piece::Element(element) if element.upid.is_some() => self.task(*element, place)?,
            Piece::Element(element) if element.unprotected.is_some() => {
                self.keep_manifest(&element, place);
            }
            Piece::Element(element) => self.snapshot(&element, place)?,
        }
        Ok(())
    }

    /// The end of the document of a manifest, if it was one.
    fn finish_manifest(&mut self) {
        let manifest = std::mem::take(&mut self.manifest);
        self.keep_manifest(&manifest, self.manifest_place);
    }

    fn keep_manifest(&mut self, manifest: &Element, place: Place) {
        let unprotected = manifest.unprotected.as_ref();
        let upload = unprotected.and_then(|unprotected| unprotected.chunk_upload_stats);
        let (Some(group), Some(seconds), Some(upload)) =
            (manifest.group(), manifest.backup_time, upload)
        else {
            return;
        };
        if self.manifests.len() < MOST_HELD {
            self.manifests.insert((group, seconds), (place, upload));
        } else {
            let error =
                RecordError::new(place, "more manifests before the snapshots than are held");
            self.ready.push_back(Record::Bad(error));
        }
    }

    fn task(&mut self, task: Element, place: Place) -> Result<(), RecordError> {
        let bad = |message: &str| RecordError::new(place, message);
        let skipped = |why| Record::skipped(place, why);
        if task.worker_type.as_deref() != Some("backup") {
            self.ready.push_back(skipped("a task that is no backup"));
            return Ok(());
        }
        let (Some(ended), Some(status)) = (task.endtime, task.status.as_deref()) else {
            self.ready.push_back(skipped("a task that has not ended"));
            return Ok(());
        };
        let id = task.worker_id.as_deref().and_then(worker_id);
        let (store, group) = id.ok_or_else(|| bad("`worker_id` names no backup group"))?;
        if store.is_some_and(|store| store != self.datastore()) {
            self.ready.push_back(skipped("a task of another datastore"));
            return Ok(());
        }
        let started_at = task.starttime.and_then(time);
        let started_at = started_at.ok_or_else(|| bad("`starttime` is no time"))?;
        let ended_at = time(ended).ok_or_else(|| bad("`endtime` is no time"))?;
        let status = status_of(status);
        if matches!(status, JobStatus::Failed | JobStatus::Cancelled) {
            let upid = task.upid.unwrap_or_default();
            let (kind, _) = group.split_once('/').unwrap_or_default();
            let job = BackupJob::builder(PBS, upid, group, self.policy.clone(), started_at)
                .policy_type(kind)
                .ended_at(ended_at)
                .status(status);
            self.ready.push_back(Record::built(place, job.build()));
        } else if self.has_snapshots {
            let why = "a backup task behind the snapshots, too late to be joined: put it first";
            self.ready.push_back(skipped(why));
        } else if self.tasks.len() == MOST_HELD {
            return Err(bad("more tasks before the snapshots than are held"));
        } else {
            let tasks = self.tasks_of.entry(group.to_owned()).or_default();
            tasks.push(self.tasks.len());
            self.tasks.push(Task {
                place,
                started_at,
                ended_at,
                status,
                is_joined: false,
            });
        }
        Ok(())
    }

    fn snapshot(&mut self, snapshot: &Element, place: Place) -> Result<(), RecordError> {
        let bad = |message: &str| RecordError::new(place, message);
        let group = snapshot
            .group()
            .ok_or_else(|| bad("neither a task with `upid` nor a snapshot with `backup-id`"))?;
        let seconds = snapshot.backup_time;
        let started_at = seconds.and_then(time);
        let (Some(seconds), Some(started_at)) = (seconds, started_at) else {
            return Err(bad("`backup-time` is no time"));
        };
        self.has_snapshots = true;
        let upload = self.manifests.remove(&(group.clone(), seconds));
        let task = self.task_of(&group, started_at);
        let Some(size) = snapshot.size else {
            let why = "a snapshot without a manifest: its backup runs, or was cut off";
            self.ready.push_back(Record::skipped(place, why));
            return Ok(());
        };
        let mut policy = self.policy.clone();
        if let Some(ns) = snapshot.ns.as_deref().filter(|ns| !ns.is_empty()) {
            policy = format!("{}/{ns}", self.datastore());
        }
        let day = started_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let id = format!("{policy}:{group}/{day}");
        let image = BackupImage::default()
            .image_bytes(size)
            .transferred_bytes(upload.and_then(|(_, upload)| upload.transferred_bytes()))
            .stored_bytes(upload.and_then(|(_, upload)| upload.stored_bytes()));
        let mut job = BackupJob::builder(PBS, id, group, policy, started_at)
            .policy_type(snapshot.backup_type.as_deref())
            .image(image);
        if let Some(task) = task {
            let length = task.ended_at - task.started_at;
            job = job
                .status(task.status)
                .duration_seconds(length.as_seconds_f64())
                // By the clock of another machine.
                .ended_at((task.ended_at >= started_at).then_some(task.ended_at));
        }
        self.ready.push_back(Record::built(place, job.build()));
        if task.is_none() {
            let what = "no task of this snapshot is there: how long it took is not known";
            self.ready
                .push_back(Record::Remark(Located::new(place, what)));
        }
        if upload.is_none() {
            let what = "no manifest of this snapshot is there: what it sent is not known";
            self.ready
                .push_back(Record::Remark(Located::new(place, what)));
        }
        Ok(())
    }

    /// The task that made a snapshot: the nearest in time that made no other.
    fn task_of(&mut self, group: &str, started_at: DateTime<Utc>) -> Option<Task> {
        let apart = |task: &Task| (task.started_at - started_at).abs();
        let nearest = self.tasks_of.get(group)?.iter().copied();
        let nearest = nearest
            .filter(|&index| {
                let task = self.tasks.get(index);
                task.is_some_and(|task| !task.is_joined && apart(task) <= MOST_APART)
            })
            .min_by_key(|&index| self.tasks.get(index).map(apart))?;
        let task = self.tasks.get_mut(nearest)?;
        task.is_joined = true;
        Some(*task)
    }

    fn datastore(&self) -> &str {
        self.policy.split('/').next().unwrap_or_default()
    }

    /// At the end: what found no snapshot.
    fn say_what_waits(&mut self) {
        let tasks = self.tasks.iter().filter(|task| !task.is_joined);
        let why = "a backup task whose snapshot is not there";
        self.ready
            .extend(tasks.map(|task| Record::skipped(task.place, why)));
        let mut places: Vec<Place> = self.manifests.values().map(|(place, _)| *place).collect();
        places.sort_unstable();
        let why = "a manifest whose snapshot is not there";
        self.ready
            .extend(places.into_iter().map(|place| Record::skipped(place, why)));
    }
}

/// A value of the input.
enum Piece {
    Element(Box<Element>),
    /// A part of a manifest.
    Type(String),
    Id(String),
    Time(i64),
    Upload(Upload),
}

impl Piece {
    fn parse(path: usize, text: &str, place: Place) -> Result<Self, RecordError> {
        match path {
            0 | 1 => json::parse_by_path(text, place).map(Self::Element),
            2 => json::parse_by_path(text, place).map(Self::Type),
            3 => json::parse_by_path(text, place).map(Self::Id),
            4 => json::parse_by_path(text, place).map(Self::Time),
            _ => json::parse_by_path(text, place).map(Self::Upload),
        }
    }
}

const EMPTY: SourceError = SourceError::Empty {
    reason: "there is no task and no snapshot in it",
};
