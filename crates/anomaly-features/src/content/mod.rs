//! What the written bytes look like, and which files show it.
//!
//! [`BlockStatistics`] takes the bytes of one file as they come and gives [`FileStatistics`].
//! [`FilesSeen`] takes one [`FileObservation`] per file and gives the numbers of a job.

mod attributes;
mod block;
mod encoding;
mod extension;
mod histogram;
mod kind;
mod mean;
mod nature;
mod notable;
mod note;
mod observation;
mod pool;
mod renamed;
mod sampling;
mod seen;
mod sketch;
mod statistics;
mod stored;
mod uniformity;

pub use block::BlockStatistics;
pub use encoding::Alphabet;
pub use extension::{ExtensionMix, extension_of, name_before_appended_extension};
pub use kind::FileKind;
pub use nature::{Nature, Undecided};
pub use observation::{DenseBy, FileObservation};
pub use sampling::{Ranges, Sampling};
pub use seen::{FilesSeen, Inspected, Inspection};
pub use statistics::FileStatistics;
pub use stored::StoredStatistics;
