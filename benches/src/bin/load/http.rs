//! Who talks to the service.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use benches::failure::Failure;
use serde_json::{Value, json};
use ureq::Agent;

const NAME: &str = "load";
const PASSWORD: &str = "only on this machine, for a minute";

/// A session; connections are its own.
pub(crate) struct Browser {
    agent: Agent,
    base: String,
    cookie: String,
}

pub(crate) fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build()
        .new_agent()
}

/// Lets somebody in, who may be there from the last time.
pub(crate) fn add_administrator(backwatch: &Path, database: &Path) -> Result<(), Failure> {
    let mut child = Command::new(backwatch)
        .args(["user", "add", NAME, "--role", "administrator", "--db"])
        .arg(database)
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", backwatch.display()))?;
    if let Some(mut input) = child.stdin.take() {
        writeln!(input, "{PASSWORD}")?;
    }
    child.wait()?;
    Ok(())
}

impl Browser {
    /// Signed in as the administrator that [`add_administrator`] made.
    pub(crate) fn sign_in(base: &str) -> Result<Self, Failure> {
        let agent = agent();
        let answer = agent
            .post(format!("{base}/sign-in"))
            .header("sec-fetch-site", "same-origin")
            .send_form([("name", NAME), ("password", PASSWORD)])?;
        let cookie = answer.headers().get("set-cookie");
        let cookie = cookie.and_then(|cookie| cookie.to_str().ok()?.split(';').next());
        Ok(Self {
            agent,
            base: base.to_owned(),
            cookie: cookie.ok_or("the service lets nobody in")?.to_owned(),
        })
    }

    /// The same session, over other connections.
    pub(crate) fn again(&self) -> Self {
        Self {
            agent: agent(),
            base: self.base.clone(),
            cookie: self.cookie.clone(),
        }
    }

    /// How long the first byte of a page takes; the rest is read, and not counted.
    pub(crate) fn open(&self, path: &str) -> Result<Duration, Failure> {
        let begun = Instant::now();
        let mut answer = self
            .agent
            .get(format!("{}{path}", self.base))
            .header("cookie", &self.cookie)
            .header("accept-encoding", "gzip")
            .call()?;
        let took = begun.elapsed();
        if answer.status() != 200 {
            return Err(format!("{path}: {}", answer.status()).into());
        }
        answer.body_mut().read_to_vec()?;
        Ok(took)
    }

    pub(crate) fn json(&self, path: &str) -> Result<Value, Failure> {
        let mut answer = self
            .agent
            .get(format!("{}{path}", self.base))
            .header("cookie", &self.cookie)
            .call()?;
        Ok(serde_json::from_reader(answer.body_mut().as_reader())?)
    }

    /// A new key that can hand over jobs.
    pub(crate) fn key(&self) -> Result<String, Failure> {
        let new = json!({ "name": "load", "role": "ingest", "sources": [] });
        let mut answer = self
            .agent
            .post(format!("{}/api/v1/api-keys", self.base))
            .header("cookie", &self.cookie)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/json")
            .send(new.to_string())?;
        let made: Value = serde_json::from_reader(answer.body_mut().as_reader())?;
        Ok(made["key"].as_str().ok_or("no key")?.to_owned())
    }
}
