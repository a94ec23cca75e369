//! What can go wrong with a walk as a whole.

use std::error::Error;
use std::io;
use std::path::PathBuf;

type Source = Box<dyn Error + Send + Sync + 'static>;

/// Why a walk could not be done. A file or directory that cannot be read is no reason: it is
/// counted.
///
/// Every message names the file and says what to do. After an error the state file is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalkError {
    /// The directory to be walked cannot be listed.
    #[error("cannot walk {}: {source}", path.display())]
    Root {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A pattern of what is left out is not in the syntax of gitignore.
    #[error("cannot exclude `{pattern}`: {source}")]
    Exclude {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        source: Source,
    },
    /// A file of patterns cannot be read, or a pattern in it is not in the syntax of gitignore.
    #[error("cannot exclude what {} lists: {source}", path.display())]
    ExcludeFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Source,
    },
    /// The path of the state names no file.
    #[error("{} cannot be a state file: give the path of a file", path.display())]
    StatePath {
        /// The path.
        path: PathBuf,
    },
    /// The state, or the lock beside it, cannot be read or written.
    #[error(
        "cannot use the state {}: {source}; its directory must exist, and this user must be allowed \
         to write there", path.display()
    )]
    State {
        /// The state file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another walk uses the state at this moment.
    #[error("another walk uses the state {}: wait for its end", path.display())]
    StateInUse {
        /// The state file.
        path: PathBuf,
    },
    /// The file is none that a walk wrote.
    #[error("{} is not the state of a walk: it was left as it is; give another file", path.display())]
    NotAState {
        /// The file.
        path: PathBuf,
    },
    /// The state is in a format of a newer version of this program.
    #[error(
        "the state {} has format {found}, and this version knows up to {known}: it was left as it \
         is; update this program, or give another file", path.display()
    )]
    NewerState {
        /// The state file.
        path: PathBuf,
        /// Its format.
        found: u16,
        /// The newest format that is known.
        known: u16,
    },
    /// The state is cut short or its bytes have changed.
    #[error(
        "the state {} is damaged ({what}): it was left as it is; remove it to begin anew, with a walk \
         that reads everything", path.display()
    )]
    DamagedState {
        /// The state file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The state is that of another directory.
    #[error(
        "the state {} is of {}, not of {}: it was left as it is; give each directory a state of its \
         own", path.display(), of.display(), asked.display()
    )]
    OtherDirectory {
        /// The state file.
        path: PathBuf,
        /// The directory that it is of.
        of: PathBuf,
        /// The directory to be walked.
        asked: PathBuf,
    },
    /// The system gave no random bytes for the key of a new state.
    #[error("cannot make a key for the state: {source}")]
    Key {
        /// What the system said.
        source: Source,
    },
}
