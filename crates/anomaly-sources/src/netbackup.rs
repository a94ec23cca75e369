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
/// What the streams of every format of it are.
const STREAM_KEY: &str = "client, policy and schedule type, as NetBackup itself groups them";
/// What lists of images never tell.
const IMAGES_NEVER_TELL: &[&str] = &[
    "dedup_ratio",
    "stored_bytes",
    "files_new",
    "files_changed",
    "files_unmodified",
    "files_deleted",
    "directory_count",
    "content",
];
/// What jobs never tell.
const JOBS_NEVER_TELL: &[&str] = &[
    "stored_bytes",
    "files_new",
    "files_changed",
    "files_unmodified",
    "files_deleted",
    "directory_count",
    "content",
];
