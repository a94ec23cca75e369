//! A real PostgreSQL, which is gone with the test.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use postgres::{Client, NoTls};
use tempfile::TempDir;

use super::Certificates;

/// PostgreSQL does not run as root: then it runs as this user.
const NOBODY: u32 = 65_534;

/// A server with the user `admin`, who may do everything, and TLS with a certificate for
/// `localhost`. On its socket it asks for no password.
pub(crate) struct PostgreSql {
    directory: TempDir,
    binaries: PathBuf,
    pub(crate) port: u16,
    pub(crate) ca_file: PathBuf,
}

impl PostgreSql {
    /// `None` if PostgreSQL is not installed, which is a failure where `REQUIRE_BACKUP_TOOLS` is set.
    pub(crate) fn start() -> Option<Self> {
        let Some(binaries) = binaries() else {
            assert!(
                std::env::var_os("REQUIRE_BACKUP_TOOLS").is_none(),
                "PostgreSQL's initdb is not installed, and REQUIRE_BACKUP_TOOLS is set"
            );
            eprintln!("not tested: PostgreSQL's initdb is not installed");
            return None;
        };
        let directory = TempDir::new().unwrap();
        let certificates = Certificates::new();
        let ca_file = certificates.ca_file(directory.path());
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            binaries,
            port: free.local_addr().unwrap().port(),
            ca_file,
            directory,
        };
        drop(free);
        for (name, text) in [
            ("server.crt", certificates.certificate.pem()),
            ("server.key", certificates.key.serialize_pem()),
        ] {
            let path = server.path(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            give_away(&path);
        }
        give_away(server.directory.path());
        let data = server.path("data");
        server.run("initdb", |command| {
            command.args([
                "--username=admin",
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
            ]);
            command.args([
                "--encoding=SQL_ASCII",
                "--locale=C",
                "--no-sync",
                "--pgdata",
            ]);
            command.arg(&data);
        });
        let options = format!(
            "-F -p {} -k {} -c listen_addresses=127.0.0.1 -c ssl=on -c ssl_cert_file={} -c \
             ssl_key_file={}",
            server.port,
            server.directory.path().display(),
            server.path("server.crt").display(),
            server.path("server.key").display(),
        );
        server.run("pg_ctl", |command| {
            command.args([
                "start",
                "--wait",
                "--silent",
                "--options",
                &options,
                "--log",
            ]);
            command.arg(server.path("log")).arg("--pgdata").arg(&data);
        });
        Some(server)
    }

    /// An administrator's connection to a new database of this name.
    pub(crate) fn database(&self, name: &str) -> Client {
        let mut client = self.connect("postgres");
        client
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .unwrap();
        self.connect(name)
    }

    pub(crate) fn connect(&self, database: &str) -> Client {
        let mut config = Client::configure();
        config.host_path(self.directory.path()).port(self.port);
        config
            .user("admin")
            .dbname(database)
            .connect(NoTls)
            .unwrap()
    }

    /// The address of a database, on the socket.
    pub(crate) fn address(&self, user: &str, database: &str) -> String {
        let socket = self
            .directory
            .path()
            .display()
            .to_string()
            .replace('/', "%2F");
        format!("postgresql://{user}@{socket}:{}/{database}", self.port)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn run(&self, program: &str, arguments: impl FnOnce(&mut Command)) {
        let mut command = Command::new(self.binaries.join(program));
        arguments(&mut command);
        command.current_dir(self.directory.path());
        // A server that is started here must not hold the pipes of the test open.
        let output = fs::File::create(self.path(&format!("{program}.out"))).unwrap();
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output);
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let status = command.status().unwrap();
        let said = || fs::read_to_string(self.path(&format!("{program}.out"))).unwrap_or_default();
        assert!(status.success(), "{program}: {}", said());
    }
}

fn give_away(path: &Path) {
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

impl Drop for PostgreSql {
    fn drop(&mut self) {
        let data = self.path("data");
        self.run("pg_ctl", |command| {
            command
                .args(["stop", "--mode=immediate", "--silent", "--pgdata"])
                .arg(&data);
        });
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;

    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// Where the programs are: on the path, or where Debian hides them.
fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    directories.extend(versions.flatten().map(|version| version.path().join("bin")));
    // `initdb` alone may be a link to where the others are.
    directories
        .into_iter()
        .map(|directory| directory.join("initdb"))
        .find_map(|initdb| Some(initdb.canonicalize().ok()?.parent()?.to_owned()))
}
