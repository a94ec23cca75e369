//! What must never be shown.

use std::fmt;
use std::path::Path;

use crate::NotifyError;

/// A password or a key. Nothing prints it, and no error or log line has it.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// The text of a file, without the blanks around it, which nobody else may read.
    pub(crate) fn read(path: &Path) -> Result<Self, NotifyError> {
        let bad = |reason: &str| NotifyError::Secret {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        let failed = |source| NotifyError::File {
            path: path.to_owned(),
            source,
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;

            let mode = std::fs::metadata(path)
                .map_err(failed)?
                .permissions()
                .mode();
            if mode & 0o007 != 0 {
                return Err(bad(
                    "every user of this machine may use it: take that away (chmod o= FILE)",
                ));
            }
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        let text = text.trim();
        if text.is_empty() {
            return Err(bad("is empty"));
        }
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
