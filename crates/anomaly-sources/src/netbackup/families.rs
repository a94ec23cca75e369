//! Jobs of one backup brought together: NetBackup runs a backup of several streams as a parent job
//! and one child for each stream.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::netbackup::gather::Gather;
use crate::netbackup::run::{Run, together};
use crate::{Place, Record, RecordError};

/// So many jobs are held while their relatives may come.
///
/// A parent and its children get their numbers within minutes of each other, and are listed close
/// together, in whichever order: the list of the newest jobs first has the children first.
const HELD_JOBS: usize = 10_000;
/// So many numbers of jobs are remembered, to know a relative that is not held any more.
const REMEMBERED_JOBS: usize = 4 * HELD_JOBS;

/// A job of type backup, and who its parent is.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: u64,
    /// Its parent's number; 0 or its own if it has none.
    pub(super) parent: u64,
    /// Whether it is known to have children, even if they are not in this input.
    pub(super) has_children: bool,
    pub(super) client: String,
    pub(super) place: Place,
    /// What it did, if that is known.
    pub(super) run: Result<Run, NoRun>,
}

impl Member {
    /// Passed over, because of `why` unless there is a reason of its own.
    fn told(self, why: &'static str) -> Record {
        match self.run {
            Ok(_) => Record::skipped(self.place, why),
            Err(own) => own.record(self.place),
        }
    }
}

/// Why it is not known what a job did.
#[derive(Debug)]
pub(super) enum NoRun {
    /// It has not ended.
    NotEnded(&'static str),
    Bad(RecordError),
}

impl NoRun {
    fn record(self, place: Place) -> Record {
        match self {
            Self::NotEnded(why) => Record::skipped(place, why),
            Self::Bad(error) => Record::Bad(error),
        }
    }
}

/// A parent, or a job that has none, and the streams below it.
#[derive(Debug, Default)]
struct Family {
    head: Option<Box<Member>>,
    streams: BTreeMap<u64, Box<Member>>,
}

impl Family {
    fn len(&self) -> usize {
        self.streams.len() + usize::from(self.head.is_some())
    }
}

/// Jobs that wait for their relatives, in the order in which the first of each family came.
///
/// The streams of one parent that protect the same client are one backup. Its id is made of both,
/// `4711/mail01`, even if only one stream is there: which of them an input has differs from one to
/// the next, and the same backup must have the same id in all. The parent itself carries no data,
/// or the sum of its children's, and is skipped. So is all of a backup of which a part has not
/// ended, or has a bad record: a sum without it would look like lost data.
///
/// A parent without children in the input is a job like any other, with its own number as its id.
/// Children without a parent in the input are what is left of a backup, and passed over, unless no
/// parent is there: then the list was made without them.
#[derive(Debug, Default)]
pub(super) struct Families {
    waiting: VecDeque<Waiting>,
    by_root: HashMap<u64, Family>,
    held: usize,
    /// Nothing more comes.
    is_complete: bool,
    /// What comes next cannot be read.
    is_cut: bool,
    /// Whether there is a parent and a child of it.
    has_parents: bool,
    parents: Remembered,
    seen: Remembered,
    ready: VecDeque<Record>,
}

/// The numbers of the last jobs of some kind.
#[derive(Debug, Default)]
struct Remembered {
    numbers: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Remembered {
    fn insert(&mut self, number: u64) {
        if self.numbers.insert(number) {
            self.order.push_back(number);
        }
        if self.order.len() > REMEMBERED_JOBS
            && let Some(oldest) = self.order.pop_front()
        {
            self.numbers.remove(&oldest);
        }
    }

    fn contains(&self, number: u64) -> bool {
        self.numbers.contains(&number)
    }
}

#[derive(Debug)]
enum Waiting {
    Record(Box<Record>),
    Family(u64),
}

impl Families {
    /// Takes in a record that has no relatives.
    pub(super) fn pass(&mut self, record: Record) {
        self.waiting.push_back(Waiting::Record(Box::new(record)));
        self.held += 1;
    }

    /// Takes note of a job of another kind, which can be the parent of backups.
    pub(super) fn see(&mut self, number: u64) {
        self.has_parents |= self.parents.contains(number);
        self.seen.insert(number);
    }

    /// Takes note that the input is cut where it is read.
    pub(super) fn cut(&mut self) {
        self.is_cut = true;
    }

    /// Takes in a job.
    pub(super) fn add(&mut self, member: Box<Member>) {
        let is_root = member.parent == 0 || member.parent == member.id;
        let root = if is_root { member.id } else { member.parent };
        self.see(member.id);
        if !is_root {
            self.has_parents |= self.seen.contains(root);
            self.parents.insert(root);
        }
        if member.has_children {
            self.parents.insert(member.id);
        }
        let waiting = &mut self.waiting;
        let family = self.by_root.entry(root).or_insert_with(|| {
            waiting.push_back(Waiting::Family(root));
            Family::default()
        });
        let before = if is_root {
            family.head.replace(member)
        } else {
            family.streams.insert(member.id, member)
        };
        match before {
            Some(before) => {
                let again = "a job that is there again further down";
                self.pass(Record::skipped(before.place, again));
            }
            None => self.held += 1,
        }
    }

    fn release(&mut self, oldest: Waiting) {
        match oldest {
            Waiting::Record(record) => {
                self.held -= 1;
                self.ready.push_back(*record);
            }
            Waiting::Family(root) => {
                if let Some(family) = self.by_root.remove(&root) {
                    self.held -= family.len();
                    self.tell(root, family);
                }
            }
        }
    }

    /// What a family is.
    fn tell(&mut self, root: u64, family: Family) {
        const PARENT: &str = "a parent job, whose children carry the data";
        const ORPHAN: &str = "a stream of a backup whose parent is not in the list";
        let is_parent = |member: &Member| self.parents.contains(member.id);
        let streams = family.streams.into_values().map(|member| *member);
        let (parents, streams): (Vec<_>, Vec<_>) = streams.partition(is_parent);
        let mut parent_runs = false;
        match family.head {
            Some(head) if streams.is_empty() && parents.is_empty() && !is_parent(&head) => {
                let record = head.run.map_or_else(
                    |why| why.record(head.place),
                    |run| Record::new(head.place, run.job()),
                );
                self.ready.push_back(record);
                return;
            }
            Some(head) => {
                parent_runs = matches!(head.run, Err(NoRun::NotEnded(_)));
                let parent = Record::skipped(head.place, PARENT);
                let record = head.run.err().map(|why| why.record(head.place));
                self.ready.push_back(record.unwrap_or(parent));
            }
            None => {}
        }
        let parents = parents.into_iter();
        self.ready
            .extend(parents.map(|parent| Record::skipped(parent.place, PARENT)));

        if !self.seen.contains(root) && (self.has_parents || self.is_cut) {
            let orphans = streams.into_iter().map(|stream| stream.told(ORPHAN));
            self.ready.extend(orphans);
            return;
        }
        let mut backups: BTreeMap<String, Vec<Member>> = BTreeMap::new();
        for stream in streams {
            backups
                .entry(stream.client.clone())
                .or_default()
                .push(stream);
        }
        let mut records: Vec<_> = backups
            .into_iter()
            .flat_map(|(client, streams)| backup(root, &client, streams, parent_runs))
            .collect();
        records.sort_by_key(place);
        self.ready.extend(records);
    }
}

impl Gather for Families {
    fn next(&mut self) -> Option<Record> {
        let most = if self.is_complete { 0 } else { HELD_JOBS };
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

/// What the streams of one client below the parent `root` are.
fn backup(root: u64, client: &str, streams: Vec<Member>, parent_runs: bool) -> Vec<Record> {
    let place = streams.iter().map(|stream| stream.place).min();
    if !parent_runs && streams.iter().all(|stream| stream.run.is_ok()) {
        let runs: Vec<_> = (streams.into_iter())
            .filter_map(|stream| stream.run.ok())
            .collect();
        let id = format!("{root}/{client}");
        let job = together(runs, id).map(|run| run.and_then(Run::job));
        let found = place.zip(job).map(|(place, job)| Record::new(place, job));
        return found.into_iter().collect();
    }
    let is_bad = |stream: &Member| matches!(stream.run, Err(NoRun::Bad(_)));
    let why = if streams.iter().any(is_bad) {
        "a stream of a backup of which another record is bad"
    } else {
        "a stream of a backup that has not ended"
    };
    streams.into_iter().map(|stream| stream.told(why)).collect()
}

fn place(record: &Record) -> Place {
    match record {
        Record::Job(job) => job.place,
        Record::Skipped(said) | Record::Remark(said) => said.place,
        Record::Bad(error) => error.place,
    }
}
