//! borg, as it prints with `--json`: versions 1 and 2.

mod archive;
mod archives;
mod create;
mod series;

pub(crate) use archives::{Info, List};
pub(crate) use create::Create;

/// The source of every job that borg ran.
const BORG: &str = "borg";

/// The parts of a policy: the first eight digits of the repository's id, and the name of the
/// archive without its date.
const POLICY_PARTS: &[&str] = &["repository", "series"];
