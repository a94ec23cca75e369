//! The sections `[[gather]]` of the configuration.

mod checks;
mod directory;
mod repository;
mod server;

use anomaly_sources::Format;
use serde::Deserialize;

use checks::in_range;

pub use directory::DirectoryOptions;
pub use repository::RepositoryOptions;
pub use server::{BareosOptions, NetBackupOptions};

/// A source that the service polls: one `[[gather]]` of the configuration.
///
/// An unknown key, a value that is not allowed, and none or several of the tables that say what kind
/// it is (`[gather.restic]` and the like) are errors where it is read.
///
/// ```
/// use anomaly_server::GatherOptions;
///
/// let source: GatherOptions = toml::from_str(r#"
///     name = "nas"
///     [restic]
///     repository = "/srv/restic"
///     password_file = "/etc/backwatch/nas.password"
/// "#)?;
/// assert_eq!((source.kind.as_str(), source.every_seconds), ("restic", 900));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawSource")]
#[non_exhaustive]
pub struct GatherOptions {
    /// Its name: lower-case letters, digits, `-` and `_`, at most 64. What was read is kept under it.
    pub name: String,
    /// Seconds between two readings, from 1 to 86400; 900 unless set, and 30 for a directory.
    pub every_seconds: u32,
    /// What is read.
    pub kind: SourceKind,
}

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceKind {
    /// `[gather.restic]`: the snapshots of a restic repository.
    Restic(RepositoryOptions),
    /// `[gather.rustic]`: those of a rustic repository.
    Rustic(RepositoryOptions),
    /// `[gather.bareos]`: the catalogue of a Bareos or Bacula director.
    Bareos(BareosOptions),
    /// `[gather.netbackup]`: the REST interface of a NetBackup primary server.
    NetBackup(NetBackupOptions),
    /// `[gather.directory]`: files that others put into a directory.
    Directory(DirectoryOptions),
}

/// As it is written, before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    name: String,
    every_seconds: Option<u32>,
    restic: Option<RepositoryOptions>,
    rustic: Option<RepositoryOptions>,
    bareos: Option<BareosOptions>,
    netbackup: Option<NetBackupOptions>,
    directory: Option<DirectoryOptions>,
}

impl TryFrom<RawSource> for GatherOptions {
    type Error = String;

    fn try_from(raw: RawSource) -> Result<Self, String> {
        let name = raw.name;
        let of_source = |reason: String| format!("source `{name}`: {reason}");
        if !is_name(&name) {
            let reason = "a name is 1 to 64 of lower-case letters, digits, `-` and `_`";
            return Err(of_source(reason.to_owned()));
        }
        let kinds = [
            raw.restic.map(SourceKind::Restic),
            raw.rustic.map(SourceKind::Rustic),
            raw.bareos.map(SourceKind::Bareos),
            raw.netbackup.map(SourceKind::NetBackup),
            raw.directory.map(SourceKind::Directory),
        ];
        let mut kinds = kinds.into_iter().flatten();
        let (Some(kind), None) = (kinds.next(), kinds.next()) else {
            let reason =
                "needs exactly one of the tables restic, rustic, bareos, netbackup and directory";
            return Err(of_source(reason.to_owned()));
        };
        kind.check().map_err(of_source)?;
        let usual = if matches!(kind, SourceKind::Directory(_)) {
            30
        } else {
            900
        };
        let every_seconds = raw.every_seconds.unwrap_or(usual);
        in_range("every_seconds", every_seconds, 1, 86_400).map_err(of_source)?;
        Ok(Self {
            name,
            every_seconds,
            kind,
        })
    }
}

impl GatherOptions {
    /// Checks that no two sources have the same name; says which one comes twice.
    pub(crate) fn name_twice(sources: &[Self]) -> Option<&str> {
        let mut names = std::collections::BTreeSet::new();
        let twice = sources.iter().find(|source| !names.insert(&source.name));
        twice.map(|source| source.name.as_str())
    }
}

impl SourceKind {
    /// The word that stands for it: that of its table.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Restic(_) => "restic",
            Self::Rustic(_) => "rustic",
            Self::Bareos(_) => "bareos",
            Self::NetBackup(_) => "netbackup",
            Self::Directory(_) => "directory",
        }
    }

    /// Where it is, for people. There is no secret in it.
    #[must_use]
    pub fn target(&self) -> String {
        match self {
            Self::Restic(options) | Self::Rustic(options) => match &options.repository {
                Some(repository) => repository.clone(),
                None => "the repository that its environment names".to_owned(),
            },
            Self::Bareos(options) => options.address.clone(),
            Self::NetBackup(options) => options.address.clone(),
            Self::Directory(options) => options.path.display().to_string(),
        }
    }

    /// Seconds that one step of a reading may take.
    pub(crate) fn timeout_seconds(&self) -> u16 {
        match self {
            Self::Restic(options) | Self::Rustic(options) => options.timeout_seconds,
            Self::Bareos(options) => options.timeout_seconds,
            Self::NetBackup(options) => options.timeout_seconds,
            // A disk that does not answer for so long is gone.
            Self::Directory(_) => 300,
        }
    }

    fn check(&self) -> Result<(), String> {
        let timeout = self.timeout_seconds().into();
        in_range("timeout_seconds", timeout, 1, 3_600)?;
        match self {
            Self::Restic(options) => options.check(Format::ResticSnapshots),
            Self::Rustic(options) => options.check(Format::RusticSnapshots),
            Self::Bareos(options) => options.check(),
            Self::NetBackup(options) => options.check(),
            Self::Directory(options) => options.check(),
        }
    }
}

fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (1..=64).contains(&name.len()) && name.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::GatherOptions;

    fn refused(text: &str) -> String {
        toml::from_str::<GatherOptions>(text)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn what_is_wrong_is_said_and_no_secret_with_it() {
        for (text, what) in [
            ("name = 'A'", "lower-case"),
            ("name = 'a'", "exactly one of the tables"),
            (
                "name = 'a'\n[directory]\npath = '/a'\n[restic]\nrepository = '/b'",
                "exactly one",
            ),
            (
                "name = 'a'\nevery_seconds = 0\n[directory]\npath = '/a'",
                "1 to 86400",
            ),
            (
                "name = 'a'\n[directory]\npath = '/a'\nfiles = 1",
                "unknown field",
            ),
            (
                "name = 'a'\n[directory]\npath = '/a'\nformat = 'x'",
                "is not a format",
            ),
            (
                "name = 'a'\n[directory]\npath = '/a'\ntimezone = 'x'",
                "is not a time zone",
            ),
            (
                "name = 'a'\n[restic]\npassword_file = '/p'",
                "needs `repository`",
            ),
            (
                "name = 'a'\n[restic]\nrepository = '/b'\ntimeout_seconds = 0",
                "1 to 3600",
            ),
            (
                "name = 'a'\n[restic]\nrepository = '/b'\npolicy_parts = ['label']",
                "paths, tags",
            ),
            (
                "name = 'a'\n[restic]\nrepository = 'rest:https://u:hunter2@h/'",
                "environment_file",
            ),
            (
                "name = 'a'\n[bareos]\naddress = 'postgresql://u:hunter2@h/d'",
                "password",
            ),
            (
                "name = 'a'\n[bareos]\naddress = 'netbackup+https://h'",
                "another kind",
            ),
            (
                "name = 'a'\n[netbackup]\naddress = 'netbackup+https://h'",
                "api_key_file",
            ),
        ] {
            let said = refused(text);
            assert!(said.contains(what), "{text}: {said}");
            // toml shows the line that is wrong when it is one; the reason shows nothing of it.
            let reason = said.lines().last().unwrap_or_default();
            assert!(!reason.contains("hunter2"), "{said}");
        }
    }

    /// What the page tells to paste is what is read, and it tells of every key.
    #[test]
    fn the_page_has_each_kind_and_each_key() {
        #[derive(serde::Deserialize)]
        struct Configuration {
            gather: Vec<GatherOptions>,
        }

        let page = include_str!("../../../../docs/gathering.md");
        let blocks = page.split("```toml\n").skip(1);
        let kinds: Vec<&str> = blocks
            .flat_map(|block| {
                let block = block.split("```").next().unwrap();
                toml::from_str::<Configuration>(block).unwrap().gather
            })
            .map(|source| source.kind.as_str())
            .collect();
        assert_eq!(
            kinds,
            ["restic", "rustic", "bareos", "netbackup", "directory"]
        );
        for kind in kinds {
            let said = refused(&format!("name = 'a'\n[{kind}]\nno_such_key = 1"));
            let keys = said.split("expected one of ").nth(1).unwrap();
            for key in keys.lines().next().unwrap().split(", ") {
                let key = key.trim_matches('`');
                assert!(page.contains(key), "{kind}: {key}");
            }
        }
    }

    #[test]
    fn a_name_comes_once() {
        let source = |name: &str| {
            toml::from_str(&format!("name = '{name}'\n[directory]\npath = '/a'")).unwrap()
        };
        let sources = [source("a"), source("b"), source("a")];
        assert_eq!(GatherOptions::name_twice(&sources), Some("a"));
        assert_eq!(GatherOptions::name_twice(&sources[..2]), None);
    }
}
