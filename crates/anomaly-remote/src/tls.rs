//! Whose certificates are trusted.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::RemoteError;

/// The certificates in `ca_file`, or those that the system trusts.
pub(crate) fn roots(ca_file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, RemoteError> {
    let Some(path) = ca_file else {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::debug!(%error, "a certificate of the system cannot be used");
        }
        return Ok(found.certs);
    };
    let bytes = std::fs::read(path).map_err(|source| RemoteError::File {
        path: path.to_owned(),
        source,
    })?;
    let bad = |reason: String| RemoteError::Content {
        path: path.to_owned(),
        reason,
    };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let certificates = certificates.map_err(|error| bad(error.to_string()))?;
    if certificates.is_empty() {
        return Err(bad("has no certificate in PEM".to_owned()));
    }
    Ok(certificates)
}

/// A client that trusts `roots` alone.
pub(crate) fn client(roots: Vec<CertificateDer<'static>>) -> Result<ClientConfig, RemoteError> {
    let failed = |error: rustls::Error| RemoteError::Tls {
        reason: error.to_string(),
    };
    let mut store = RootCertStore::empty();
    // One that the system trusts and nobody can read stands in nobody's way.
    let (_, unusable) = store.add_parsable_certificates(roots);
    if store.is_empty() && unusable > 0 {
        return Err(RemoteError::Tls {
            reason: "no certificate that is trusted can be read".to_owned(),
        });
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    Ok(config.with_root_certificates(store).with_no_client_auth())
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
