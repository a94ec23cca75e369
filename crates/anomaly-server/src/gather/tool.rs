//! A backup tool, run as a child that cannot take longer than it may.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::error::{GatherError, one_line};

/// What is read of its output at once, ...
const CHUNK_BYTES: usize = 64 << 10;
/// ... and how many such are held.
const CHUNKS: usize = 4;
/// No more is kept of what it writes to standard error: the end of it, which says why.
const MOST_MESSAGE_BYTES: usize = 4_096;
/// So much of that is shown.
const SHOWN_CHARACTERS: usize = 300;
/// How often it is asked whether anybody still waits.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// So many times that is waited for what one has written that has ended.
const LAST_WORDS: u32 = 10;
/// Shorter values of its environment are no secrets.
const LEAST_SECRET_BYTES: usize = 4;

/// What to run. There is no shell between.
#[derive(Debug)]
pub(super) struct Run<'a> {
    /// The program; one without a slash is looked for on the system's path.
    pub(super) program: &'a Path,
    pub(super) arguments: &'a [&'a str],
    /// Its environment, beside the system's path; no message has a value of `secret` in it.
    pub(super) plain: Vec<(&'static str, String)>,
    pub(super) secret: Vec<(String, String)>,
    /// How long may be waited for it in all.
    pub(super) limit: Duration,
}

/// A tool that runs: what it prints can be read. It is killed when it has been waited for too long, or
/// when this is dropped; and all that it has started, also when it has ended by itself.
pub(super) struct Tool<Stopped: Fn() -> bool> {
    name: String,
    child: Group,
    output: Receiver<io::Result<Vec<u8>>>,
    message: Receiver<String>,
    secrets: Vec<String>,
    limit: Duration,
    waited: Duration,
    is_stopped: Stopped,
    chunk: Vec<u8>,
    read: usize,
    /// Why the reading had to end.
    failure: Option<GatherError>,
}

impl<Stopped: Fn() -> bool> Tool<Stopped> {
    /// Starts it.
    pub(super) fn start(run: Run<'_>, is_stopped: Stopped) -> Result<Self, GatherError> {
        let name = run.program.display().to_string();
        let mut command = Command::new(run.program);
        command
            .args(run.arguments)
            // What is secret to this process is none of its business.
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .envs(run.plain)
            .envs(run.secret.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Of its own, so that all that it starts can be ended with it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn().map_err(|source| GatherError::Run {
            program: name.clone(),
            source,
        })?;
        let mut child = Group(child);
        let (stdout, stderr) = (child.0.stdout.take(), child.0.stderr.take());
        let (chunks, output) = sync_channel(CHUNKS);
        let (words, message) = sync_channel(1);
        // They end with the child, whose ends of the pipes are closed then.
        thread::Builder::new()
            .name("tool-output".into())
            .spawn(move || stdout.map(|stdout| pass_on(stdout, &chunks)))
            .map_err(GatherError::Thread)?;
        thread::Builder::new()
            .name("tool-message".into())
            .spawn(move || words.send(stderr.map(keep_end).unwrap_or_default()))
            .map_err(GatherError::Thread)?;
        let values = run.secret.into_iter().map(|(_, value)| value);
        Ok(Self {
            name,
            child,
            output,
            message,
            secrets: values
                .filter(|value| value.len() >= LEAST_SECRET_BYTES)
                .collect(),
            limit: run.limit,
            waited: Duration::ZERO,
            is_stopped,
            chunk: Vec::new(),
            read: 0,
            failure: None,
        })
    }

    /// Waits until it has ended, and says whether all went well.
    pub(super) fn finish(mut self) -> Result<(), GatherError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let failed = |source| GatherError::Run {
            program: self.name.clone(),
            source,
        };
        while !self.child.has_ended().map_err(failed)? {
            if (self.is_stopped)() {
                return Err(GatherError::Stopped);
            }
            if self.waited >= self.limit {
                return Err(self.slow());
            }
            thread::sleep(LOOK_EVERY.min(self.limit));
            self.waited += LOOK_EVERY;
        }
        let status = self.child.end().map_err(failed)?;
        if status.success() {
            return Ok(());
        }
        // Whoever keeps its standard error open after it is not waited for.
        let message = self.message.recv_timeout(LOOK_EVERY * LAST_WORDS);
        let mut message = message.unwrap_or_default();
        for secret in &self.secrets {
            message = message.replace(secret.as_str(), "***");
        }
        Err(GatherError::Status {
            program: self.name.clone(),
            status: status.to_string(),
            message: one_line(end_of(&message)),
        })
    }

    fn slow(&self) -> GatherError {
        let (program, limit) = (self.name.clone(), self.limit);
        GatherError::Slow { program, limit }
    }

    /// The next piece of its output; an empty one at the end.
    fn next_chunk(&mut self) -> io::Result<Vec<u8>> {
        let mut silent = 0;
        loop {
            let begun = Instant::now();
            let chunk = self.output.recv_timeout(LOOK_EVERY);
            self.waited += begun.elapsed();
            match chunk {
                Ok(chunk) => return chunk,
                Err(RecvTimeoutError::Disconnected) => return Ok(Vec::new()),
                Err(RecvTimeoutError::Timeout) if (self.is_stopped)() => {
                    self.failure = Some(GatherError::Stopped);
                }
                Err(RecvTimeoutError::Timeout) if self.waited >= self.limit => {
                    self.failure = Some(self.slow());
                }
                // Nor is whoever keeps its output open after it.
                Err(RecvTimeoutError::Timeout) if self.child.has_ended()? => {
                    silent += 1;
                    if silent < LAST_WORDS {
                        continue;
                    }
                    return Ok(Vec::new());
                }
                Err(RecvTimeoutError::Timeout) => continue,
            }
            self.child.kill();
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
}

impl<Stopped: Fn() -> bool> Read for &mut Tool<Stopped> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.read == self.chunk.len() {
            self.chunk = self.next_chunk()?;
            self.read = 0;
        }
        let rest = self.chunk.get(self.read..).unwrap_or_default();
        let count = rest.len().min(out.len());
        if let (Some(from), Some(to)) = (rest.get(..count), out.get_mut(..count)) {
            to.copy_from_slice(from);
        }
        self.read += count;
        Ok(count)
    }
}

/// A child and what it has started, which end with this.
struct Group(Child);

impl Group {
    /// Whether the child has ended. Its id stays its own until [`Self::end`].
    #[cfg(unix)]
    fn has_ended(&mut self) -> io::Result<bool> {
        use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or(io::ErrorKind::InvalidInput)?;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(pid), options)?.is_some())
    }

    #[cfg(not(unix))]
    fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.0.try_wait()?.is_some())
    }

    /// Ends what the child has left behind, and says how the child ended.
    fn end(&mut self) -> io::Result<ExitStatus> {
        self.kill();
        self.0.wait()
    }

    fn kill(&mut self) {
        // The id is the child's until it has been waited for.
        #[cfg(unix)]
        {
            let pid = i32::try_from(self.0.id()).ok();
            if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
                _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
            }
        }
        _ = self.0.kill();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            self.kill();
            _ = self.0.wait();
        }
    }
}

/// The last characters of what it wrote: why it failed comes last. What is cut off is far from there.
fn end_of(message: &str) -> &str {
    let start = message.char_indices().rev().nth(SHOWN_CHARACTERS - 1);
    start.map_or(message, |(start, _)| &message[start..])
}

fn pass_on(mut stdout: ChildStdout, chunks: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        match stdout.read(&mut chunk) {
            Ok(0) => return,
            Ok(count) => {
                chunk.truncate(count);
                if chunks.send(Ok(chunk)).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                _ = chunks.send(Err(error));
                return;
            }
        }
    }
}

/// Keeps the end of what it writes; all of it is read, so that it can go on.
fn keep_end(mut output: impl Read) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 1_024];
    loop {
        match output.read(&mut buffer) {
            Ok(count @ 1..) => {
                kept.extend_from_slice(buffer.get(..count).unwrap_or_default());
                let too_many = kept.len().saturating_sub(MOST_MESSAGE_BYTES);
                kept.drain(..too_many);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => return String::from_utf8_lossy(&kept).trim().to_owned(),
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::*;

    fn script(text: &str) -> tempfile::TempPath {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        io::Write::write_all(&mut file, format!("#!/bin/sh\n{text}\n").as_bytes()).unwrap();
        let path = file.into_temp_path();
        fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
        path
    }

    fn run(path: &Path, limit: Duration) -> Run<'_> {
        Run {
            program: path,
            arguments: &["a b", "$HOME"],
            plain: vec![("PLAIN", "plain".to_owned())],
            secret: vec![("KEY".to_owned(), "hunter2".to_owned())],
            limit,
        }
    }

    fn output(run: Run<'_>) -> (String, Result<(), GatherError>) {
        let mut tool = Tool::start(run, || false).unwrap();
        let mut text = String::new();
        _ = (&mut tool).read_to_string(&mut text);
        (text, tool.finish())
    }

    #[test]
    fn it_gets_its_environment_and_no_shell() {
        let path = script(r#"echo "$1|$2|$PLAIN|$KEY|$CARGO_MANIFEST_DIR|$(pwd)""#);
        let (text, ended) = output(run(&path, Duration::from_mins(1)));
        assert_eq!(text, "a b|$HOME|plain|hunter2||/\n");
        ended.unwrap();
    }

    #[test]
    fn why_it_failed_is_said_without_secrets() {
        let path = script("yes noise | head -c 100000 >&2; echo \"bad key $KEY\" >&2; exit 3");
        let (_, ended) = output(run(&path, Duration::from_mins(1)));
        let said = ended.unwrap_err().in_one_line();
        assert!(
            said.contains("exit status: 3") && said.contains("bad key ***"),
            "{said}"
        );
        assert!(!said.contains("hunter2"), "{said}");
        let gone = Path::new("/nonexistent/restic");
        assert!(matches!(
            Tool::start(run(gone, Duration::from_mins(1)), || false).err(),
            Some(GatherError::Run { .. })
        ));
    }

    /// It, and what it has started, is killed: the lock that its child holds is free again.
    #[test]
    fn what_takes_too_long_is_killed_with_all_that_it_started() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("alive");
        let text = format!("sleep 600 & echo $! >{}; echo begun; wait", pipe.display());
        let path = script(&text);
        let (said, ended) = output(run(&path, Duration::from_millis(500)));
        assert_eq!(said, "begun\n");
        assert!(matches!(ended.unwrap_err(), GatherError::Slow { .. }));
        assert!(ends(&fs::read_to_string(pipe).unwrap()));
    }

    /// What it leaves behind is killed when it has ended; and who has gone out of its reach, with its
    /// output in hand, is not waited for.
    #[test]
    fn what_is_left_behind_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| directory.path().join(name);
        let text = format!(
            "sleep 600 & echo $! >{}; setsid sh -c 'echo $$ >{}; exec sleep 600' & \
             until [ -s {1} ]; do sleep 0.01; done; echo done",
            file("near").display(),
            file("away").display(),
        );
        let (said, ended) = output(run(&script(&text), Duration::from_mins(5)));
        assert_eq!(said, "done\n");
        ended.unwrap();
        let id = |name: &str| fs::read_to_string(file(name)).unwrap();
        assert!(ends(&id("near")));
        let away = id("away").trim().parse().unwrap();
        let away = rustix::process::Pid::from_raw(away).unwrap();
        rustix::process::kill_process(away, rustix::process::Signal::KILL).unwrap();
    }

    /// Whether the process of this id ends soon.
    fn ends(id: &str) -> bool {
        let is_gone = || match fs::read_to_string(format!("/proc/{}/stat", id.trim())) {
            // One that nobody has waited for yet.
            Ok(stat) => stat.contains(") Z "),
            Err(_) => true,
        };
        let begun = Instant::now();
        while !is_gone() && begun.elapsed() < Duration::from_mins(1) {
            thread::sleep(Duration::from_millis(10));
        }
        is_gone()
    }
}
