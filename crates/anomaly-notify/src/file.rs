//! Lines at the end of a file.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::{Event, FileOptions, Format, NotifyError, body};

#[derive(Debug)]
pub(crate) struct FileSink {
    path: PathBuf,
    format: Format,
}

impl FileSink {
    pub(crate) fn open(options: &FileOptions) -> Self {
        Self {
            path: options.path.clone(),
            format: options.format,
        }
    }

    pub(crate) fn target(&self) -> String {
        self.path.display().to_string()
    }

    pub(crate) async fn deliver(&self, events: &[&Event]) -> Result<(), NotifyError> {
        let mut lines = String::new();
        for event in events {
            lines.push_str(&body::line(event, self.format)?);
            lines.push('\n');
        }
        let path = self.path.clone();
        let failed = |source| NotifyError::File {
            path: self.path.clone(),
            source,
        };
        tokio::task::spawn_blocking(move || append(&path, lines.as_bytes()))
            .await
            .map_err(|error| failed(io::Error::other(error)))?
            .map_err(failed)
    }
}

/// Whoever rotates the file away gets whole lines, and what was told is on the disk.
fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;

        options.mode(0o640);
    }
    let mut file = options.open(path)?;
    file.write_all(lines)?;
    // A pipe or a terminal has no disk to be on.
    if file.metadata()?.is_file() {
        file.sync_data()?;
    }
    Ok(())
}
