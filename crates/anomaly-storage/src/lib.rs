#![doc = include_str!("../README.md")]

mod error;
mod memory;
mod query;
mod sqlite;
mod store;

pub use error::StoreError;
pub use memory::MemoryStore;
pub use query::AnomalyQuery;
pub use sqlite::SqliteStore;
pub use store::{Inserted, Observation, Store, Transaction};
