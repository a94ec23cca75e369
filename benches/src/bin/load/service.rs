//! The service, as a process of its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use benches::failure::Failure;

pub(crate) struct Service {
    child: Child,
    /// What else it has to say; it must have somebody to say it to.
    _output: BufReader<ChildStdout>,
    pub(crate) base: String,
}

impl Service {
    pub(crate) fn start(backwatch: &Path, database: &Path) -> Result<Self, Failure> {
        let mut child = Command::new(backwatch)
            .args(["serve", "--listen", "127.0.0.1:0", "--db"])
            .arg(database)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", backwatch.display()))?;
        let output = child.stdout.take().ok_or("no output")?;
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let base = line.split_whitespace().last().ok_or("no address")?;
        Ok(Self {
            child,
            base: base.to_owned(),
            _output: output,
        })
    }

    pub(crate) fn most_memory(&self) -> Result<String, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        Ok(most.unwrap_or("?").trim().to_owned())
    }

    /// Asks it to end, and waits until it did.
    pub(crate) fn stop(mut self) -> Result<(), Failure> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        let status = self.child.wait()?;
        if status.success() {
            return Ok(());
        }
        Err(format!("the service ended with {status}").into())
    }
}
