//! Lines at the end of a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::{Event, FileOptions, Format, NotifyError, body};

/// Until it counts as failed: a disk of the network may be gone, and whoever reads a pipe may be stuck.
const LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct FileSink {
    path: PathBuf,
    format: Format,
    writing: Mutex<Writing>,
}

#[derive(Debug, Default)]
struct Writing {
    /// What was begun, and may go on after its time.
    begun: Option<JoinHandle<io::Result<Option<File>>>>,
    /// Whether a pipe was left within a line.
    is_torn: bool,
}

impl FileSink {
    pub(crate) fn open(options: &FileOptions) -> Self {
        Self {
            path: options.path.clone(),
            format: options.format,
            writing: Mutex::default(),
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
        match tokio::time::timeout(LIMIT, self.write(lines.into())).await {
            Ok(written) => written.map_err(|source| NotifyError::File {
                path: self.path.clone(),
                source,
            }),
            Err(_) => Err(NotifyError::TimedOut {
                what: self.target(),
                limit: LIMIT,
            }),
        }
    }

    async fn write(&self, lines: Arc<str>) -> io::Result<()> {
        let mut writing = self.writing.lock().await;
        // A disk that hangs is waited for by one thread, however often it is tried.
        if let Some(begun) = &mut writing.begun {
            _ = begun.await;
            writing.begun = None;
        }
        let (path, text) = (self.path.clone(), Arc::clone(&lines));
        let begun = writing
            .begun
            .insert(spawn_blocking(move || append(&path, text.as_bytes())));
        let written = begun.await;
        writing.begun = None;
        let Some(pipe) = written.map_err(io::Error::other)?? else {
            return Ok(());
        };
        let start = if writing.is_torn { "\n" } else { "" };
        writing.is_torn = true;
        feed(pipe, [start, &lines].concat().as_bytes()).await?;
        writing.is_torn = false;
        Ok(())
    }
}

/// Whoever rotates the file away gets whole lines, and what was told is on the disk. A pipe comes back
/// as it was opened: its reader may take its time.
fn append(path: &Path, lines: &[u8]) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;

        // A pipe that nobody reads is an error, and not waited for.
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        options.mode(0o640).custom_flags(flags.bits().cast_signed());
    }
    let mut file = options.open(path)?;
    let metadata = file.metadata()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;

        if metadata.file_type().is_fifo() {
            return Ok(Some(file));
        }
    }
    // One that may only be written is taken to be whole.
    if metadata.is_file() && is_torn(path).unwrap_or(false) {
        file.write_all(b"\n")?;
    }
    file.write_all(lines)?;
    // A terminal has no disk to be on.
    if metadata.is_file() {
        file.sync_data()?;
    }
    Ok(None)
}

/// Whether the file ends within a line, as it does where the disk was full: what is added there would be
/// lost with it.
fn is_torn(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// Writes it all, as fast as it is read.
#[cfg(unix)]
async fn feed(pipe: File, bytes: &[u8]) -> io::Result<()> {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::unix::pipe::Sender;

    Sender::from_file(pipe)?.write_all(bytes).await
}

/// Writes it all.
#[cfg(not(unix))]
async fn feed(mut pipe: File, bytes: &[u8]) -> io::Result<()> {
    pipe.write_all(bytes)
}
