//! Programs of this machine.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use crate::text::one_line;
use crate::{CommandOptions, Event, Format, NotifyError, body};

/// No more is kept of what a program writes to standard error.
const MOST_OUTPUT_BYTES: usize = 4_096;
/// So long is waited for what a program that has ended wrote last.
const LAST_WORDS: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(crate) struct CommandSink {
    argv: Vec<String>,
    limit: Duration,
}

impl CommandSink {
    pub(crate) fn open(options: &CommandOptions) -> Self {
        Self {
            argv: options.argv.clone(),
            limit: Duration::from_secs(options.timeout_seconds.into()),
        }
    }

    pub(crate) fn target(&self) -> String {
        self.argv.join(" ")
    }

    fn program(&self) -> &str {
        self.argv.first().map_or("", String::as_str)
    }

    pub(crate) async fn deliver(&self, event: &Event) -> Result<(), NotifyError> {
        let mut line = body::line(event, Format::CloudEvents)?;
        line.push('\n');
        let mut command = Command::new(self.program());
        command
            .args(self.argv.iter().skip(1))
            // What is secret to this process is none of the program's business.
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // Of its own, so that all that it starts can be ended with it.
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn().map_err(|source| NotifyError::Unreachable {
            what: self.program().to_owned(),
            source: Box::new(source),
        })?;
        let mut group = Group(child);
        let ran = tokio::time::timeout(self.limit, group.run(line.as_bytes())).await;
        let Ok(ran) = ran else {
            return Err(NotifyError::TimedOut {
                what: self.program().to_owned(),
                limit: self.limit,
            });
        };
        let (status, message) = ran.map_err(|source| NotifyError::Unreachable {
            what: self.program().to_owned(),
            source: Box::new(source),
        })?;
        if status.success() {
            return Ok(());
        }
        Err(NotifyError::Command {
            program: self.program().to_owned(),
            status: status.code(),
            message,
        })
    }
}

/// A program and what it started, which end with this while the program runs. What it leaves behind when
/// it has ended by itself was meant to stay.
struct Group(Child);

impl Group {
    async fn run(&mut self, line: &[u8]) -> std::io::Result<(std::process::ExitStatus, String)> {
        let (stdin, mut stderr) = (self.0.stdin.take(), self.0.stderr.take());
        let mut kept = Vec::new();
        let write = async {
            if let Some(mut stdin) = stdin {
                // A program need not read what it is told.
                _ = stdin.write_all(line).await;
            }
        };
        let wait = async {
            let ((), status) = tokio::join!(write, self.0.wait());
            status
        };
        let status = {
            let read = async {
                if let Some(stderr) = &mut stderr {
                    keep_beginning(stderr, &mut kept).await;
                }
            };
            tokio::pin!(read, wait);
            tokio::select! {
                status = &mut wait => {
                    // What it wrote is there already; whoever keeps standard error open after it is
                    // not waited for.
                    _ = tokio::time::timeout(LAST_WORDS, &mut read).await;
                    status?
                }
                () = &mut read => wait.await?,
            }
        };
        let message = String::from_utf8_lossy(&kept);
        Ok((status, one_line(message.trim(), 500).into_owned()))
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        // The id is the child's until it has been waited for.
        let pid = self.0.id().and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}

/// Keeps what it writes first; the rest is read and forgotten, so that it can go on.
async fn keep_beginning(output: &mut (impl AsyncRead + Unpin), kept: &mut Vec<u8>) {
    let mut buffer = [0; 1_024];
    while let Ok(count @ 1..) = output.read(&mut buffer).await {
        let room = MOST_OUTPUT_BYTES.saturating_sub(kept.len());
        kept.extend_from_slice(buffer.get(..count.min(room)).unwrap_or_default());
    }
}
