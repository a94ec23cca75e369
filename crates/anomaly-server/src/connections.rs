//! Connections: how many there may be, and when one is given up.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum_server::{AddrListener, Address};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;

use crate::ServerOptions;
use crate::seats::{Seat, Seats};

/// One address has at most such a part of all connections.
const SHARE: usize = 4;

/// Takes connections while there is room for them; others wait in the queue of the system.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    places: Arc<Semaphore>,
    /// Nobody has more than his share, where it is known who comes: behind a proxy it is not.
    shares: Option<Seats<IpAddr>>,
    /// How long one may take nothing of what it is sent.
    patience: Duration,
}

/// A connection, which has its place until it ends.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    // In this order: whoever gets the place finds the share free.
    _share: Option<Seat<IpAddr>>,
    _place: OwnedSemaphorePermit,
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(SocketAddr);

impl Listener {
    pub(crate) fn new(
        listener: std::net::TcpListener,
        options: &ServerOptions,
    ) -> io::Result<Self> {
        let most = usize::from(options.most_connections);
        let share = most.div_ceil(SHARE);
        Ok(Self {
            socket: TcpListener::from_std(listener)?,
            places: Arc::new(Semaphore::new(most)),
            shares: (!options.behind_proxy).then(|| Seats::new(usize::MAX, share)),
            patience: Duration::from_secs(options.request_seconds.into()),
        })
    }
}

impl AddrListener<Connection, Peer> for Listener {
    /// The service takes its address before it is anything else.
    async fn bind_to(_: Peer) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn accept_stream(&self) -> io::Result<(Connection, Peer)> {
        loop {
            let place = Arc::clone(&self.places).acquire_owned().await;
            let place = place.map_err(io::Error::other)?;
            let (stream, address) = self.socket.accept().await?;
            let share = self
                .shares
                .as_ref()
                .map(|shares| shares.take(network(address.ip())));
            if let Some(None) = share {
                tracing::debug!(%address, "it has too many connections");
                continue;
            }
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(self.patience));
            let connection = Connection {
                stream: Box::pin(stream),
                _share: share.flatten(),
                _place: place,
            };
            return Ok((connection, Peer(address)));
        }
    }

    fn get_local_addr(&self) -> io::Result<Peer> {
        self.socket.local_addr().map(Peer)
    }
}

impl Address for Peer {
    type Stream = Connection;
    type Listener = Listener;
}

impl Connected<Peer> for SocketAddr {
    fn connect_info(peer: Peer) -> Self {
        peer.0
    }
}

/// What stands for whoever comes from an address: of IPv6 he has all of a /64.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address @ IpAddr::V4(_) => address,
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_many_addresses_of_a_network_is_one() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
