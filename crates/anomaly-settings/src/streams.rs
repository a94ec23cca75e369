//! How jobs are grouped.

use crate::StreamParts;
use crate::section::section;

section! {
    /// How jobs are grouped into streams, the jobs that are judged against each other.
    pub struct StreamSettings, pub(crate) overrides StreamOverrides, prefix "streams." {
        /// The properties of a job that tell streams apart.
        ///
        /// More properties give narrower streams, which are quieter and need longer to warm up.
        /// Client, policy and schedule type is NetBackup's grouping: a full backup is never judged
        /// against an incremental one. Changing it starts every stream afresh. It holds for all
        /// jobs: a scope cannot set it.
        key: StreamParts = StreamParts::default(),
    }
}
