//! Veritas (Cohesity) NetBackup: what its commands print, and what its REST interface answers.

mod bpdbjobs;
mod bpimagelist;
mod bpimagelist_json;
mod codes;
mod column;
mod families;
mod gather;
mod images;
mod rest;
mod run;

pub(crate) use bpdbjobs::Bpdbjobs;
pub(crate) use bpimagelist::Bpimagelist;
pub(crate) use bpimagelist_json::BpimagelistJson;
pub(crate) use rest::Rest;

/// The source of every job that NetBackup ran.
const SOURCE: &str = "netbackup";
