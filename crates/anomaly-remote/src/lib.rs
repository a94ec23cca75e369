#![doc = include_str!("../README.md")]

mod address;
mod catalogue;
mod error;
mod netbackup;
mod options;
mod pieces;
mod secret;
mod tls;

pub use address::{Address, Remote};
pub use error::RemoteError;
pub use options::RemoteOptions;
pub use secret::Secret;
