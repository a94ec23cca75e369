//! Jobs that the service fetches itself: each source on its own schedule, in a thread of its own.

mod directory;
mod error;
mod mark;
mod options;
mod out;
mod poll;
mod private;
mod read;
mod state;
mod tool;

pub(crate) use poll::poll;
pub(crate) use state::{Condition, SourceState, SourceStates};

pub use options::{
    BareosOptions, DirectoryOptions, GatherOptions, NetBackupOptions, RepositoryOptions, SourceKind,
};
