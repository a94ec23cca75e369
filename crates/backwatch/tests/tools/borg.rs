//! borg backs up a directory that is then encrypted.

use tempfile::TempDir;

use crate::page;
use crate::tool::{command, ingest, is_there, succeeded};
use crate::tree::Tree;

/// Days on which nothing happened.
const ORDINARY_DAYS: u32 = 10;

#[test]
fn encryption_is_told_and_not_before() {
    if !is_there("borg") {
        return;
    }
    let directory = TempDir::new().unwrap();
    let home = directory.path();
    let mut tree = Tree::new(&home.join("documents"));
    let borg = |arguments: &[&str]| {
        let mut borg = command("borg", home);
        borg.env("BORG_REPO", home.join("repository"))
            .args(arguments);
        succeeded(&mut borg)
    };
    borg(&["init", "--encryption=repokey"]);
    for day in 1..=ORDINARY_DAYS + 1 {
        tree.work(day);
        let is_attacked = day > ORDINARY_DAYS;
        if is_attacked {
            tree.encrypt();
        }
        let time = format!("2026-03-{day:02}T22:00:0{}", day % 10);
        let archive = format!("::documents-{time}");
        let create = [
            "create",
            "--json",
            "--timestamp",
            &time,
            &archive,
            "documents",
        ];
        let printed = borg(&create).stdout;
        let options = [
            "--format=borg-create",
            "--client=files01",
            "--policy-parts=series",
            "--exit-code=0",
            "--timezone=UTC",
        ];
        let (status, text) = ingest(home, &printed, &options);
        assert_eq!(status, Some(i32::from(is_attacked)), "day {day}: {text}");
        assert_eq!(
            text.contains("Looks like mass encryption"),
            is_attacked,
            "{text}"
        );
        if is_attacked {
            assert!(text.starts_with("HIGH  2026-03-11 22:00  files01 / documents"));
            page::shows("borg.md", &text);
        }
    }
}
