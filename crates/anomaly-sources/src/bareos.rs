//! Bareos and Bacula: what their catalogue says of a job, in three ways of printing it.

mod catalogue;
mod clock;
mod image;
mod job;
mod json;
mod llist;
mod row;

pub(crate) use catalogue::Catalogue;
pub(crate) use json::Json;
pub(crate) use llist::Llist;

use crate::ReadOption;

/// The source of every job that either of the two ran: a catalogue does not say which.
const SOURCE: &str = "bareos";

const STREAM_KEY: &str = "the client, the `Name` of the job, and its `Level`";

const OPTIONS: &[ReadOption] = &[ReadOption::Client, ReadOption::Timezone];

/// The numbers of a job that no catalogue has.
const NEVER_KNOWS: &[&str] = &[
    "exit_code",
    "dedup_ratio",
    "files_new",
    "files_changed",
    "files_unmodified",
    "files_deleted",
    "directory_count",
    "content",
];
