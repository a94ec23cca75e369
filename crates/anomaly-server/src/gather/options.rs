//! The sections `[[gather]]` of the configuration.

use std::path::PathBuf;

use anomaly_remote::Address;
use anomaly_sources::{Format, ReadOptions, Timezone};
use serde::Deserialize;

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

/// A repository, whose snapshots the tool itself lists.
///
/// What unlocks it is in files alone: the tool gets their names, or the environment of
/// [`Self::environment_file`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RepositoryOptions {
    /// Where it is, as the tool writes it: a path, or such as `sftp:host:/srv/restic`. One that holds
    /// a password belongs into [`Self::environment_file`].
    pub repository: Option<String>,
    /// A file with its password.
    pub password_file: Option<PathBuf>,
    /// A program that prints its password, which the tool runs.
    pub password_command: Option<String>,
    /// A file of lines `NAME=VALUE` that are the tool's environment, such as the keys to a bucket.
    /// Nobody but Backwatch's user and group may read it.
    pub environment_file: Option<PathBuf>,
    /// The tool; `restic` or `rustic` on the system's path unless set.
    pub program: Option<PathBuf>,
    /// Where the tool may keep what it has fetched; it keeps nothing unless set.
    pub cache_directory: Option<PathBuf>,
    /// Of which parts to make the policy; as `ingest --policy-parts` has it.
    pub policy_parts: Option<Vec<String>>,
    /// Seconds that may be waited for the tool in one reading, 1 to 3600; 300 unless set. Then it is
    /// killed.
    #[serde(default = "five_minutes")]
    pub timeout_seconds: u16,
}

/// The catalogue of a Bareos or Bacula director.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BareosOptions {
    /// `postgresql://USER@HOST/DATABASE`.
    pub address: String,
    /// A password file of PostgreSQL: `HOST:PORT:DATABASE:USER:PASSWORD` a line.
    pub password_file: Option<PathBuf>,
    /// Certificates (PEM) of those who may have signed the server's; the system's unless set.
    pub ca_file: Option<PathBuf>,
    /// The zone of the director's times.
    pub timezone: Option<String>,
    /// Hours before the end of the newest job that was read from which on is read again, 1 to 8760;
    /// 24 unless set.
    #[serde(default = "a_day")]
    pub overlap_hours: u16,
    /// Seconds that the server may take for one step, 1 to 3600; 60 unless set.
    #[serde(default = "a_minute")]
    pub timeout_seconds: u16,
}

/// The REST interface of a NetBackup primary server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct NetBackupOptions {
    /// `netbackup+https://HOST[:PORT]`, with `/admin/jobs`, which is meant if there is nothing, or
    /// `/catalog/images` after it.
    pub address: String,
    /// A file whose first line is the API key. Nobody but Backwatch's user and group may read it.
    pub api_key_file: PathBuf,
    /// Certificates (PEM) of those who may have signed the server's; the system's unless set.
    pub ca_file: Option<PathBuf>,
    /// Hours before the end of the newest job that was read from which on is read again, 1 to 8760;
    /// 24 unless set. NetBackup is asked by the start of a job: a job that takes longer than a day and
    /// this is not seen.
    #[serde(default = "a_day")]
    pub overlap_hours: u16,
    /// Seconds that the server may take for one answer, 1 to 3600; 60 unless set.
    #[serde(default = "a_minute")]
    pub timeout_seconds: u16,
}

/// A directory into which others put files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectoryOptions {
    /// The directory. What is in directories in it is not read.
    pub path: PathBuf,
    /// The format of all files, as `ingest --format` has it; recognised from each unless set.
    pub format: Option<String>,
    /// The client of records that name none.
    pub client: Option<String>,
    /// The policy of records that name none.
    pub policy: Option<String>,
    /// Of which parts to make the policy; as `ingest --policy-parts` has it.
    pub policy_parts: Option<Vec<String>>,
    /// The zone of times that are printed without one.
    pub timezone: Option<String>,
    /// Which column of a CSV file is which field: a file of a mapping.
    pub csv_mapping: Option<PathBuf>,
    /// Only files whose names end so are read; all unless set. Those whose names begin with `.`, or
    /// end with `.tmp`, `.part` or `~`, never are.
    pub suffix: Option<String>,
    /// Seconds for which a file must not have changed before it is read, 0 to 3600; 10 unless set.
    #[serde(default = "ten_seconds")]
    pub settle_seconds: u16,
    /// No larger file is read; 1 GiB unless set.
    #[serde(default = "a_gibibyte")]
    pub most_file_bytes: u64,
}

const fn five_minutes() -> u16 {
    300
}

const fn a_minute() -> u16 {
    60
}

const fn a_day() -> u16 {
    24
}

const fn ten_seconds() -> u16 {
    10
}

const fn a_gibibyte() -> u64 {
    1 << 30
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
            Self::Bareos(options) => {
                in_range("overlap_hours", options.overlap_hours.into(), 1, 8_760)?;
                zone(options.timezone.as_deref())?;
                address(&options.address, Format::BareosCatalogue).map(|_| ())
            }
            Self::NetBackup(options) => {
                in_range("overlap_hours", options.overlap_hours.into(), 1, 8_760)?;
                address(&options.address, Format::NetBackupRest).map(|_| ())
            }
            Self::Directory(options) => {
                in_range("settle_seconds", options.settle_seconds.into(), 0, 3_600)?;
                zone(options.timezone.as_deref())?;
                let format = options.format()?;
                format.map_or(Ok(()), |format| {
                    parts(format, options.policy_parts.as_ref())
                })
            }
        }
    }
}

impl RepositoryOptions {
    fn check(&self, format: Format) -> Result<(), String> {
        let secret = self.repository.as_ref().is_some_and(|address| {
            let after_scheme = address.split_once("://").map_or("", |(_, rest)| rest);
            let authority = after_scheme.split('/').next().unwrap_or_default();
            authority
                .split_once('@')
                .is_some_and(|(user, _)| user.contains(':'))
        });
        if secret {
            return Err(
                "`repository` has a password in it: put the address into a file, and \
                        name that with `environment_file`"
                    .to_owned(),
            );
        }
        if self.repository.is_none() && self.environment_file.is_none() {
            return Err(
                "needs `repository`, or an `environment_file` that names the repository".to_owned(),
            );
        }
        if self.password_file.is_some() && self.password_command.is_some() {
            return Err(
                "`password_file` and `password_command` are two ways to say one thing: \
                        give one of them"
                    .to_owned(),
            );
        }
        parts(format, self.policy_parts.as_ref())
    }
}

impl DirectoryOptions {
    /// The format of all files, if they have one.
    pub(crate) fn format(&self) -> Result<Option<Format>, String> {
        let named = self.format.as_deref().filter(|name| *name != "auto");
        let format = named.map(str::parse).transpose();
        format.map_err(|error: anomaly_sources::SourceError| error.to_string())
    }

    /// What the reader is told, without the mapping of columns.
    pub(crate) fn read_options(&self) -> Result<ReadOptions, String> {
        Ok(ReadOptions::default()
            .client(self.client.clone())
            .policy(self.policy.clone())
            .policy_parts(self.policy_parts.clone())
            .timezone(zone(self.timezone.as_deref())?))
    }
}

/// Reads the address of a server of which this is the format.
pub(crate) fn address(text: &str, format: Format) -> Result<Address, String> {
    // One that is refused may have a password in it, and is not shown.
    let address = match Address::parse(text) {
        Some(Ok(address)) => address,
        Some(Err(error)) => return Err(format!("`address` {error}")),
        None => return Err("`address` is not one of a server".to_owned()),
    };
    if address.format() == format {
        Ok(address)
    } else {
        Err("`address` is one of another kind of server".to_owned())
    }
}

/// Reads the name of a time zone, if there is one.
pub(crate) fn zone(name: Option<&str>) -> Result<Option<Timezone>, String> {
    let zone = name.map(str::parse).transpose();
    zone.map_err(|error: anomaly_sources::SourceError| error.to_string())
}

fn parts(format: Format, asked: Option<&Vec<String>>) -> Result<(), String> {
    let known = format.source().policy_parts();
    let mut asked = asked.into_iter().flatten();
    match asked.find(|part| !known.contains(&part.as_str())) {
        Some(part) => Err(format!(
            "`policy_parts` has {part:?}: {format} has {}",
            known.join(", ")
        )),
        None => Ok(()),
    }
}

fn in_range(key: &str, value: u32, least: u32, most: u32) -> Result<(), String> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(format!("`{key}` is {value}: must be {least} to {most}"))
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
