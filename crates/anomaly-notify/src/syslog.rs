//! Messages to a syslog server.

mod message;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio_rustls::TlsConnector;

use crate::{Event, NotifyError, SyslogOptions, Transport, tls};
use message::Header;

/// What a datagram can hold, over IPv4.
const MOST_DATAGRAM_BYTES: usize = 65_507;
/// So long a server may take to close a connection of which it has read the end.
const LONGEST_FAREWELL: Duration = Duration::from_secs(5);

pub(crate) struct SyslogSink {
    host: String,
    port: u16,
    way: Way,
    header: Header,
    limit: Duration,
}

enum Way {
    Udp,
    Tcp,
    Tls(TlsConnector, ServerName<'static>),
}

impl SyslogSink {
    pub(crate) fn open(options: &SyslogOptions) -> Result<Self, NotifyError> {
        let (host, port) = options.host_and_port()?;
        let way = match options.transport {
            Transport::Udp => Way::Udp,
            Transport::Tcp => Way::Tcp,
            Transport::Tls => {
                let files = (&options.certificate_file, &options.key_file);
                let own = match files {
                    (Some(certificate), Some(key)) => Some((certificate.as_path(), key.as_path())),
                    _ => None,
                };
                let roots = tls::roots(options.ca_file.as_deref())?;
                let connector = TlsConnector::from(Arc::new(tls::client(roots, own)?));
                let name = ServerName::try_from(host.clone()).map_err(|error| {
                    NotifyError::options(format!("`server` is no name of a host: {error}"))
                })?;
                Way::Tls(connector, name)
            }
        };
        Ok(Self {
            host,
            port,
            way,
            header: Header::new(options),
            limit: Duration::from_secs(options.timeout_seconds.into()),
        })
    }

    pub(crate) fn target(&self) -> String {
        let transport = match self.way {
            Way::Udp => "udp",
            Way::Tcp => "tcp",
            Way::Tls(..) => "tls",
        };
        let host = &self.host;
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.clone()
        };
        format!("{transport}://{host}:{}", self.port)
    }

    pub(crate) async fn deliver(&self, events: &[&Event]) -> Result<(), NotifyError> {
        let messages = self.messages(events)?;
        let sent = async {
            match &self.way {
                Way::Udp => self.send_datagrams(&messages).await,
                Way::Tcp => send(self.connect().await?, &messages).await,
                Way::Tls(connector, name) => {
                    let stream = connector.connect(name.clone(), self.connect().await?);
                    send(stream.await?, &messages).await
                }
            }
        };
        match tokio::time::timeout(self.limit, sent).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidInput => {
                let reason = error.to_string();
                Err(NotifyError::Body { reason })
            }
            Ok(Err(source)) => Err(NotifyError::Unreachable {
                what: self.target(),
                source: Box::new(source),
            }),
            Err(_) => Err(NotifyError::TimedOut {
                what: self.target(),
                limit: self.limit,
            }),
        }
    }

    pub(crate) fn messages(&self, events: &[&Event]) -> Result<Vec<Vec<u8>>, NotifyError> {
        events
            .iter()
            .map(|event| self.header.message(event))
            .collect()
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        TcpStream::connect((self.host.as_str(), self.port)).await
    }

    async fn send_datagrams(&self, messages: &[Vec<u8>]) -> io::Result<()> {
        let mut addresses = tokio::net::lookup_host((self.host.as_str(), self.port)).await?;
        let address = addresses
            .next()
            .ok_or_else(|| io::Error::other("the host has no address"))?;
        let any: SocketAddr = if address.is_ipv4() {
            ([0; 4], 0).into()
        } else {
            ([0; 16], 0).into()
        };
        let socket = UdpSocket::bind(any).await?;
        socket.connect(address).await?;
        for message in messages {
            if message.len() > MOST_DATAGRAM_BYTES {
                let reason = format!(
                    "{} bytes are more than a datagram holds: use tcp or tls",
                    message.len()
                );
                return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
            }
            socket.send(message).await?;
        }
        Ok(())
    }
}

/// The target, without the key.
impl std::fmt::Debug for SyslogSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SyslogSink")
            .field("target", &self.target())
            .finish_non_exhaustive()
    }
}

/// Sends each message behind its length, says that this was all, and waits until the server has read
/// so far: syslog has no other answer.
async fn send(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    messages: &[Vec<u8>],
) -> io::Result<()> {
    let mut frames = Vec::new();
    for message in messages {
        frames.extend_from_slice(message.len().to_string().as_bytes());
        frames.push(b' ');
        frames.extend_from_slice(message);
    }
    stream.write_all(&frames).await?;
    stream.flush().await?;
    stream.shutdown().await?;
    let mut buffer = [0; 256];
    let farewell = async {
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                // Closed without TLS's own farewell, as most servers do.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    };
    // A server that keeps the connection open and does not complain has it.
    tokio::time::timeout(LONGEST_FAREWELL, farewell)
        .await
        .unwrap_or(Ok(()))
}
