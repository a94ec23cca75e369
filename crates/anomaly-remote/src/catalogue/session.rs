//! A connection to PostgreSQL on which nothing waits for ever.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::{Client, Config, Error, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::RemoteError;

/// What the server may take longer than it was told: it says best itself that a statement took too long.
const GRACE: Duration = Duration::from_secs(2);
/// So long is waited for the server to hear that nothing more is asked.
const FAREWELL: Duration = Duration::from_secs(1);

/// A connection, driven while something is asked of it.
pub(super) struct Session {
    runtime: Runtime,
    /// `None` while it ends.
    client: Option<Client>,
    /// `None` once it was asked why it ended.
    connection: Option<JoinHandle<Result<(), Error>>>,
    limit: Duration,
}

impl Session {
    /// Connects, and gives up what takes longer than `limit`: a server can also accept a connection and
    /// say nothing.
    pub(super) fn open(
        config: &Config,
        tls: MakeRustlsConnect,
        limit: Duration,
    ) -> Result<Self, RemoteError> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| RemoteError::System { source })?;
        let limit = limit.saturating_add(GRACE);
        let (client, connection) = within(&runtime, limit, config.connect(tls))?;
        let connection = runtime.spawn(connection);
        Ok(Self {
            runtime,
            client: Some(client),
            connection: Some(connection),
            limit,
        })
    }

    /// Runs statements, each with a `;` after it but the last.
    pub(super) fn query(&mut self, sql: &str) -> Result<Vec<SimpleQueryMessage>, RemoteError> {
        let Some(client) = &self.client else {
            return Ok(Vec::new());
        };
        let answer = within(&self.runtime, self.limit, client.simple_query(sql));
        if matches!(&answer, Err(RemoteError::Catalogue { source }) if source.is_closed())
            && let Some(Err(source)) = self.ended(self.limit)
        {
            // Why it ended is known here alone.
            return Err(RemoteError::Catalogue { source });
        }
        answer
    }

    /// How the connection ended, if it did within `limit`.
    fn ended(&mut self, limit: Duration) -> Option<Result<(), Error>> {
        let connection = self.connection.take()?;
        let ended = async { timeout(limit, connection).await };
        self.runtime.block_on(ended).ok()?.ok()
    }
}

/// The server is told, so that it does not log a client that was lost.
impl Drop for Session {
    fn drop(&mut self) {
        self.client = None;
        _ = self.ended(FAREWELL);
    }
}

fn within<T>(
    runtime: &Runtime,
    limit: Duration,
    asked: impl Future<Output = Result<T, Error>>,
) -> Result<T, RemoteError> {
    match runtime.block_on(async { timeout(limit, asked).await }) {
        Ok(answer) => answer.map_err(|source| RemoteError::Catalogue { source }),
        Err(_) => Err(RemoteError::Silent { limit }),
    }
}
