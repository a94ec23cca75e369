//! The program, run as a service.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A user's home, with nothing in it.
pub(crate) struct Home(TempDir);

/// A service, until it is asked to end or dropped.
pub(crate) struct Service {
    child: Option<Child>,
    pub(crate) output: BufReader<ChildStdout>,
    pub(crate) base: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn backwatch(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_backwatch"));
        command
            .args(arguments)
            .env("HOME", self.0.path())
            .env_remove("XDG_DATA_HOME")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, and says where.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.path().join(".local/share/backwatch/backwatch.db")
    }

    /// Serves with no configuration, at a port that the system chooses.
    pub(crate) fn serve(&self, more: &[&str]) -> Service {
        self.serve_with(more, |_| ())
    }

    pub(crate) fn serve_with(&self, more: &[&str], change: impl FnOnce(&mut Command)) -> Service {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], more].concat();
        let mut command = self.backwatch(&arguments);
        command.stderr(Stdio::null());
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let line = next_line(&mut output);
        let base = line.strip_prefix("listening on ").unwrap().to_owned();
        Service {
            child: Some(child),
            output,
            base,
        }
    }

    pub(crate) fn add_administrator(&self) {
        let mut child = self
            .backwatch(&["user", "add", "ann", "--role", "administrator"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
        let added = child.wait_with_output().unwrap();
        assert!(added.status.success());
        assert_eq!(added.stdout, b"ann may sign in, as administrator.\n");
    }
}

pub(crate) fn next_line(output: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

impl Service {
    /// Asks it to end, and waits until it has.
    pub(crate) fn terminate(mut self) -> Output {
        let child = self.child.take().unwrap();
        let id = child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        // Of what it says, `output` has the end.
        let mut output = child.wait_with_output().unwrap();
        self.output.read_to_end(&mut output.stdout).unwrap();
        output
    }

    /// The cookie of the administrator, who signs in.
    pub(crate) fn cookie(&self) -> String {
        let answer = agent()
            .post(format!("{}/sign-in", self.base))
            .header("sec-fetch-site", "same-origin")
            .send_form([("name", "ann"), ("password", PASSWORD)])
            .unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// A key that can hand over jobs, made by the administrator.
    pub(crate) fn key(&self) -> String {
        self.key_of("ingest")
    }

    /// A key of this role.
    pub(crate) fn key_of(&self, role: &str) -> String {
        let (agent, cookie) = (agent(), self.cookie());
        let new = json!({ "name": role, "role": role, "sources": [] });
        let mut answer = agent
            .post(format!("{}/api/v1/api-keys", self.base))
            .header("cookie", cookie)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/json")
            .send(new.to_string())
            .unwrap();
        let made: Value = serde_json::from_reader(answer.body_mut().as_reader()).unwrap();
        made["key"].as_str().unwrap().to_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            _ = child.kill();
            _ = child.wait();
        }
    }
}

pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(Duration::from_mins(1)))
        .build()
        .new_agent()
}
