//! Which installation this is.

use anomaly_service::{AnomalyService, ServiceError};

use crate::{AccountsError, ServerError};

/// The note of the store that has it.
const NOTE: &str = "instance";

/// The id of the installation, a random UUID (RFC 9562, version 4): made the first time.
pub(crate) fn instance(service: &mut AnomalyService) -> Result<String, ServerError> {
    if let Some(known) = service.records().note(NOTE).map_err(ServiceError::from)? {
        return Ok(known);
    }
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| AccountsError::Random(error.to_string()))?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let number = u128::from_be_bytes(bytes);
    let hex = format!("{number:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    let id = parts.join("-");
    let mut transaction = service.transaction()?;
    transaction
        .put_note(NOTE, &id)
        .map_err(ServiceError::from)?;
    transaction.commit().map_err(ServiceError::from)?;
    Ok(id)
}
