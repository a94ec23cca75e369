//! Mails, sent through a mail server.

use std::time::{Duration, SystemTime};

use anomaly_model::Severity;
use anomaly_model::chrono::{DateTime, Utc};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use crate::body::mail::Digest;
use crate::event::uid_of_all;
use crate::secret::Secret;
use crate::text::one_line;
use crate::{EmailOptions, Event, IncidentChange, MailTls, NotifyError, What, host, tls};

pub(crate) struct EmailSink {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    server: String,
    name: String,
    from: Mailbox,
    to: Vec<Mailbox>,
    limit: Duration,
}

impl EmailSink {
    pub(crate) fn open(options: &EmailOptions, name: &str) -> Result<Self, NotifyError> {
        let (host, port) = options.host_and_port()?;
        let limit = Duration::from_secs(options.timeout_seconds.into());
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&host)
            .port(port)
            .hello_name(own_name())
            .timeout(Some(limit))
            .tls(match options.tls {
                MailTls::None => Tls::None,
                MailTls::StartTls => Tls::Required(parameters(options, &host)?),
                MailTls::Tls => Tls::Wrapper(parameters(options, &host)?),
            });
        if let (Some(username), Some(path)) = (&options.username, &options.password_file) {
            let password = Secret::read(path)?.reveal().to_owned();
            builder = builder.credentials(Credentials::new(username.clone(), password));
        }
        Ok(Self {
            transport: builder.build(),
            server: options.server.clone(),
            name: name.to_owned(),
            from: options.sender()?,
            to: options.receivers()?,
            limit,
        })
    }

    pub(crate) fn target(&self) -> String {
        let addresses = self.to.iter().map(|mailbox| mailbox.email.to_string());
        addresses.collect::<Vec<_>>().join(", ")
    }

    pub(crate) async fn deliver(
        &self,
        events: &[&Event],
        now: DateTime<Utc>,
    ) -> Result<(), NotifyError> {
        let mail = self.mail(events, now)?;
        match tokio::time::timeout(self.limit, self.transport.send(mail)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.failed(error)),
            Err(_) => Err(self.timed_out()),
        }
    }

    /// The mail about `events`, all of which are of the same incident, or one of none.
    pub(crate) fn mail(
        &self,
        events: &[&Event],
        now: DateTime<Utc>,
    ) -> Result<Message, NotifyError> {
        let bad = |error: &dyn std::fmt::Display| NotifyError::Body {
            reason: error.to_string(),
        };
        let first = events.first().ok_or_else(|| bad(&"there is none"))?;
        let digest = Digest::of(events);
        let domain = self.from.email.domain();
        let (sink, uid) = (&self.name, uid_of_all(events));
        let thread = format!("<{}.{sink}@{domain}>", first.thread_uid());
        let opens = events.iter().any(|event| match &event.what {
            What::Incident(news) => news.change == IncidentChange::Opened,
            // It answers the mail about the anomaly that it decides.
            What::Review(_) => false,
            _ => event.incident().is_none(),
        });
        let mut builder = Message::builder()
            .from(self.from.clone())
            .subject(digest.subject())
            .date(SystemTime::from(now));
        for receiver in &self.to {
            builder = builder.to(receiver.clone());
        }
        builder = if opens {
            builder.message_id(Some(thread))
        } else {
            builder
                .message_id(Some(format!("<{uid}.{sink}@{domain}>")))
                .in_reply_to(thread.clone())
                .references(thread)
        };
        let plain = digest.plain(sink);
        let html = digest.html(sink).map_err(|error| bad(&error))?;
        let parts = MultiPart::alternative()
            // It follows from what is told, and is in no text of it.
            .boundary(format!("backwatch-{uid}"))
            .singlepart(lettre::message::SinglePart::plain(plain))
            .singlepart(lettre::message::SinglePart::html(html));
        let mut mail = builder.multipart(parts).map_err(|error| bad(&error))?;
        let mut set = |name, value: String| {
            let name = HeaderName::new_from_ascii_str(name);
            mail.headers_mut().insert_raw(HeaderValue::new(name, value));
        };
        set(
            "List-Id",
            format!("Backwatch {sink} <{sink}.backwatch.{domain}>"),
        );
        // No holiday notice is an answer to this (RFC 3834).
        set("Auto-Submitted", "auto-generated".to_owned());
        if digest.severity() == Severity::High {
            set("Importance", "high".to_owned());
        }
        Ok(mail)
    }

    fn failed(&self, error: lettre::transport::smtp::Error) -> NotifyError {
        let what = self.server.clone();
        if error.is_timeout() {
            return self.timed_out();
        }
        match error.status() {
            Some(code) => NotifyError::MailRefused {
                what,
                code: Some(code.into()),
                enhanced: enhanced(&error),
                message: one_line(&error.to_string(), 300).into_owned(),
            },
            None => NotifyError::Unreachable {
                what,
                source: Box::new(error),
            },
        }
    }

    fn timed_out(&self) -> NotifyError {
        NotifyError::TimedOut {
            what: self.server.clone(),
            limit: self.limit,
        }
    }
}

/// Without the password.
impl std::fmt::Debug for EmailSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmailSink")
            .field("server", &self.server)
            .field("from", &self.from)
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}

/// The enhanced status that the server's reply begins with.
fn enhanced(error: &lettre::transport::smtp::Error) -> Option<(u16, u16, u16)> {
    let reply = std::error::Error::source(error)?.to_string();
    let mut parts = reply.split(' ').next()?.split('.').map(str::parse);
    match (parts.next()?, parts.next()?, parts.next()?, parts.next()) {
        (Ok(class), Ok(subject), Ok(detail), None) => Some((class, subject, detail)),
        _ => None,
    }
}

fn parameters(options: &EmailOptions, host: &str) -> Result<TlsParameters, NotifyError> {
    let failed = |error: lettre::transport::smtp::Error| NotifyError::Tls {
        reason: error.to_string(),
    };
    let mut parameters =
        TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::None);
    for root in tls::roots(options.ca_file.as_deref())? {
        // One that the system trusts and nobody can read stands in nobody's way.
        if let Ok(certificate) = Certificate::from_der(root.to_vec()) {
            parameters = parameters.add_root_certificate(certificate);
        }
    }
    parameters.build_rustls().map_err(failed)
}

/// The name of this machine, as far as a mail server may see it.
fn own_name() -> ClientId {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-.".contains(character);
    match host::name().filter(|name| !name.is_empty() && name.chars().all(is_plain)) {
        Some(name) => ClientId::Domain(name),
        None => ClientId::default(),
    }
}
