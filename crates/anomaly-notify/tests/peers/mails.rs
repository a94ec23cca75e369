//! A mail server that wants TLS and a password, and reads mails with another library.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anomaly_model::Severity;
use anomaly_notify::{Event, IncidentChange, NotifyError, Sink};
use serde_json::Value;
use tempfile::TempDir;

use super::certificates::{Certificates, secret};
use super::process::{Server, free_port, is_there};
use super::shared::{HOSTILE, anomaly_of, incident, night, sink, verdict};

/// Debian's own, which sees Debian's packages.
const PYTHON: &str = "/usr/bin/python3";

struct MailServer {
    directory: TempDir,
    certificates: Certificates,
    port: u16,
    _server: Server,
}

impl MailServer {
    fn start() -> Option<Self> {
        let found = Command::new(PYTHON)
            .args(["-c", "import aiosmtpd"])
            .output();
        if !is_there(
            "aiosmtpd",
            found.is_ok_and(|output| output.status.success()),
        ) {
            return None;
        }
        let directory = TempDir::new().unwrap();
        let certificates = Certificates::write(directory.path());
        secret(directory.path(), "password", "correct horse\n");
        secret(directory.path(), "wrong", "battery staple\n");
        let port = free_port();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/smtp_server.py");
        let mut command = Command::new(PYTHON);
        command
            .arg(script)
            .arg(port.to_string())
            .args([&certificates.certificate, &certificates.key])
            .arg(directory.path().join("mails"));
        let server = Server::start(&mut command, port);
        Some(Self {
            directory,
            certificates,
            port,
            _server: server,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn options(&self, password: &str, to: &str) -> String {
        format!(
            "name = \"ops\"\n[email]\nserver = \"localhost:{}\"\nfrom = \"Backwatch \
             <backwatch@example.org>\"\nto = [\"{to}\"]\nusername = \"backwatch\"\npassword_file = \
             {:?}\nca_file = {:?}\n",
            self.port,
            self.path(password),
            self.certificates.ca,
        )
    }

    fn sink(&self, password: &str, to: &str) -> Sink {
        sink(&self.options(password, to))
    }

    fn mails(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("mails")).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn header<'a>(mail: &'a Value, name: &str) -> Vec<&'a str> {
    let headers = mail["headers"].as_array().unwrap();
    let found = headers.iter().filter(|pair| pair[0].as_str() == Some(name));
    found.map(|pair| pair[1].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_meant() {
    let Some(server) = MailServer::start() else {
        return;
    };
    let ops = server.sink("password", "Operators <ops@example.org>");
    for change in [IncidentChange::Opened, IncidentChange::Grown] {
        ops.deliver(&[&incident(change)], night()).await.unwrap();
    }
    let mails = server.mails();
    let [opened, grown] = mails.as_slice() else {
        panic!("{mails:?}")
    };
    assert_eq!(opened["from"], "backwatch@example.org");
    assert_eq!(opened["to"], serde_json::json!(["ops@example.org"]));
    assert_eq!(opened["defects"], serde_json::json!([]));
    assert_eq!(
        header(opened, "Subject"),
        [
            "[Backwatch] HIGH: Incident 12: Mass encryption, 2 anomalies on 2 clients (file02, mail01)"
        ]
    );
    assert_eq!(header(grown, "References"), header(opened, "Message-ID"));
    let kinds: Vec<&Value> = opened["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| &part[0])
        .collect();
    assert_eq!(kinds, ["text/plain", "text/html"]);
}

#[tokio::test]
async fn hostile_names_add_no_header_and_no_receiver() {
    let Some(server) = MailServer::start() else {
        return;
    };
    let ops = server.sink("password", "ops@example.org");
    let mut shapes = Vec::new();
    for name in HOSTILE.iter().chain(&["harmless"]) {
        let event = anomaly_of(verdict(name, name, name, Severity::High), None);
        ops.deliver(&[&event], night()).await.unwrap();
        let mail = server.mails().pop().unwrap();
        assert_eq!(mail["to"], serde_json::json!(["ops@example.org"]));
        assert_eq!(mail["defects"], serde_json::json!([]));
        assert_eq!(header(&mail, "Subject").len(), 1);
        let html = mail["parts"][1][1].as_str().unwrap();
        assert!(!html.contains("<script"), "{html}");
        let names = mail["headers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| pair[0].clone());
        shapes.push(names.collect::<Vec<_>>());
    }
    shapes.dedup();
    assert_eq!(shapes.len(), 1, "{shapes:?}");
}

#[tokio::test]
async fn what_the_server_refuses_is_an_error_that_says_so() {
    let Some(server) = MailServer::start() else {
        return;
    };
    let event = incident(IncidentChange::Opened);
    let refused =
        async |sink: Sink, events: &[&Event]| sink.deliver(events, night()).await.unwrap_err();

    let error = refused(server.sink("wrong", "ops@example.org"), &[&event]).await;
    assert!(
        matches!(
            error,
            NotifyError::MailRefused {
                code: Some(535),
                ..
            }
        ),
        "{error:?}"
    );
    assert!(!error.is_permanent());
    assert!(!format!("{error:?} {}", error.in_one_line()).contains("battery"));

    let error = refused(server.sink("password", "unknown@example.org"), &[&event]).await;
    assert!(
        matches!(
            error,
            NotifyError::MailRefused {
                code: Some(550),
                ..
            }
        ),
        "{error:?}"
    );
    assert!(
        error.in_one_line().contains("there is no such mailbox"),
        "{error:?}"
    );
    assert!(!error.is_permanent());

    // Only what is said of the mail itself lasts: relays and mailboxes are mended.
    for (receiver, replied, is_permanent) in [
        ("small", 552, true),
        ("content", 554, true),
        ("full", 552, false),
        ("relay", 554, false),
        ("plain", 554, false),
    ] {
        let to = format!("{receiver}@example.org");
        let error = refused(server.sink("password", &to), &[&event]).await;
        let is_told =
            matches!(error, NotifyError::MailRefused { code: Some(code), .. } if code == replied);
        assert!(is_told, "{error:?}");
        assert_eq!(error.is_permanent(), is_permanent, "{error:?}");
    }

    // Nobody trusts the certificate of the test.
    let options = server.options("password", "ops@example.org");
    let (options, _) = options.split_once("ca_file").unwrap();
    let error = refused(sink(options), &[&event]).await;
    assert!(
        matches!(error, NotifyError::Unreachable { .. }),
        "{error:?}"
    );

    // Nothing is sent in the clear: neither mail nor password.
    assert_eq!(server.mails(), Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_left() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let options = format!(
        "name = \"ops\"\n[email]\nserver = \"127.0.0.1:{port}\"\ntls = \"none\"\nfrom = \
         \"a@example.org\"\nto = [\"b@example.org\"]"
    );
    let told = sink(&options);
    let event = incident(IncidentChange::Opened);
    let error = told.deliver(&[&event], night()).await.unwrap_err();
    assert!(matches!(error, NotifyError::TimedOut { .. }), "{error:?}");
}
