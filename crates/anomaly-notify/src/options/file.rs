//! How a file is written.

use std::path::PathBuf;

use serde::Deserialize;

use super::Format;
use crate::NotifyError;

/// A line at the end of a file, for a log shipper: `[sinks.file]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FileOptions {
    /// The file, or a named pipe that is read. It is made where it is missing, and opened anew for each event, so that it may be
    /// moved away at any time.
    pub path: PathBuf,
    /// In which form: `ocsf` (unless set), `cloudevents` or `cef`.
    #[serde(default = "ocsf")]
    pub format: Format,
}

fn ocsf() -> Format {
    Format::Ocsf
}

impl FileOptions {
    pub(super) fn check(&self) -> Result<(), NotifyError> {
        if !self.path.is_absolute() {
            return Err(NotifyError::options(format!(
                "`path` is `{}`: must be absolute",
                self.path.display()
            )));
        }
        self.format
            .check(&[Format::Ocsf, Format::CloudEvents, Format::Cef])
    }
}
