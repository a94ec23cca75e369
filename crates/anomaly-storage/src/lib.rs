#![doc = include_str!("../README.md")]

mod audit;
mod change;
mod error;
mod evidence;
mod holder;
mod incident;
mod job_key;
mod judged_as;
mod memory;
mod nearby;
mod observation;
mod outbox;
mod purge;
mod query;
mod setters;
mod sqlite;
mod store;
mod stored;

pub use audit::{AuditEntry, AuditQuery};
pub use change::{Decision, PendingChange, SettingsVersion};
pub use error::StoreError;
pub use evidence::{
    Checkpoint, CheckpointError, Hash, KeptFor, KeyError, LogHead, SigningKey, Tampering,
    Verification, VerifyingKey,
};
pub use holder::Holder;
pub use incident::{IncidentQuery, IncidentRecord};
pub use judged_as::JudgedAs;
pub use memory::MemoryStore;
pub use nearby::{Around, NearbyAnomaly};
pub use observation::{
    Inserted, Observation, ObservationQuery, Origin, Recorded, StoredObservation,
};
pub use outbox::{Delivery, Message};
pub use purge::{Purge, Purged};
pub use query::AnomalyQuery;
pub use sqlite::SqliteStore;
pub use store::{Read, Store, Transaction};
pub use stored::Stored;
