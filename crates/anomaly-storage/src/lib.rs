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
mod order;
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
#[cfg(feature = "checkpoints")]
pub use evidence::{Checkpoint, CheckpointError, KeyError, SigningKey, VerifyingKey};
pub use evidence::{
    ConsistencyProof, Hash, InclusionProof, KeptFor, LatestPurge, LogHead, LogLeaf, Tampering,
    Verification,
};
pub use holder::Holder;
pub use incident::{IncidentQuery, IncidentRecord};
pub use judged_as::JudgedAs;
pub use memory::MemoryStore;
pub use nearby::{Around, NearbyAnomaly};
pub use observation::{
    Inserted, Observation, ObservationQuery, Origin, Recorded, StoredObservation,
};
pub use order::{Sort, SortKey};
pub use outbox::{Delivery, Message, Waiting};
pub use purge::{Purge, Purged};
pub use query::{AnomalyQuery, ListedAnomaly};
pub use sqlite::SqliteStore;
pub use store::{Read, Store, Transaction};
pub use stored::Stored;
