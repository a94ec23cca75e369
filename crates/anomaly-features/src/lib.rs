#![doc = include_str!("../README.md")]

#[cfg(feature = "content")]
pub mod content;

mod anomaly_type;
mod catalogue;
mod feature;
mod listed;
mod matrix;
mod previous;
mod share;
mod suspicious;
mod transform;
mod unit;
mod vector;

pub use anomaly_type::AnomalyType;
pub use catalogue::{FEATURES, feature};
pub use feature::{Absent, Feature, Reading, Suspicion};
pub use matrix::FeatureMatrix;
pub use previous::Previous;
pub use share::{AffectedShares, Share, Usual, compression, label};
pub use suspicious::{SuspiciousExtensions, SuspiciousFound};
pub use transform::Transform;
pub use unit::{Unit, counted};
pub use vector::{FeatureVector, extract};
