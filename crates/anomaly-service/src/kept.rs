//! For how long settings asked to keep jobs.

use anomaly_model::chrono::TimeDelta;
use anomaly_storage::{KeptFor, Read};

use crate::ServiceError;
use crate::service::accepted_settings;

/// For how long, at least, the settings that were accepted before a purge asked to keep jobs; `None`
/// when that was never longer than the purge has kept them, or none were accepted.
///
/// Whoever knows the log can add a purge that calls old what is not: this is how it shows. Settings
/// are asked for the least that ever held, because a program that had read them goes by them until it
/// ends.
///
/// # Errors
/// [`ServiceError::Store`] when the store cannot be read.
pub fn asked_to_keep_longer(
    store: &(impl Read + ?Sized),
    kept_for: &KeptFor,
) -> Result<Option<TimeDelta>, ServiceError> {
    let accepted = accepted_settings(store)?;
    let before = accepted
        .iter()
        .filter(|(number, _)| *number < kept_for.purge);
    let asked = before.map(|(_, settings)| settings.storage.retention().unwrap_or(TimeDelta::MAX));
    Ok(asked.min().filter(|asked| *asked > kept_for.time))
}
