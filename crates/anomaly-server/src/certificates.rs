//! Certificates that are renewed while the service runs.

use std::sync::Arc;
use std::time::{Duration, SystemTime};
use std::{fs, io};

use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;

use crate::TlsOptions;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(10);

/// Reads certificate and key. Nothing but HTTP/1.1 is offered.
pub(crate) async fn read(tls: &TlsOptions) -> io::Result<Arc<ServerConfig>> {
    let config = RustlsConfig::from_pem_file(&tls.certificate, &tls.key).await?;
    let mut config = ServerConfig::clone(&config.get_inner());
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Reads certificate and key anew whenever one of the files has changed, until the service ends. What
/// cannot be read leaves those that are in use.
pub(crate) async fn renew(config: RustlsConfig, tls: TlsOptions) {
    let mut known = changed_at(&tls);
    loop {
        tokio::time::sleep(EVERY).await;
        let now = changed_at(&tls);
        if now == known {
            continue;
        }
        match read(&tls).await {
            Ok(read) => {
                config.reload_from_config(read);
                tracing::info!("certificate and key were read anew");
                known = now;
            }
            Err(error) => tracing::warn!(%error, "the new certificate cannot be used"),
        }
    }
}

fn changed_at(tls: &TlsOptions) -> [Option<SystemTime>; 2] {
    let of = |path| fs::metadata(path).and_then(|file| file.modified()).ok();
    [of(&tls.certificate), of(&tls.key)]
}
