//! Who is evaluated.

use anomaly_engine::Engine;
use anomaly_model::BackupJob;

use crate::Answer;

/// Judges the jobs of a client one after another, and learns from them.
///
/// A clone goes on from what was learnt so far: that is how the branches of a history share the
/// judging of their past.
pub trait Judge: Clone {
    /// Judges the next job; `None` if there is no answer.
    fn observe(&mut self, job: &BackupJob) -> Option<Answer>;
}

impl Judge for Engine {
    fn observe(&mut self, job: &BackupJob) -> Option<Answer> {
        Some(Engine::observe(self, job).into())
    }
}
