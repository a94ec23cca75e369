//! restic backs up a directory that is then encrypted.

use tempfile::TempDir;

use crate::page;
use crate::tool::{command, ingest, is_there, succeeded};
use crate::tree::Tree;

/// Days on which nothing happened.
const ORDINARY_DAYS: u32 = 10;

#[test]
fn encryption_is_told_and_not_before() {
    if !is_there("restic") {
        return;
    }
    let directory = TempDir::new().unwrap();
    let home = directory.path();
    let mut tree = Tree::new(&home.join("documents"));
    let restic = |arguments: &[&str]| {
        let mut restic = command("restic", home);
        restic.args(["--repo", "repository"]).args(arguments);
        succeeded(&mut restic)
    };
    restic(&["init"]);
    for day in 1..=ORDINARY_DAYS + 1 {
        tree.work(day);
        let is_attacked = day > ORDINARY_DAYS;
        if is_attacked {
            tree.encrypt();
        }
        let time = format!("2026-03-{day:02} 22:00:0{}", day % 10);
        let backup = ["backup", "--json", "--time", &time, "documents"];
        let printed = restic(&backup).stdout;
        let started_at = time.replace(' ', "T") + "Z";
        let options = [
            "--format=restic-backup",
            "--client=files01",
            "--policy=documents",
            "--exit-code=0",
            "--started-at",
            &started_at,
        ];
        let (status, text) = ingest(home, &printed, &options);
        assert_eq!(status, Some(i32::from(is_attacked)), "day {day}: {text}");
        assert!(text.contains("1 new job") || is_attacked, "{text}");
        assert_eq!(
            text.contains("Looks like mass encryption"),
            is_attacked,
            "{text}"
        );
        // The same again is no news.
        if is_attacked {
            assert!(text.starts_with("HIGH  2026-03-11 22:00  files01 / documents"));
            page::shows("README.md", &text);
            let (status, text) = ingest(home, &printed, &options);
            assert_eq!(status, Some(0));
            assert_eq!(text, "No new job. 1 job was known already.\n");
        }
    }
}
