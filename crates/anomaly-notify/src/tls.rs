//! Whose certificates are trusted, and which one is shown.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::NotifyError;
use crate::secret::Secret;

/// The certificates in `ca_file`, or those that the system trusts.
pub(crate) fn roots(ca_file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, NotifyError> {
    if let Some(path) = ca_file {
        return certificates(path);
    }
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "a certificate of the system cannot be used");
    }
    Ok(found.certs)
}

/// The certificates of a PEM file: at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, NotifyError> {
    let bytes = std::fs::read(path).map_err(|source| NotifyError::File {
        path: path.to_owned(),
        source,
    })?;
    let bad = |reason: String| NotifyError::Secret {
        path: path.to_owned(),
        reason,
    };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let found = found.map_err(|error| bad(error.to_string()))?;
    if found.is_empty() {
        return Err(bad("has no certificate in PEM".to_owned()));
    }
    Ok(found)
}

/// A client that trusts `roots` alone, and shows the certificate of the two files, where there are
/// some.
pub(crate) fn client(
    roots: Vec<CertificateDer<'static>>,
    own: Option<(&Path, &Path)>,
) -> Result<ClientConfig, NotifyError> {
    let failed = |error: rustls::Error| NotifyError::Tls {
        reason: error.to_string(),
    };
    let mut store = RootCertStore::empty();
    // One that the system trusts and nobody can read stands in nobody's way.
    let (_, unusable) = store.add_parsable_certificates(roots);
    if store.is_empty() && unusable > 0 {
        return Err(NotifyError::Tls {
            reason: "no certificate that is trusted can be read".to_owned(),
        });
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_root_certificates(store);
    let Some((certificate_file, key_file)) = own else {
        return Ok(config.with_no_client_auth());
    };
    let key = Secret::read(key_file)?;
    // What the parser says could have the key in it.
    let key = PrivateKeyDer::from_pem_slice(key.reveal().as_bytes()).map_err(|_| {
        NotifyError::Secret {
            path: key_file.to_owned(),
            reason: "has no key in PEM".to_owned(),
        }
    })?;
    config
        .with_client_auth_cert(certificates(certificate_file)?, key)
        .map_err(failed)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
