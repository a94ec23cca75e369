//! Programs: what they get, what they do not, and how they end.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::time::Duration;

use anomaly_model::Severity;
use anomaly_notify::{NotifyError, Sink};
use serde_json::Value;
use tempfile::TempDir;

use super::shared::{HOSTILE, anomaly, anomaly_of, night, sink, verdict};

/// `sh` is the program here; no shell looks at what it is given.
fn command(script: &str, arguments: &[&str]) -> Sink {
    let mut argv = vec!["/bin/sh", "-c", script, "sh"];
    argv.extend(arguments);
    sink(&format!("name = \"page\"\n[command]\nargv = {argv:?}"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn a_program_gets_the_event_and_a_clean_environment() {
    let directory = TempDir::new().unwrap();
    let told = directory.path().join("told");
    let told_path = told.to_str().unwrap();
    let script =
        "cat > \"$1\"; /usr/bin/env > \"$1.env\"; pwd > \"$1.pwd\"; printf %s \"$2\" > \"$1.arg\"";
    let argument = "$(reboot); `x` *\" '";
    for name in HOSTILE {
        let event = anomaly_of(verdict(name, name, name, Severity::High), None);
        let program = command(script, &[told_path, argument]);
        program.deliver(&[&event], night()).await.unwrap();
        let line = read(&told);
        assert_eq!(line.matches('\n').count(), 1);
        let json: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(json.pointer("/data/anomaly/verdict/client").unwrap(), name);
    }
    assert_eq!(read(&directory.path().join("told.arg")), argument);
    assert_eq!(read(&directory.path().join("told.pwd")), "/\n");
    let environment = read(&directory.path().join("told.env"));
    let mut names: Vec<&str> = environment
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        // The shell's own.
        .filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name))
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["LANG", "PATH"]);
}

#[tokio::test]
async fn how_a_program_ends_says_whether_to_try_again() {
    let event = anomaly(Severity::High);
    let fail = async |script: &str| {
        command(script, &[])
            .deliver(&[&event], night())
            .await
            .unwrap_err()
    };

    let error = fail("printf 'no signal\\007' >&2; exit 3").await;
    assert!(
        matches!(
            error,
            NotifyError::Command {
                status: Some(3),
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(
        error.in_one_line(),
        "/bin/sh ended with status 3: no signal\\u{7}"
    );
    assert!(!error.is_permanent());

    assert!(fail("exit 65").await.is_permanent());
    let error = fail("kill -9 $$").await;
    assert!(
        matches!(error, NotifyError::Command { status: None, .. }),
        "{error:?}"
    );

    // However much it writes, little of it is kept, and it is not blocked.
    let error = fail("head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1").await;
    assert!(error.in_one_line().chars().count() <= 500);

    let missing = sink("name = \"page\"\n[command]\nargv = [\"/nowhere/page\"]");
    let error = missing.deliver(&[&event], night()).await.unwrap_err();
    assert!(
        matches!(error, NotifyError::Unreachable { .. }),
        "{error:?}"
    );
}

/// A program that goes on for ever ends with its time, and with it what it started.
#[tokio::test]
async fn a_program_that_does_not_end_is_killed_with_what_it_started() {
    let directory = TempDir::new().unwrap();
    let pipe = directory.path().join("alive");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    // Both programs keep the pipe open as long as they live.
    let script = "exec 3> \"$1\"; sleep 100000 & echo up >&3; sleep 100000";
    let toml = format!(
        "name = \"page\"\n[command]\nargv = {:?}\ntimeout_seconds = 600",
        ["/bin/sh", "-c", script, "sh", pipe.to_str().unwrap()]
    );
    let program = sink(&toml);
    let event = anomaly(Severity::High);
    let events = [&event];
    let delivering = program.deliver(&events, night());
    tokio::pin!(delivering);
    let opened = tokio::task::spawn_blocking(|| {
        let mut reader = BufReader::new(File::open(pipe).unwrap());
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        (reader, line)
    });
    let (mut reader, line) = tokio::select! {
        result = &mut delivering => panic!("{result:?}"),
        opened = opened => opened.unwrap(),
    };
    assert_eq!(line, "up\n");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(601)).await;
    let error = delivering.await.unwrap_err();
    assert!(matches!(error, NotifyError::TimedOut { .. }), "{error:?}");
    // It ends when nobody has the pipe open any more.
    let rest = tokio::task::spawn_blocking(move || {
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        rest
    });
    assert_eq!(rest.await.unwrap(), "");
}

#[tokio::test]
async fn a_program_need_not_read_what_it_is_told() {
    command("exit 0", &[])
        .deliver(&[&anomaly(Severity::High)], night())
        .await
        .unwrap();
}
