//! Running a backup tool, where it is there.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Whether the tool is there. A test that needs one which is not there passes, and says so on a line
/// of its own; with `REQUIRE_BACKUP_TOOLS` set, as in `.ci/run`, it fails.
pub(crate) fn is_there(tool: &str) -> bool {
    let found = Command::new(tool).arg("--help").output().is_ok();
    let required = std::env::var_os("REQUIRE_BACKUP_TOOLS").is_some();
    assert!(found || !required, "{tool} is not installed");
    if !found {
        // Past the test harness, which shows nothing of tests that pass.
        _ = writeln!(
            std::io::stderr(),
            "{tool} is not installed: what needs it is not tested"
        );
    }
    found
}

/// A command in UTC that finds nothing of its user's own configuration and leaves nothing behind
/// outside `home`.
pub(crate) fn command(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("TZ", "UTC")
        .env("HOME", home)
        .env("XDG_CACHE_HOME", home.join(".cache"))
        .env("XDG_CONFIG_HOME", home.join(".config"))
        .env("RESTIC_PASSWORD", "correct horse battery staple")
        .env("BORG_PASSPHRASE", "correct horse battery staple")
        .env("BORG_BASE_DIR", home)
        .current_dir(home)
        .stdin(Stdio::null());
    command
}

/// What a tool printed, which must have gone well.
pub(crate) fn succeeded(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    output
}

/// Hands over what the tool printed to `backwatch ingest`, and returns the exit status and the text.
/// The database is `backwatch.db` in `home` unless an option says another.
pub(crate) fn ingest(home: &Path, printed: &[u8], options: &[&str]) -> (Option<i32>, String) {
    let mut child = command(env!("CARGO_BIN_EXE_backwatch"), home)
        .args(["ingest", "-"])
        .args((!options.contains(&"--db")).then_some("--db=backwatch.db"))
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(printed).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), text)
}
