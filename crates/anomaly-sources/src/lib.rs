#![doc = include_str!("../README.md")]

mod borg;
mod error;
mod format;
mod head;
mod input;
mod json;
mod kopia;
mod lines;
mod moment;
mod ndjson;
mod options;
mod pbs;
mod policy;
mod raw_record;
mod reader;
mod recognise;
mod record;
mod restic;
mod run;
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
