//! Where a list goes on.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// Where a list goes on, as the client hands it back: opaque, and valid for the same filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor;

impl Cursor {
    pub(crate) fn write(place: &impl Serialize) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
    }

    pub(crate) fn read<T: DeserializeOwned>(cursor: &str) -> Result<T, Problem> {
        let place = URL_SAFE_NO_PAD.decode(cursor).ok();
        place
            .and_then(|place| serde_json::from_slice(&place).ok())
            .ok_or_else(|| Problem::invalid("`cursor` must be `next` of the page before."))
    }
}
