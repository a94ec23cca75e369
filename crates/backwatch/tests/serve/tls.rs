//! Over the network: encrypted, or not at all.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use crate::service::{Home, Service};

/// A certificate that is in use from now on.
fn certificate(home: &Home) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    home.write("cert.pem", &made.cert.pem());
    home.write("key.pem", &made.signing_key.serialize_pem());
    made.cert.der().clone()
}

fn encrypted(home: &Home) -> Service {
    let file = |name: &str| home.path().join(name).display().to_string();
    let text = format!(
        "[server]\nrequest_seconds = 2\n[server.tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
        file("cert.pem"),
        file("key.pem"),
    );
    home.serve(&["--config", &home.write("tls.toml", &text)])
}

impl Service {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.base.strip_prefix("https://").unwrap()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_mins(1)))
            .unwrap();
        stream
    }

    /// The kind of record that it answers with: 22 goes on with the handshake, 21 ends it.
    fn answer_to(&self, record: &[u8]) -> [u8; 1] {
        let mut stream = self.connect();
        stream.write_all(record).unwrap();
        let mut kind = [0];
        stream.read_exact(&mut kind).unwrap();
        kind
    }

    /// The first line of what it answers to one who trusts this certificate and speaks this version.
    fn first_line(
        &self,
        trusted: &CertificateDer<'static>,
        version: &'static SupportedProtocolVersion,
    ) -> Result<String, std::io::Error> {
        let asked = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        self.first_line_to(asked, trusted, version)
    }

    fn first_line_to(
        &self,
        said: &str,
        trusted: &CertificateDer<'static>,
        version: &'static SupportedProtocolVersion,
    ) -> Result<String, std::io::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        // As browsers do; the answer is of HTTP/1.1, or none.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        let client = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(client, self.connect());
        stream.write_all(said.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.lines().next().unwrap_or_default().to_owned())
    }
}

#[test]
fn it_speaks_tls_1_2_and_1_3_and_nothing_older() {
    let home = Home::new();
    let trusted = certificate(&home);
    let service = encrypted(&home);
    for version in rustls::ALL_VERSIONS {
        assert_eq!(
            service.first_line(&trusted, version).unwrap(),
            "HTTP/1.1 200 OK"
        );
    }
    assert_eq!(service.answer_to(&hello(3)), [22], "TLS 1.2: a handshake");
    assert_eq!(service.answer_to(&hello(2)), [21], "TLS 1.1: an alert");
}

/// What a client says first that speaks no version newer than `3.minor`, where 3.3 is TLS 1.2.
fn hello(minor: u8) -> Vec<u8> {
    let extensions = [
        // Curves: P-256 and X25519.
        &[0, 10, 0, 6, 0, 4, 0, 0x17, 0, 0x1d][..],
        // Signatures: ECDSA on P-256 with SHA-256.
        &[0, 13, 0, 4, 0, 2, 4, 3],
    ]
    .concat();
    let mut hello = vec![3, minor];
    hello.extend([7; 32]);
    // No session; ECDHE-ECDSA with AES, of TLS 1.2 and of TLS 1.0; no compression.
    hello.extend([0, 0, 4, 0xc0, 0x2b, 0xc0, 0x09, 1, 0]);
    hello.extend([0, u8::try_from(extensions.len()).unwrap()]);
    hello.extend(extensions);
    let length = u8::try_from(hello.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(hello);
    record
}

#[test]
fn a_certificate_is_renewed_without_a_restart() {
    let home = Home::new();
    let old = certificate(&home);
    let service = encrypted(&home);
    assert!(service.first_line(&old, &rustls::version::TLS13).is_ok());
    let new = certificate(&home);
    let begun = Instant::now();
    while service.first_line(&new, &rustls::version::TLS13).is_err() {
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "it keeps the old one"
        );
        thread::sleep(Duration::from_millis(200));
    }
    assert!(service.first_line(&old, &rustls::version::TLS13).is_err());
}

/// Nor does a handshake go on for ever, or what comes after it.
#[test]
fn whoever_says_nothing_over_tls_is_given_up() {
    let home = Home::new();
    let trusted = certificate(&home);
    let service = encrypted(&home);
    let hello = hello(3);
    for said in [&[][..], &hello[..hello.len() / 2], &hello] {
        let mut stream = service.connect();
        stream.write_all(said).unwrap();
        // To its end, or until it is reset: not until this side has had enough.
        let ended = stream
            .read_to_end(&mut Vec::new())
            .map_err(|error| error.kind());
        assert!(!matches!(ended, Err(ErrorKind::WouldBlock)), "{ended:?}");
    }
    for said in ["", "GET /health HT"] {
        let answer = service.first_line_to(said, &trusted, &rustls::version::TLS13);
        // It hangs up in good order, or not.
        assert!(
            answer.as_ref().map_or_else(
                |error| error.kind() != ErrorKind::WouldBlock,
                |line| !line.contains(" 200 ")
            ),
            "{answer:?}"
        );
    }
}

#[test]
fn without_tls_only_this_machine_is_listened_to() {
    let home = Home::new();
    let output = home
        .backwatch(&["serve", "--listen", "0.0.0.0:0"])
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("TLS"), "{error}");
}
