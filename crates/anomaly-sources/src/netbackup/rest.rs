//! Documents of the REST interface: pages of `/admin/jobs` and `/catalog/images`.

mod image;
mod job;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::input::shown;
use crate::netbackup::families::Member;
use crate::netbackup::gather::{JobsAndImages, records};
use crate::netbackup::run::Run;
use crate::netbackup::{JOBS_NEVER_TELL, STREAM_KEY, column};
use crate::values::{ELEMENT, Path, Values};
use crate::{
    Format, Head, Input, Place, ReadOption, ReadOptions, Record, RecordError, Records, Source,
    SourceError, json,
};

/// The format `netbackup-rest`.
#[derive(Debug)]
pub(crate) struct Rest;

/// The list of a page, or the one that a request by id answers; in a list of pages, too.
const WANTED: &[Path] = &[
    &["data", ELEMENT],
    &["data"],
    &[ELEMENT, "data", ELEMENT],
    &[ELEMENT, "data"],
    &["errorCode"],
    &["errorMessage"],
];
const ERROR_CODE: usize = 4;
const ERROR_MESSAGE: usize = 5;

/// Where in the beginning of a document to look for a job or an image.
const PLACES: [&str; 3] = ["data[]", "[].data[]", "data"];
/// One of these comes early in it.
const ATTRIBUTES: [&str; 5] = ["jobId", "jobType", "policyType", "policyName", "backupTime"];

impl Source for Rest {
    fn name(&self) -> &'static str {
        "netbackup-rest"
    }

    fn input(&self) -> &'static str {
        "pages of `/admin/jobs` or `/catalog/images` of NetBackup's REST interface"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        let has = |place: &str, attribute: &str| {
            head.has(&[format!("{place}.attributes.{attribute}").as_str()])
        };
        let is_page = PLACES
            .iter()
            .any(|place| ATTRIBUTES.iter().any(|attribute| has(place, attribute)));
        if is_page {
            return Some("it has `data` with the `attributes` of jobs or images");
        }
        (head.has(&["errorCode", "errorMessage"]))
            .then_some("it is an error, with `errorCode` and `errorMessage`")
    }

    fn never_knows(&self) -> &'static [&'static str] {
        JOBS_NEVER_TELL
    }

    fn stream_key(&self) -> &'static str {
        STREAM_KEY
    }

    fn options(&self) -> &'static [ReadOption] {
        &[]
    }

    fn open<'a>(
        &self,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Result<Records<'a>, SourceError> {
        let input = input.not_empty()?;
        // Text may stand before the answer, but not for it.
        if input.surely_lacks(b"{[") {
            return Err(SourceError::WrongFormat {
                format: Format::NetBackupRest,
                expected: "JSON, as NetBackup's REST interface answers",
                found: shown(&input.head),
            });
        }
        let mut values = Values::new(input, WANTED, options);
        let mut refusal = Refusal::default();
        let mut ends_badly = false;
        let take = move |held: &mut JobsAndImages| {
            let Some(value) = values.next()? else {
                // The last record is bad because there is no more of it.
                if ends_badly {
                    held.jobs.cut();
                    held.images.cut();
                }
                return refusal.take().map_or(Ok(false), Err);
            };
            let (place, path) = (value.raw.place, value.path);
            let element = match value.raw.text {
                Err(error) => Err(error),
                Ok(text) if path == ERROR_CODE => {
                    refusal.code = Some(text.to_owned());
                    return Ok(true);
                }
                Ok(text) if path == ERROR_MESSAGE => {
                    refusal.message = Some(unquoted(text));
                    return Ok(true);
                }
                Ok(_) if refusal.is_known() => return refusal.take().map_or(Ok(true), Err),
                Ok(text) => Element::read(text, place),
            };
            ends_badly = element.is_err();
            match element {
                Ok(Element::Job(job)) => held.jobs.add(job),
                Ok(Element::Image(run)) => held.images.add(run),
                Ok(Element::Running(run)) => held.images.add_running(&run),
                Ok(Element::Other(why)) => held.jobs.pass(Record::skipped(place, why)),
                Ok(Element::OtherJob(number, why)) => {
                    held.jobs.see(number);
                    held.jobs.pass(Record::skipped(place, why));
                }
                Err(error) => held.jobs.pass(Record::Bad(error)),
            }
            Ok(true)
        };
        Ok(records(JobsAndImages::default(), take, NO_RECORDS))
    }
}

const NO_RECORDS: SourceError = SourceError::Empty {
    reason: "no page has a job or an image in its `data`",
};

/// The answer to a request that was refused, as far as it was read.
#[derive(Debug, Default)]
struct Refusal {
    code: Option<String>,
    message: Option<String>,
}

impl Refusal {
    fn is_known(&self) -> bool {
        self.code.is_some() || self.message.is_some()
    }

    fn take(&mut self) -> Option<SourceError> {
        let (code, message) = (self.code.take(), self.message.take());
        let is_known = code.is_some() || message.is_some();
        is_known.then(|| SourceError::Refused {
            code: code.unwrap_or_default(),
            message: message.unwrap_or_default(),
        })
    }
}

/// The text of a JSON string; anything else as it is written.
fn unquoted(text: &str) -> String {
    serde_json::from_str(text).unwrap_or_else(|_| text.to_owned())
}

/// One element of `data`.
#[derive(Debug)]
enum Element {
    Job(Box<Member>),
    Image(Box<Run>),
    /// An image that is being written.
    Running(Box<Run>),
    /// A job that is no backup, by its number, and why.
    OtherJob(u64, &'static str),
    /// Something else, or an image that is no backup, and why.
    Other(&'static str),
}

impl Element {
    fn read(text: &str, place: Place) -> Result<Self, RecordError> {
        /// What tells a job from an image.
        #[derive(Deserialize)]
        struct Shape {
            attributes: Option<Attributes>,
        }

        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Attributes {
            job_type: Option<IgnoredAny>,
            backup_time: Option<IgnoredAny>,
        }

        let shape: Shape = json::parse_by_path(text, place)?;
        match shape.attributes {
            Some(Attributes {
                job_type: Some(_), ..
            }) => job::read(text, place),
            Some(Attributes {
                backup_time: Some(_),
                ..
            }) => image::read(text, place),
            _ => Ok(Self::Other("neither a job nor an image")),
        }
    }
}

fn missing(attribute: &str, place: Place) -> RecordError {
    RecordError::new(place, format!("`attributes.{attribute}` is missing"))
}

/// The bytes of an attribute in KB.
fn bytes(
    attribute: &str,
    kilobytes: Option<u64>,
    place: Place,
) -> Result<Option<u64>, RecordError> {
    let too_many = |kilobytes: u64| {
        let most = column::MAX_KILOBYTES;
        let message = format!("`attributes.{attribute}` is {kilobytes} KB: must be at most {most}");
        RecordError::new(place, message)
    };
    let bytes = |kilobytes| column::bytes(kilobytes).ok_or_else(|| too_many(kilobytes));
    kilobytes.map(bytes).transpose()
}
