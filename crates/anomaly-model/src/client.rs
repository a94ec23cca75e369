//! Who is protected.

use serde::{Deserialize, Serialize};

use crate::ClientName;

/// A protected host or source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Client {
    /// Its name, as the backup tool knows it.
    pub name: ClientName,
}

impl Client {
    /// The client of this name.
    #[must_use]
    pub fn new(name: ClientName) -> Self {
        Self { name }
    }
}
