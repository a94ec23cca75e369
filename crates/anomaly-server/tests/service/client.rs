//! A service that runs, and who talks to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anomaly_model::chrono::{DateTime, TimeDelta};
use anomaly_notify::SinkOptions;
use anomaly_server::{GatherOptions, Server, ServerOptions};
use anomaly_settings::Layers;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use ureq::Agent;
use ureq::http::Response;

/// A service on a database of its own, until it is dropped.
pub(crate) struct Service {
    pub(crate) base: String,
    pub(crate) code: String,
    pub(crate) database: PathBuf,
    directory: Option<Arc<TempDir>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Default, serde::Deserialize)]
struct Configuration {
    #[serde(default)]
    sinks: Vec<SinkOptions>,
    #[serde(default)]
    gather: Vec<GatherOptions>,
}

pub(crate) const PASSWORD: &str = "correct horse battery";

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    fn of(mut response: Response<ureq::Body>) -> Self {
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| {
            (
                name.to_string(),
                value.to_str().unwrap_or_default().to_owned(),
            )
        });
        Self {
            status: response.status().as_u16(),
            headers: headers.collect(),
            text: response.body_mut().read_to_string().unwrap(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let header = self.headers.iter().find(|(known, _)| known == name);
        header.map_or("", |(_, value)| value)
    }
}

impl Service {
    pub(crate) fn start() -> Self {
        Self::telling("")
    }

    /// One that tells these sinks, as the configuration writes them; `DIR` is its directory.
    pub(crate) fn telling(sinks: &str) -> Self {
        Self::configured("", sinks)
    }

    /// One with these settings in a file, and these sinks.
    pub(crate) fn configured(settings: &str, sinks: &str) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let file = directory.path().join("settings.toml");
        std::fs::write(&file, settings).unwrap();
        let layers = Layers::read(Some(&file), [], &[]).unwrap();
        Self::run(sinks, layers, &directory)
    }

    /// One with these sinks and sources, and these settings; `DIR` is its directory.
    pub(crate) fn gathering(
        configuration: &str,
        settings: &[(&str, &str)],
        directory: &Arc<TempDir>,
    ) -> Self {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let settings: Vec<_> = settings.iter().map(owned).collect();
        let layers = Layers::read(None, [], &settings).unwrap();
        Self::run(configuration, layers, directory)
    }

    fn run(configuration: &str, layers: Layers, directory: &Arc<TempDir>) -> Self {
        let database = directory.path().join("backwatch.db");
        let text = configuration.replace("DIR", directory.path().to_str().unwrap());
        let configuration = toml::from_str(&text).unwrap();
        let mut service = Self::serve(&database, layers, configuration);
        service.directory = Some(Arc::clone(directory));
        service
    }

    /// One on a database that is there.
    pub(crate) fn on(database: &Path) -> Self {
        Self::serve(database, Layers::default(), Configuration::default())
    }

    fn serve(database: &Path, layers: Layers, configuration: Configuration) -> Self {
        let mut options = ServerOptions::default();
        options.listen = "127.0.0.1:0".parse().unwrap();
        let server = Server::bind(database, layers, options, configuration.sinks).unwrap();
        let server = server.gathering(configuration.gather).unwrap();
        let base = format!("http://{}", server.address().unwrap());
        let code = server.setup_code().unwrap().unwrap_or_default().to_owned();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let stopped = async {
                _ = stopped.await;
            };
            runtime.block_on(server.serve(stopped)).unwrap();
        });
        Self {
            base,
            code,
            database: database.to_owned(),
            directory: None,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Somebody with a browser of his own: cookies are kept, redirects are not followed.
    pub(crate) fn browser(&self) -> Browser<'_> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // The service closes one that says nothing for long, and tests may be slow.
            .max_idle_connections(0)
            .max_redirects_will_error(false);
        Browser {
            service: self,
            agent: config.build().new_agent(),
            cookie: String::new(),
        }
    }

    /// The first administrator, signed in.
    pub(crate) fn administrator(&self) -> Browser<'_> {
        let mut browser = self.browser();
        let form = [
            ("code", self.code.as_str()),
            ("name", "ann"),
            ("password", PASSWORD),
        ];
        let answer = browser.send("/first-run", &form);
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }

    /// The administrator of a database that was used before, who signs in again.
    pub(crate) fn administrator_again(&self) -> Browser<'_> {
        let mut browser = self.browser();
        assert_eq!(browser.sign_in("ann", PASSWORD, "").status, 303);
        browser
    }

    /// A program with this key.
    pub(crate) fn with_key(&self, key: &str, path: &str, kind: &str, body: &str) -> Answer {
        let browser = self.browser();
        let request = browser
            .agent
            .post(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", kind);
        Answer::of(request.send(body).unwrap())
    }

    /// Ends it in good order.
    pub(crate) fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

pub(crate) struct Browser<'a> {
    service: &'a Service,
    agent: Agent,
    pub(crate) cookie: String,
}

impl Browser<'_> {
    pub(crate) fn sign_in(&mut self, name: &str, password: &str, code: &str) -> Answer {
        self.send(
            "/sign-in",
            &[("name", name), ("password", password), ("code", code)],
        )
    }

    /// A new key of this role, for these sources.
    pub(crate) fn key(&self, role: &str, sources: &[&str]) -> String {
        let new = json!({ "name": "nightly", "role": role, "sources": sources });
        let made = self.call("POST", "/api/v1/api-keys", Some(&new));
        assert_eq!(made.status, 201, "{}", made.text);
        made.json()["key"].as_str().unwrap().to_owned()
    }

    /// Asks until it is as it is waited for: what the service does by itself takes a moment.
    pub(crate) fn wait_for(&self, path: &str, is_so: impl Fn(&Answer) -> bool) -> Answer {
        let begun = Instant::now();
        loop {
            let answer = self.open(path);
            if is_so(&answer) {
                return answer;
            }
            let took = begun.elapsed();
            assert!(took < Duration::from_mins(1), "{path}: {}", answer.text);
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn open(&self, path: &str) -> Answer {
        self.call("GET", path, None)
    }

    /// Sends a form, as a page of the service does.
    pub(crate) fn send(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        let request = self
            .agent
            .post(format!("{}{path}", self.service.base))
            .header("cookie", &self.cookie)
            .header("sec-fetch-site", "same-origin");
        let answer = Answer::of(request.send_form(form.iter().copied()).unwrap());
        let set = answer.headers.iter().find(|(name, _)| name == "set-cookie");
        if let Some((_, set)) = set {
            let cookie = set.split(';').next().unwrap();
            cookie.clone_into(&mut self.cookie);
        }
        answer
    }

    /// The same, as a page of another site makes a browser do it.
    pub(crate) fn send_from(&self, site: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let request = self
            .agent
            .post(format!("{}{path}", self.service.base))
            .header("cookie", &self.cookie)
            .header("sec-fetch-site", site);
        Answer::of(request.send_form(form.iter().copied()).unwrap())
    }

    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.call_with(&[], method, path, body)
    }

    /// The same, with more headers.
    pub(crate) fn call_with(
        &self,
        headers: &[(&str, &str)],
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.service.base))
            .header("cookie", &self.cookie)
            .header("sec-fetch-site", "same-origin");
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let response = match body {
            // Without a length the connection could not be used again.
            None if method == "POST" => self.agent.run(request.body("").unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
            Some(body) => {
                let request = request.header("content-type", "application/json");
                self.agent.run(request.body(body.to_string()).unwrap())
            }
        };
        Answer::of(response.unwrap())
    }
}

/// A job record, as the contract has it.
pub(crate) fn job(client: &str, day: u32, extra: &Value) -> Value {
    let first = DateTime::from_timestamp(1_788_231_600, 0).unwrap();
    let mut job = json!({
        "source": "restic",
        "job_id": format!("{client}-{day}"),
        "client": client,
        "policy": "daily",
        "started_at": (first + TimeDelta::days(day.into())).to_rfc3339(),
        "status": "succeeded",
        "image_bytes": 40_000_000_000_u64 + u64::from(day) * 10_000_000,
        "file_count": 100_000 + day,
        "files_new": 20 + day % 5,
        "files_changed": 100 + day % 7,
        "files_unmodified": 99_880 + day,
        "transferred_bytes": 90_000_000 + u64::from(day % 6) * 1_000_000,
    });
    for (name, value) in extra.as_object().unwrap() {
        job[name] = value.clone();
    }
    job
}
