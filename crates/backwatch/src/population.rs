//! The file with what is known of streams in general.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anomaly_engine::Population;

use crate::exit::Failure;

/// Reads the file, if one is given.
pub(crate) fn read(path: Option<&Path>) -> Result<Option<Arc<Population>>, Failure> {
    Ok(read_with_fingerprint(path)?.map(|(population, _)| population))
}

/// The same, with what tells the file from others.
pub(crate) fn read_with_fingerprint(
    path: Option<&Path>,
) -> Result<Option<(Arc<Population>, String)>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let text = fs::read_to_string(path).map_err(|source| Failure::Open {
        path: path.to_owned(),
        source,
    })?;
    let population = Population::from_json(&text).map_err(|source| Failure::Population {
        path: path.to_owned(),
        source,
    })?;
    let fingerprint = blake3::hash(text.as_bytes()).to_hex().to_string();
    Ok(Some((Arc::new(population), fingerprint)))
}
