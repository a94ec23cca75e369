//! One file of backup jobs, read record by record.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Cursor, Read as _};
use std::path::Path;
use std::rc::Rc;

use anomaly_features::counted;
use anomaly_model::BackupJob;
use anomaly_service::NotKept;
use anomaly_sources::{
    CsvMapping, Format, Located, ReadOption, ReadOptions, Reader, Record, SourceError, recognise,
};

use crate::cli::{FormatChoice, InputOptions};
use crate::exit::Failure;
use crate::input::server;
use crate::input::warnings::Warnings;
use crate::terminal::{information, warning};

/// Of a pipe, one read may give next to nothing: a format is recognised by so much.
const HEAD_BYTES: u64 = 1 << 16;

/// The jobs of a file, read as they are asked for. A bad record is reported and skipped.
pub(crate) struct JobFile {
    name: Rc<str>,
    records: Reader<'static>,
    bad: Warnings,
    not_kept: Warnings,
    skipped: Warnings,
    remarks: Warnings,
    /// Whether the job before was passed over.
    is_passed_over: bool,
    /// What a server sent besides jobs: how much for which reason. It has no lines to look at.
    sent_besides: Option<BTreeMap<&'static str, u64>>,
    /// Whether it is no failure if there is nothing: a server that was asked for what is new.
    may_be_empty: bool,
}

impl JobFile {
    /// Opens a file named on the command line.
    pub(crate) fn open(path: &Path, arguments: &InputOptions) -> Result<Self, Failure> {
        let name = file_name(path);
        let failed = |source| Failure::of_source(&name, source);
        let server = server::open(path, arguments)?;
        let is_server = server.is_some();
        let mut since = arguments.since.clone();
        let (mut content, format) = match server {
            Some(remote) => {
                since = remote.since;
                (remote.content, FormatChoice::Named(remote.format))
            }
            None => (open(path)?, arguments.format),
        };
        let format = match format {
            FormatChoice::Named(format) => format,
            FormatChoice::Auto => {
                let mut head = Vec::new();
                let taken = content.by_ref().take(HEAD_BYTES).read_to_end(&mut head);
                taken.map_err(|source| Failure::Open {
                    path: path.to_owned(),
                    source,
                })?;
                let found = recognise(&head).map_err(failed)?;
                // Nothing else looks like our own records.
                if found.format != Format::Ndjson {
                    let because = found.because;
                    information(&format!("{name}: read as {}: {because}", found.format));
                }
                content = Box::new(Cursor::new(head).chain(content));
                found.format
            }
        };
        warn_of_unused(arguments, &name, format);
        let options = ReadOptions::default()
            .client(arguments.client.clone())
            .policy(arguments.policy.clone())
            .started_at(arguments.started_at)
            .exit_code(arguments.exit_code)
            .timezone(arguments.timezone)
            .policy_parts(arguments.policy_parts.clone())
            .csv_mapping(mapping(arguments.csv_mapping.as_deref())?)
            .since(since);
        let records = anomaly_sources::read(content, format, &options).map_err(failed)?;
        Ok(Self {
            name: name.into(),
            records,
            bad: Warnings::default(),
            not_kept: Warnings::default(),
            skipped: Warnings::default(),
            remarks: Warnings::default(),
            is_passed_over: false,
            sent_besides: is_server.then(BTreeMap::new),
            may_be_empty: is_server && arguments.since.is_some(),
        })
    }

    /// The name of the file, as messages say it.
    pub(crate) fn name(&self) -> &Rc<str> {
        &self.name
    }

    /// The next job; `None` at the end of the file.
    pub(crate) fn next(&mut self) -> Result<Option<Located<BackupJob>>, Failure> {
        let name = &self.name;
        for record in self.records.by_ref() {
            if self.may_be_empty && matches!(record, Err(SourceError::Empty { .. })) {
                break;
            }
            match record.map_err(|source| Failure::of_source(name, source))? {
                Record::Job(job) => {
                    self.is_passed_over = false;
                    return Ok(Some(job));
                }
                Record::Skipped(Located {
                    place, value: why, ..
                }) => match &mut self.sent_besides {
                    Some(counts) => *counts.entry(why).or_default() += 1,
                    None => self
                        .skipped
                        .add(|| format!("{name}: {place}: {why}; skipped")),
                },
                Record::Remark(_) if self.is_passed_over => {}
                Record::Remark(Located {
                    place, value: what, ..
                }) => self.remarks.add(|| format!("{name}: {place}: {what}")),
                Record::Bad(error) => self.bad.add(|| format!("{name}: {error}; skipped")),
                _ => self
                    .bad
                    .add(|| format!("{name}: a record of an unknown kind; skipped")),
            }
        }
        Ok(None)
    }

    /// Passes over the job that came last: nothing more is said of it.
    pub(crate) fn pass_over(&mut self) {
        self.is_passed_over = true;
    }

    /// Says why a job of the file is not kept.
    pub(crate) fn not_kept(&mut self, job: &Located<BackupJob>, why: &NotKept) {
        let (name, place, id) = (&self.name, &job.place, job.value.job_id());
        self.not_kept
            .add(|| format!("{name}: {place}: job {id} is not judged: {why}"));
    }

    /// Ends the reading, and says how many records were bad.
    pub(crate) fn finish(self) -> u64 {
        if let passed_over @ 1.. = self.records.passed_over() {
            let (name, records) = (&self.name, counted(passed_over, "record"));
            information(&format!("{name}: {records} passed over, as --since asks"));
        }
        for (why, count) in self.sent_besides.into_iter().flatten() {
            let records = counted(count, "record");
            information(&format!("{}: {records} skipped: {why}", self.name));
        }
        self.remarks
            .finish(&self.name, "records of which something could not be known");
        self.skipped
            .finish(&self.name, "records that are no finished backups");
        self.not_kept.finish(&self.name, "jobs that are not judged");
        self.bad
            .finish(&self.name, "records that could not be read")
    }
}

/// An option that changes nothing is a misunderstanding.
fn warn_of_unused(arguments: &InputOptions, name: &str, format: Format) {
    let used = format.source().options();
    let given = [
        (ReadOption::Client, arguments.client.is_some()),
        (ReadOption::Policy, arguments.policy.is_some()),
        (ReadOption::PolicyParts, arguments.policy_parts.is_some()),
        (ReadOption::StartedAt, arguments.started_at.is_some()),
        (ReadOption::ExitCode, arguments.exit_code.is_some()),
        (ReadOption::Timezone, arguments.timezone.is_some()),
        (ReadOption::CsvMapping, arguments.csv_mapping.is_some()),
    ];
    for (option, is_given) in given {
        if is_given && !used.contains(&option) {
            let option = option.as_str().replace('_', "-");
            warning(&format!(
                "{name}: --{option} is not used: {format} has no need of it"
            ));
        }
    }
}

/// Reads the mapping of columns, if one is given.
fn mapping(path: Option<&Path>) -> Result<Option<CsvMapping>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let text = fs::read_to_string(path).map_err(|source| Failure::Open {
        path: path.to_owned(),
        source,
    })?;
    let mapping = CsvMapping::parse(&text).map_err(|source| Failure::Mapping {
        path: path.to_owned(),
        source,
    })?;
    Ok(Some(mapping))
}

/// Opens a file named on the command line; `-` is standard input.
pub(crate) fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let failed = |source| Failure::Open {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    Ok(Box::new(BufReader::with_capacity(1 << 16, file)))
}

/// How messages call a file named on the command line.
pub(crate) fn file_name(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}
