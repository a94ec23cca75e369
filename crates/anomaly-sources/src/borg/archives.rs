//! `borg info --json` and `borg list --json`: the archives of a repository.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::borg::POLICY_PARTS;
use crate::borg::archive::{Archive, Repository};
use crate::values::{ELEMENT, Path, Values};
use crate::{
    Head, Input, Place, ReadOption, ReadOptions, Record, RecordError, Records, Source, SourceError,
    json,
};

/// So many archives are held at most.
const MAX_HELD: usize = 1 << 16;

/// The format `borg-info`.
#[derive(Debug)]
pub(crate) struct Info;

/// The format `borg-list`.
#[derive(Debug)]
pub(crate) struct List;

/// borg sorts its keys, and so names the repository behind its archives. borgmatic prints a list
/// of documents.
const WANTED: &[Path] = &[
    &["archives", ELEMENT],
    &[ELEMENT, "archives", ELEMENT],
    &["repository"],
    &[ELEMENT, "repository"],
];
const FIRST_REPOSITORY: usize = 2;

const OPTIONS: &[ReadOption] = &[
    ReadOption::Client,
    ReadOption::Policy,
    ReadOption::PolicyParts,
    ReadOption::StartedAt,
    ReadOption::Timezone,
];

impl Source for Info {
    fn name(&self) -> &'static str {
        "borg-info"
    }

    fn input(&self) -> &'static str {
        "`borg info --json`"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        is_info(head).then_some("it has `archives` with `command_line` or `stats`")
    }

    fn never_knows(&self) -> &'static [&'static str] {
        &[
            "exit_code",
            "transferred_bytes",
            "stored_bytes",
            "dedup_ratio",
            "files_new",
            "files_changed",
            "files_unmodified",
            "files_deleted",
            "directory_count",
            "content",
        ]
    }

    fn stream_key(&self) -> &'static str {
        "`hostname`, and as policy the first digits of the repository's id and the archive's name \
         without its date: `98486f82::home`; borg has no schedules"
    }

    fn policy_parts(&self) -> &'static [&'static str] {
        POLICY_PARTS
    }

    fn options(&self) -> &'static [ReadOption] {
        OPTIONS
    }

    fn open<'a>(
        &self,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Result<Records<'a>, SourceError> {
        Archives::open(input, options)
    }
}

impl Source for List {
    fn name(&self) -> &'static str {
        "borg-list"
    }

    fn input(&self) -> &'static str {
        "`borg list --json`, `borg repo-list --json`"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        let is = has(head, &["name", "id"]) && !is_info(head);
        is.then_some("it has `archives` with `name` and `id`, without `stats`")
    }

    /// Nothing but when, unless `--format` asks for the size and the number of files.
    fn never_knows(&self) -> &'static [&'static str] {
        Info.never_knows()
    }

    fn stream_key(&self) -> &'static str {
        "`hostname` where it is listed, else client as the option says, and as policy the first \
         digits of the repository's id and the archive's name without its date: \
         `98486f82::home`; borg has no schedules"
    }

    fn policy_parts(&self) -> &'static [&'static str] {
        POLICY_PARTS
    }

    fn options(&self) -> &'static [ReadOption] {
        OPTIONS
    }

    fn open<'a>(
        &self,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Result<Records<'a>, SourceError> {
        Archives::open(input, options)
    }
}

fn has(head: &Head<'_>, keys: &[&str]) -> bool {
    head.has_below("archives[]", keys) || head.has_below("[].archives[]", keys)
}

/// Keys are sorted: what only `info` prints is among the first.
fn is_info(head: &Head<'_>) -> bool {
    let is_listed = has(head, &["archive"]);
    let only_info = ["chunker_params", "command_line", "stats"];
    !is_listed && only_info.iter().any(|key| has(head, &[key]))
}

/// An archive, or why it cannot be read.
type Found = (Place, Result<Archive, RecordError>);

/// The archives of documents: those of each wait for its repository.
struct Archives<'a> {
    values: Values<'a>,
    options: ReadOptions,
    /// What waits, of the document that is read.
    held: VecDeque<Found>,
    document: u64,
    repository: Option<Rc<Repository>>,
    /// What waits no longer, each with its repository, if its document named one.
    ready: VecDeque<(Found, Option<Rc<Repository>>)>,
    is_empty: bool,
}

impl<'a> Archives<'a> {
    fn open(input: Input<'a>, options: &ReadOptions) -> Result<Records<'a>, SourceError> {
        let mut archives = Self {
            values: Values::new(input.not_empty()?, WANTED, options),
            options: options.clone(),
            held: VecDeque::new(),
            document: 0,
            repository: None,
            ready: VecDeque::new(),
            is_empty: true,
        };
        Ok(Box::new(std::iter::from_fn(move || {
            archives.next().transpose()
        })))
    }

    fn next(&mut self) -> Result<Option<Record>, SourceError> {
        loop {
            if let Some(((place, archive), repository)) = self.ready.pop_front() {
                self.is_empty = false;
                let repository = repository.as_deref();
                let record = archive.and_then(|archive| self.record(&archive, repository, place));
                return Ok(Some(record.unwrap_or_else(Record::Bad)));
            }
            if !self.read_on()? {
                return if self.is_empty { Err(EMPTY) } else { Ok(None) };
            }
        }
    }

    /// Takes in one more value; `false` at the end, when nothing waits any more.
    fn read_on(&mut self) -> Result<bool, SourceError> {
        let Some(value) = self.values.next()? else {
            self.settle();
            return Ok(!self.ready.is_empty());
        };
        let (place, document) = (value.raw.place, value.document);
        let (mut archive, mut repository) = (None, None);
        match value.raw.text {
            Err(error) => archive = Some(Err(error)),
            Ok(text) if value.path < FIRST_REPOSITORY => {
                archive = Some(json::parse_by_path(text, place));
            }
            Ok(text) => match json::parse_by_path(text, place) {
                Ok(found) => repository = Some(Rc::new(found)),
                Err(error) => archive = Some(Err(error)),
            },
        }
        if document != self.document {
            self.settle();
            self.document = document;
            self.repository = None;
        }
        if repository.is_some() {
            self.repository = repository;
            self.settle();
        }
        let Some(archive) = archive else {
            return Ok(true);
        };
        if self.held.len() < MAX_HELD {
            self.held.push_back((place, archive));
        } else {
            let found = (place, Err(RecordError::new(place, TOO_MANY)));
            self.ready.push_back((found, None));
        }
        if self.repository.is_some() || !self.options.has_policy_part("repository") {
            self.settle();
        }
        Ok(true)
    }

    /// Nothing more will be known of what waits.
    fn settle(&mut self) {
        let repository = &self.repository;
        let held = self.held.drain(..);
        self.ready
            .extend(held.map(|found| (found, repository.clone())));
    }

    fn record(
        &self,
        archive: &Archive,
        repository: Option<&Repository>,
        place: Place,
    ) -> Result<Record, RecordError> {
        if archive.is_checkpoint() {
            return Ok(Record::skipped(
                place,
                "a checkpoint of a backup that did not end",
            ));
        }
        let job = archive.job(repository, place, &self.options)?;
        Ok(Record::built(place, job.image(archive.image()).build()))
    }
}

const TOO_MANY: &str = "more archives before `repository` than are held: leave the repository out \
                        of the parts of the policy";

const EMPTY: SourceError = SourceError::Empty {
    reason: "there is no archive in it",
};
