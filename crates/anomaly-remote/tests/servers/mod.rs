//! Servers to read from: a real PostgreSQL, and a primary server that says what it is told to.
#![allow(dead_code, reason = "each test uses one of them")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it did not test"
)]

pub(crate) mod https;
#[cfg(unix)]
pub(crate) mod postgresql;

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// A certificate for `localhost`, and the one that signed it.
pub(crate) struct Certificates {
    pub(crate) ca_pem: String,
    pub(crate) certificate: rcgen::Certificate,
    pub(crate) key: KeyPair,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned()];
        let certificate = CertificateParams::new(names)
            .unwrap()
            .signed_by(&key, &Issuer::new(ca, ca_key))
            .unwrap();
        Self {
            ca_pem,
            certificate,
            key,
        }
    }

    /// Writes the certificate of the signer where it is asked for.
    pub(crate) fn ca_file(&self, directory: &Path) -> PathBuf {
        let path = directory.join("ca.pem");
        fs::write(&path, &self.ca_pem).unwrap();
        path
    }
}
