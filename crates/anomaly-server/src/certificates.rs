//! Certificates that are renewed while the service runs.

use std::fs;
use std::time::{Duration, SystemTime};

use axum_server::tls_rustls::RustlsConfig;

use crate::TlsOptions;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(10);

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
        match config
            .reload_from_pem_file(&tls.certificate, &tls.key)
            .await
        {
            Ok(()) => {
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
