//! The text of one record, before anyone looks into it.

use crate::{Place, RecordError};

/// The text of one record, or why it has none.
pub(crate) struct RawRecord<'a> {
    pub(crate) place: Place,
    pub(crate) text: Result<&'a str, RecordError>,
}

impl<'a> RawRecord<'a> {
    /// Checks that the record is UTF-8 and at most `max_bytes` long.
    pub(crate) fn new(place: Place, bytes: &'a [u8], max_bytes: usize) -> Self {
        let text = if bytes.len() > max_bytes {
            Err(format!(
                "longer than {max_bytes} bytes, the most that is read of one record"
            ))
        } else {
            std::str::from_utf8(bytes)
                .map_err(|error| format!("not UTF-8 text after {} bytes", error.valid_up_to()))
        };
        Self {
            place,
            text: text.map_err(|message| RecordError::new(place, message)),
        }
    }

    /// A place where a record should be and is not.
    pub(crate) fn bad(place: Place, message: &str) -> Self {
        Self {
            place,
            text: Err(RecordError::new(place, message)),
        }
    }
}
