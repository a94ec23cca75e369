#![doc = include_str!("../README.md")]

mod elements;
mod error;
mod format;
mod json;
mod lines;
mod ndjson;
mod opening;
mod options;
mod raw_record;
mod reader;
mod recognise;
mod record;
mod restic;

pub use error::{RecordError, SourceError};
pub use format::Format;
pub use options::ReadOptions;
pub use reader::{Reader, read};
pub use recognise::{Recognised, recognise};
pub use record::{Located, Place, Record};
