//! The file with what is known of streams in general.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anomaly_engine::Population;

use crate::exit::Failure;

/// Reads the file, if one is given.
pub(crate) fn read(path: Option<&Path>) -> Result<Option<Arc<Population>>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let text = fs::read_to_string(path).map_err(|source| Failure::Open {
        path: path.to_owned(),
        source,
    })?;
    let population = Population::from_json(&text).map_err(|source| Failure::Population {
        path: path.to_owned(),
        source,
    })?;
    Ok(Some(Arc::new(population)))
}
