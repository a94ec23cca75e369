//! The packaged unit, under systemd as far as there is one: judged everywhere, run where the machine
//! allows a systemd beside its own.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What a source needs of the machine, as the page tells to paste it.
fn drop_in() -> String {
    let page = include_str!("../../../../docs/gathering.md");
    let block = page.split("```ini\n").nth(1).unwrap();
    block.split("```").next().unwrap().to_owned()
}

fn unit() -> String {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/backwatch.service");
    fs::read_to_string(unit).unwrap()
}

/// Writes unit and drop-in, with `backwatch` in place of the program of the package.
fn install(directory: &Path, start: &str, drop_in: &str) -> PathBuf {
    let unit = unit();
    let packaged = unit.lines().find(|line| line.starts_with("ExecStart="));
    let path = directory.join("backwatch.service");
    fs::write(&path, unit.replace(packaged.unwrap(), start)).unwrap();
    let more = directory.join("backwatch.service.d");
    fs::create_dir(&more).unwrap();
    fs::write(more.join("sources.conf"), drop_in).unwrap();
    path
}

/// What systemd says, where it is installed.
fn analyze(arguments: &[&str], unit: &Path) -> Option<Output> {
    let said = Command::new("systemd-analyze")
        .args(arguments)
        .arg(unit)
        .output();
    let required = std::env::var_os("REQUIRE_BACKUP_TOOLS").is_some();
    assert!(
        said.is_ok() || !required,
        "systemd-analyze is not installed"
    );
    said.ok()
}

/// The packaged unit leaves the service little to do harm with, and little more with what a source
/// needs; systemd understands every line of both.
#[test]
fn the_packaged_unit_is_hardened() {
    let directory = tempfile::tempdir().unwrap();
    let start = concat!("ExecStart=", env!("CARGO_BIN_EXE_backwatch"), " serve");
    for drop_in in [String::new(), drop_in()] {
        let directory = directory.path().join(drop_in.len().to_string());
        fs::create_dir(&directory).unwrap();
        let unit = install(&directory, start, &drop_in);
        // The exposure times ten, above which it fails.
        let judge = ["security", "--offline=true", "--threshold=20"];
        let Some(judged) = analyze(&judge, &unit) else {
            return;
        };
        let report = String::from_utf8(judged.stdout).unwrap();
        assert!(judged.status.success(), "{report}");
        assert!(report.contains("Overall exposure level"), "{report}");
        // It was seen: one line of it costs something.
        let groups = report
            .lines()
            .find(|line| line.contains("SupplementaryGroups="));
        let is_open = groups.unwrap().contains("runs with supplementary groups");
        assert_eq!(is_open, !drop_in.is_empty());

        let verified = analyze(&["verify", "--man=no"], &unit).unwrap();
        let complaints = String::from_utf8_lossy(&verified.stderr);
        let path = directory.display().to_string();
        let is_ours = |line: &&str| line.contains(&path) || line.contains("ackwatch");
        let ours: Vec<&str> = complaints.lines().filter(is_ours).collect();
        assert!(ours.is_empty(), "{complaints}");
    }
}

/// Runs systemd in namespaces of its own, over directories of its own, until both sources were read;
/// prints what the service said, and how it ended.
const RUN: &str = r#"
    set -e
    mount --make-rprivate /
    for directory in /run /var/lib /var/cache /var/log /opt; do
        mount -t tmpfs own "$directory"
    done
    # The unit sees neither homes nor what lies about in /tmp.
    cp --archive . /opt/backwatch
    mount --make-rshared /
    umount -R /sys/fs/cgroup
    mount -t cgroup2 own /sys/fs/cgroup
    ip link set lo up
    ip address add 192.0.2.10/32 dev lo
    ip address add 192.0.2.99/32 dev lo
    ready="$PWD/ready"
    (
        set +e
        was_read() { grep -q "source=\"$1\"" /run/said; }
        until was_read allowed && was_read denied; do
            sleep 0.2
        done
        address=$(sed -n 's/^listening on http:\/\///p' /run/said)
        exec 3<>"/dev/tcp/${address%:*}/${address#*:}"
        printf 'GET /health HTTP/1.0\r\n\r\n' >&3
        cat <&3
        systemctl show --property=UID backwatch
        SYSTEMD_LOG_LEVEL=err systemctl stop backwatch
        systemctl show --property=Result,ExecMainStatus backwatch
        cat /run/said
        ls -ld /var/cache/private/backwatch/* /var/lib/private/backwatch/backwatch.db
        touch "$ready"
    ) &
    SYSTEMD_UNIT_PATH=/opt/backwatch container=oci exec /lib/systemd/systemd --system \
        --unit=all.target --show-status=0 --log-target=null
"#;

/// A unit that runs nothing.
const NOTHING: &str = "[Unit]\nDefaultDependencies=no\n";

const SOURCES: &str = r#"
[[gather]]
name = "nas"
every_seconds = 1
[gather.restic]
repository = "/opt/backwatch/data/repository"
password_file = "/run/credentials/backwatch.service/nas.password"
cache_directory = "/var/cache/backwatch"

[[gather]]
name = "allowed"
[gather.netbackup]
address = "netbackup+https://192.0.2.10:9"
api_key_file = "/run/credentials/backwatch.service/netbackup.key"
timeout_seconds = 2

[[gather]]
name = "denied"
[gather.netbackup]
address = "netbackup+https://192.0.2.99:9"
api_key_file = "/run/credentials/backwatch.service/netbackup.key"
timeout_seconds = 2
"#;

/// Whether a systemd can be run beside that of the machine; says so where it cannot.
fn can_be_run() -> bool {
    let script = "mount --make-rprivate / && mount -t tmpfs own /run && umount -R /sys/fs/cgroup \
                  && mount -t cgroup2 own /sys/fs/cgroup && test -x /lib/systemd/systemd \
                  && ip link set lo up && getent group backup && restic version";
    let tried = unshare(script, Path::new("/")).output();
    let can = tried.is_ok_and(|tried| tried.status.success());
    if !can {
        // Past the test harness, which shows nothing of tests that pass.
        _ = writeln!(
            std::io::stderr(),
            "systemd cannot be run beside that of this machine: the packaged unit is not run"
        );
    }
    can
}

/// A shell with processes, mounts, control groups and network of its own.
fn unshare(script: &str, directory: &Path) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--pid", "--fork", "--kill-child", "--mount", "--mount-proc"])
        .args(["--cgroup", "--net", "--uts", "--ipc", "bash", "-c", script])
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// With the drop-in of the page, the packaged unit reads a repository that a group may read, with a
/// password that root alone may read, keeps restic's cache, and reaches the machines that are named and
/// no other.
#[test]
fn the_packaged_unit_gathers_with_the_drop_in_of_the_page() {
    if !can_be_run() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    for secret in ["nas.password", "netbackup.key"] {
        fs::write(path(secret), "correct horse").unwrap();
        fs::set_permissions(path(secret), Permissions::from_mode(0o600)).unwrap();
    }
    fs::write(path("backwatch.toml"), SOURCES).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_backwatch"), path("backwatch")).unwrap();
    let made = Command::new("sh")
        .args(["-e", "-c"])
        .arg(
            "export RESTIC_REPOSITORY=data/repository RESTIC_PASSWORD_FILE=nas.password
             restic init --no-cache; restic backup --no-cache nas.password
             chgrp -R backup data; chmod -R g=rX,o= data",
        )
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");

    let start = "ExecStart=/opt/backwatch/backwatch serve --listen 127.0.0.1:0 \
                 --config /opt/backwatch/backwatch.toml --db %S/backwatch/backwatch.db";
    let drop_in = drop_in().replace("/etc/backwatch/", "/opt/backwatch/");
    let said = "StandardOutput=append:/run/said\nStandardError=append:/run/said\n";
    install(directory.path(), start, &format!("{drop_in}\n{said}"));
    for target in ["sysinit", "basic", "network", "shutdown"] {
        fs::write(path(&format!("{target}.target")), NOTHING).unwrap();
    }
    let all = format!("{NOTHING}Wants=backwatch.service\n");
    fs::write(path("all.target"), all).unwrap();

    let mut systemd = unshare(RUN, directory.path()).spawn().unwrap();
    let begun = std::time::Instant::now();
    while !path("ready").exists() && begun.elapsed() < std::time::Duration::from_mins(2) {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    systemd.kill().unwrap();
    let output = systemd.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    let has = |what: &str| assert!(said.contains(what), "{what}: {said}\n{complaints}");
    has(r#""sources":{"all":3,"degraded":2}"#);
    assert!(!said.contains(r#""last_job_at":null"#), "{said}");
    assert!(!said.contains("UID=0\n"), "{said}");
    has("Result=success\nExecMainStatus=0");
    has("CACHEDIR.TAG");
    let why = |source: &str| {
        let failed = format!("source=\"{source}\"");
        said.lines().find(|line| line.contains(&failed)).unwrap()
    };
    // Nobody listens there, but the packet came back.
    assert!(why("allowed").contains("refused"), "{said}");
    assert!(!why("denied").contains("refused"), "{said}");
}
