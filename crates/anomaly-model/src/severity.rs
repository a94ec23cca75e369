//! How much an anomaly matters.

use crate::words::words;

words! {
    /// How much an anomaly matters, by its size and by how sure it is.
    pub enum Severity, "severity" {
        /// Look at it this week.
        Low = "low",
        /// Look at it today.
        Medium = "medium",
        /// Look at it now.
        High = "high",
    }
}
