#![doc = include_str!("../README.md")]

#[cfg(not(unix))]
compile_error!("anomaly-walk needs a Unix: elsewhere files have no time of change to go by");

mod directories;
mod error;
mod examine;
mod exclude;
mod metadata;
mod options;
mod progress;
mod shared;
mod state;
mod throttle;
mod walk;
mod walked;
mod warnings;
mod worker;

pub use error::WalkError;
pub use options::{ReadMode, WalkOptions};
pub use progress::WalkProgress;
pub use walk::Walk;
pub use walked::Walked;
pub use warnings::{WalkWarning, WalkWarningKind};
