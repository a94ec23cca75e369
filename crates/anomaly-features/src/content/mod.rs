//! What the written bytes look like, and which files show it.
//!
//! [`BlockStatistics`] takes the bytes of one file as they come and gives [`FileStatistics`].
//! [`FilesSeen`] takes one [`FileObservation`] per file and gives the numbers of a job.

mod block;
mod extension;
mod observation;
mod sampling;
mod seen;
mod statistics;
mod stored;
mod suspicious;

pub use block::BlockStatistics;
pub use extension::{ExtensionMix, extension_of, name_before_appended_extension};
pub use observation::FileObservation;
pub use sampling::{Ranges, Sampling};
pub use seen::{FilesSeen, Inspected, Inspection};
pub use statistics::{Alphabet, FileKind, FileStatistics, Nature, Undecided};
pub use stored::StoredStatistics;
pub use suspicious::SuspiciousExtensions;
