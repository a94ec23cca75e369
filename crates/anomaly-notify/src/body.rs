//! The forms in which an event is told.

pub(crate) mod cef;
pub(crate) mod cloud_event;
pub(crate) mod mail;
pub(crate) mod ocsf;
pub(crate) mod words;

use crate::{Event, Format, NotifyError};

/// An event in one line.
pub(crate) fn line(event: &Event, format: Format) -> Result<String, NotifyError> {
    Ok(match format {
        Format::CloudEvents => cloud_event::json(event)?,
        Format::Ocsf => ocsf::json(event)?,
        Format::Cef => cef::line(event),
        Format::Text => words::message(event),
    })
}
