//! kopia, as it prints with `--json`: the manifests of snapshots.

mod create;
mod list;
mod manifest;

pub(crate) use create::Create;
pub(crate) use list::List;

/// The source of every job that kopia ran.
const KOPIA: &str = "kopia";

/// The parts of a policy: the user and the path of kopia's own `user@host:path`.
const POLICY_PARTS: &[&str] = &["user", "path"];

const STREAM_KEY: &str = "`source.host`, and as policy user and path: `root:/home`; kopia has no \
                          schedules";
