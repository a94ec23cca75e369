#![doc = include_str!("../README.md")]

mod bareos;
mod csv_records;
mod duration;
mod error;
mod format;
mod head;
mod input;
mod json;
mod lines;
mod moment;
mod ndjson;
mod netbackup;
mod options;
mod raw_record;
mod reader;
mod recognise;
mod record;
mod restic;
mod since;
mod source;
mod timezone;
mod values;

pub use error::{RecordError, SourceError};
pub use format::Format;
pub use head::Head;
pub use input::Input;
pub use options::{ReadOption, ReadOptions};
pub use reader::{Reader, read};
pub use recognise::{Recognised, recognise};
pub use record::{Located, Place, Record};
pub use since::Since;
pub use source::{Records, Source};
pub use timezone::Timezone;
