//! rsyslog, over UDP, TCP and TLS.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use anomaly_model::Severity;
use anomaly_notify::{Event, NotifyError};
use serde_json::Value;
use tempfile::TempDir;

use super::certificates::Certificates;
use super::process::{Server, free_port, is_there};
use super::shared::{HOSTILE, anomaly, anomaly_of, night, samples, sink, verdict};

/// An rsyslog that tells what it was told, one JSON object a message.
struct Rsyslog {
    directory: TempDir,
    certificates: Certificates,
    udp: u16,
    tcp: u16,
    tls: u16,
    told: Receiver<Value>,
    _server: Server,
}

fn rsyslogd() -> Option<&'static str> {
    let places = ["/usr/sbin/rsyslogd", "/usr/bin/rsyslogd"];
    let found = places.into_iter().find(|path| Path::new(path).exists());
    let has_tls = ["/usr/lib", "/usr/lib64"].iter().any(|lib| {
        let name = "rsyslog/lmnsd_gtls.so";
        let below = fs::read_dir(lib).into_iter().flatten().flatten();
        Path::new(lib).join(name).exists()
            || below.into_iter().any(|dir| dir.path().join(name).exists())
    });
    is_there(
        "rsyslog with its module for GnuTLS",
        found.is_some() && has_tls,
    )
    .then_some(found)
    .flatten()
}

impl Rsyslog {
    fn start() -> Option<Self> {
        let program = rsyslogd()?;
        let directory = TempDir::new().unwrap();
        let certificates = Certificates::write(directory.path());
        let pipe = directory.path().join("told");
        let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let (udp, tcp, tls) = (free_port(), free_port(), free_port());
        let fields = [
            "pri",
            "timereported",
            "hostname",
            "app-name",
            "procid",
            "msgid",
            "structured-data",
            "msg",
            "inputname",
        ];
        let fields = fields.map(|name| match name {
            "timereported" => {
                "property(outname=\"timereported\" name=\"timereported\" dateFormat=\"rfc3339\" \
                 format=\"jsonf\")"
                    .to_owned()
            }
            _ => format!("property(outname=\"{name}\" name=\"{name}\" format=\"jsonf\")"),
        });
        let separator = " constant(value=\", \") ";
        let configuration = format!(
            r#"
global(workDirectory="{work}" defaultNetstreamDriver="gtls"
    maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off"
    defaultNetstreamDriverCAFile="{ca}" defaultNetstreamDriverCertFile="{certificate}"
    defaultNetstreamDriverKeyFile="{key}")
module(load="imudp")
module(load="imptcp")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
template(name="json" type="list") {{ constant(value="{{") {fields} constant(value="}}\n") }}
ruleset(name="told") {{ action(type="ompipe" pipe="{pipe}" template="json") }}
input(type="imudp" address="127.0.0.1" port="{udp}" ruleset="told")
input(type="imtcp" address="127.0.0.1" port="{tls}" ruleset="told")
input(type="imptcp" address="127.0.0.1" port="{tcp}" ruleset="told")
"#,
            work = directory.path().display(),
            ca = certificates.ca.display(),
            certificate = certificates.certificate.display(),
            key = certificates.key.display(),
            fields = fields.join(separator),
            pipe = pipe.display(),
        );
        let file = directory.path().join("rsyslog.conf");
        fs::write(&file, configuration).unwrap();
        let (sender, told) = mpsc::channel();
        // Opened to write too: it neither waits for rsyslog nor ends with it.
        let read = File::options().read(true).write(true).open(&pipe).unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(read).lines() {
                let line = line.unwrap();
                let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(value).is_err() {
                    break;
                }
            }
        });
        let mut command = Command::new(program);
        command
            .arg("-n")
            .arg("-f")
            .arg(&file)
            .arg("-i")
            .arg(directory.path().join("pid"));
        let server = Server::start(&mut command, tcp);
        Some(Self {
            directory,
            certificates,
            udp,
            tcp,
            tls,
            told,
            _server: server,
        })
    }

    fn options(&self, transport: &str, more: &str) -> String {
        let port = match transport {
            "udp" => self.udp,
            "tcp" => self.tcp,
            _ => self.tls,
        };
        format!(
            "name = \"log\"\n[syslog]\nserver = \"localhost:{port}\"\ntransport = \"{transport}\"\n\
             facility = \"local4\"\nhostname = \"backup.example\"\n{more}"
        )
        // The server listens on IPv4 alone.
        .replace(
            "localhost",
            if transport == "tls" {
                "localhost"
            } else {
                "127.0.0.1"
            },
        )
    }

    fn tls_options(&self) -> String {
        let Certificates {
            ca,
            certificate,
            key,
        } = &self.certificates;
        format!("ca_file = {ca:?}\ncertificate_file = {certificate:?}\nkey_file = {key:?}\n")
    }

    fn next(&self) -> Value {
        self.told.recv_timeout(Duration::from_mins(2)).unwrap()
    }

    async fn tell(
        &self,
        transport: &str,
        more: &str,
        events: &[&Event],
    ) -> Result<(), NotifyError> {
        sink(&self.options(transport, more))
            .deliver(events, night())
            .await
    }
}

#[tokio::test]
async fn rsyslog_understands_every_message_over_every_transport() {
    let Some(server) = Rsyslog::start() else {
        return;
    };
    let samples = samples();
    let events: Vec<&Event> = samples.iter().map(|(_, event)| event).collect();
    let tls = server.tls_options();
    for (transport, more) in [("udp", ""), ("tcp", ""), ("tls", tls.as_str())] {
        server.tell(transport, more, &events).await.unwrap();
        // Datagrams may overtake each other; here they do not.
        for event in &events {
            let told = server.next();
            assert_eq!(told["hostname"], "backup.example", "{told}");
            assert_eq!(told["app-name"], "backwatch");
            assert_eq!(told["msgid"], event.topic().as_str().to_uppercase());
            assert_eq!(
                told["timereported"], "2026-11-25T22:12:30.000000Z",
                "{told}"
            );
            let data = told["structured-data"].as_str().unwrap();
            assert!(data.starts_with("[backwatch@32473 id=\""), "{data}");
            assert!(data.contains(&event.id), "{data}");
            let text = told["msg"]
                .as_str()
                .unwrap()
                .trim_start_matches(['\u{feff}', ' ']);
            assert!(text.ends_with('.'), "{text:?}");
        }
    }
    let told_pri = async |event: &Event| {
        server.tell("tcp", "", &[event]).await.unwrap();
        server.next()["pri"].clone()
    };
    // local4 is 20: 20 * 8 + 2 (critical), 3 (error), 4 (warning).
    for (severity, pri) in [
        (Severity::High, "162"),
        (Severity::Medium, "163"),
        (Severity::Low, "164"),
    ] {
        assert_eq!(told_pri(&anomaly(severity)).await, pri);
    }
    drop(server.directory);
}

#[tokio::test]
async fn hostile_names_are_one_message_to_rsyslog() {
    let Some(server) = Rsyslog::start() else {
        return;
    };
    for name in HOSTILE {
        for format in ["text", "cef", "ocsf", "cloudevents"] {
            let event = anomaly_of(verdict(name, name, name, Severity::High), None);
            let format = format!("format = {format:?}");
            server.tell("tcp", &format, &[&event]).await.unwrap();
            let told = server.next();
            assert_eq!(told["msgid"], "ANOMALY", "{told}");
            let data = told["structured-data"].as_str().unwrap();
            assert!(
                data.starts_with("[backwatch@32473 ") && data.ends_with("\"]"),
                "{data}"
            );
            let text = told["msg"]
                .as_str()
                .unwrap()
                .trim_start_matches(['\u{feff}', ' ']);
            let begins = match format.as_str() {
                "format = \"text\"" => "Mass encryption in ",
                "format = \"cef\"" => "CEF:0|Backwatch|Backwatch|",
                _ => "{\"",
            };
            assert!(text.starts_with(begins), "{text:?}");
            if begins == "{\"" {
                let json: Value = serde_json::from_str(text).unwrap();
                let client = json
                    .pointer("/resources/0/name")
                    .or(json.pointer("/data/anomaly/verdict/client"));
                assert_eq!(client.unwrap(), name);
            }
        }
    }
    // Nothing of it was more than one message.
    let (name, test) = samples().pop().unwrap();
    assert_eq!(name, "test");
    server.tell("tcp", "", &[&test]).await.unwrap();
    assert_eq!(server.next()["msgid"], "TEST");
}

#[tokio::test]
async fn only_the_right_server_is_told_and_only_the_right_client_is_heard() {
    let Some(server) = Rsyslog::start() else {
        return;
    };
    let event = anomaly(Severity::High);
    // Nobody trusts the certificate of the test.
    let error = server.tell("tls", "", &[&event]).await.unwrap_err();
    assert!(matches!(error, NotifyError::Unreachable { .. }), "{error}");
    assert!(!error.is_permanent());
    // rsyslog wants to see a certificate.
    let ca = format!("ca_file = {:?}", server.certificates.ca);
    let error = server.tell("tls", &ca, &[&event]).await.unwrap_err();
    assert!(matches!(error, NotifyError::Unreachable { .. }), "{error}");
    // The certificate is for `localhost`.
    let options = server
        .options("tls", &server.tls_options())
        .replace("localhost", "127.0.0.1");
    let error = sink(&options)
        .deliver(&[&event], night())
        .await
        .unwrap_err();
    assert!(matches!(error, NotifyError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_later() {
    let options = format!(
        "name = \"log\"\n[syslog]\nserver = \"127.0.0.1:{}\"\ntransport = \"tcp\"",
        free_port()
    );
    let error = sink(&options)
        .deliver(&[&anomaly(Severity::Low)], night())
        .await;
    let error = error.unwrap_err();
    assert!(matches!(error, NotifyError::Unreachable { .. }), "{error}");
    assert!(!error.is_permanent());
}

/// Paused, the clock runs ahead whenever nothing else is left to do.
#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_left() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let options =
        format!("name = \"log\"\n[syslog]\nserver = \"127.0.0.1:{port}\"\ntransport = \"tls\"");
    let told = sink(&options);
    let event = anomaly(Severity::Low);
    let error = told.deliver(&[&event], night()).await.unwrap_err();
    assert!(matches!(error, NotifyError::TimedOut { .. }), "{error}");
}
