//! A server that speaks just enough HTTPS, and answers as the test tells it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use super::Certificates;

/// A request, as far as tests look at it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// `GET /path?query HTTP/1.1`.
    pub(crate) line: String,
    /// In lower case, with their values as they are.
    pub(crate) headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        let header = self.headers.iter().find(|(other, _)| other == name);
        header.map_or("", |(_, value)| value)
    }

    /// The parameters of the query, with what percent signs stand for.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let path = self.line.split(' ').nth(1)?;
        let mut pairs = path.split_once('?')?.1.split('&');
        let found = pairs.find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (decoded(key) == name).then_some(value)
        });
        found.map(decoded)
    }
}

/// What the server says.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
    /// Of which only so many bytes are sent before the connection is closed.
    pub(crate) cut_at: Option<usize>,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            cut_at: None,
        }
    }

    pub(crate) fn header(mut self, header: impl Into<String>) -> Self {
        self.headers.push(header.into());
        self
    }

    pub(crate) fn cut_at(mut self, bytes: usize) -> Self {
        self.cut_at = Some(bytes);
        self
    }
}

/// A server on this machine. Its thread ends with the test.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) ca_file: PathBuf,
    requests: Arc<Mutex<Vec<Request>>>,
    directory: TempDir,
}

impl Server {
    /// Starts a server that gives these replies, one after another, and then the last one always.
    pub(crate) fn start(replies: Vec<Reply>) -> Self {
        let certificates = Certificates::new();
        let directory = TempDir::new().unwrap();
        let ca_file = certificates.ca_file(directory.path());
        let key = PrivateKeyDer::try_from(certificates.key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificates.certificate.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::default();
        let seen: Arc<Mutex<Vec<Request>>> = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let last = replies.len() - 1;
                let reply = &replies[seen.lock().unwrap().len().min(last)];
                // A client that does not trust us hangs up.
                if let Some(request) = serve(stream.unwrap(), &config, reply, &seen) {
                    assert!(request.line.starts_with("GET "), "{request:?}");
                }
            }
        });
        Self {
            port,
            ca_file,
            requests,
            directory,
        }
    }

    /// The requests that were answered so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

fn serve(
    stream: TcpStream,
    config: &Arc<ServerConfig>,
    reply: &Reply,
    seen: &Mutex<Vec<Request>>,
) -> Option<Request> {
    let connection = ServerConnection::new(Arc::clone(config)).unwrap();
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let headers = lines[1..].iter().filter_map(|line| line.split_once(": "));
    let request = Request {
        line: lines[0].clone(),
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
    };
    // Before the reply is there: whoever has it may ask what was requested.
    seen.lock().unwrap().push(request.clone());
    let mut text = format!(
        "HTTP/1.1 {} .\r\nContent-Length: {}\r\nConnection: close\r\n",
        reply.status,
        reply.body.len()
    );
    for header in &reply.headers {
        text = format!("{text}{header}\r\n");
    }
    let sent = reply.cut_at.unwrap_or(reply.body.len());
    text = format!("{text}\r\n{}", &reply.body[..sent]);
    let stream = stream.get_mut();
    stream.write_all(text.as_bytes()).ok()?;
    if reply.cut_at.is_none() {
        stream.conn.send_close_notify();
    }
    stream.flush().ok()?;
    Some(request)
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            let digits = std::str::from_utf8(&digits).unwrap().to_owned();
            bytes.push(u8::from_str_radix(&digits, 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}
