//! What may go wrong in a measurement.

/// Anything: whoever measures reads it.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
