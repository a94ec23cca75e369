//! What every format is to its reader.

use std::fmt::Debug;

use crate::{Head, Input, ReadOption, ReadOptions, Record, SourceError};

/// The records of an input, in its order. An error ends them.
pub type Records<'a> = Box<dyn Iterator<Item = Result<Record, SourceError>> + 'a>;

/// One format: how it is known, what it can say, and how it is read.
///
/// Every format of the crate is a unit struct with this trait, and one line of the table in
/// `format.rs`; [`Format::source`](crate::Format::source) leads to it.
///
/// ```
/// use anomaly_sources::{Format, ReadOption};
///
/// let source = Format::ResticSnapshots.source();
/// assert_eq!(source.input(), "`restic snapshots --json`");
/// assert_eq!(source.policy_parts(), ["paths", "tags"]);
/// assert!(source.never_knows().contains(&"files_deleted"));
/// assert!(!source.options().contains(&ReadOption::ExitCode));
/// ```
pub trait Source: Debug + Sync {
    /// The name that stands for it on a command line and in messages: `restic-snapshots`.
    fn name(&self) -> &'static str;

    /// What it is, for a message: "`restic snapshots --json`".
    fn input(&self) -> &'static str;

    /// What in the first bytes of an input shows that it is in this format, as the end of the
    /// sentence "... because": "it is a list of objects with `time`, `tree` and `paths`". `None`
    /// if nothing does.
    fn recognise(&self, head: &Head<'_>) -> Option<&'static str>;

    /// The fields of a job, with the names of the job format, that no job of this format ever has.
    ///
    /// Other fields are missing where a version of the tool does not know them.
    fn never_knows(&self) -> &'static [&'static str];

    /// Which jobs are one stream unless something else is asked for, in words: what stands for the
    /// client, the policy and the schedule type.
    fn stream_key(&self) -> &'static str;

    /// The parts of which the name of the policy is made, where the tool has no policies.
    /// [`ReadOptions::policy_parts`] chooses among them. Empty where there is nothing to choose.
    fn policy_parts(&self) -> &'static [&'static str] {
        &[]
    }

    /// The read options that can make a difference, besides those that always do:
    /// [`ReadOptions::max_record_bytes`] and [`ReadOptions::since`].
    fn options(&self) -> &'static [ReadOption];

    /// Opens an input of this format.
    ///
    /// # Errors
    /// [`SourceError`] when the input is empty, does not have the form of the format, or when the
    /// format needs an option that is not set.
    fn open<'a>(&self, input: Input<'a>, options: &ReadOptions)
    -> Result<Records<'a>, SourceError>;
}
