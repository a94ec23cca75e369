//! What the page about the service tells to paste, as it stands there.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::service::{Home, PASSWORD};

/// All lines of shell of the page in which curl is called.
fn pasted() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/service.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks = page.split("```sh\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap());
    let blocks: Vec<&str> = blocks.filter(|block| block.contains("curl")).collect();
    assert_eq!(blocks.len(), 4, "each is run below");
    blocks.concat()
}

#[test]
fn what_the_page_tells_to_paste_works() {
    let is_there = |tool: &str| Command::new(tool).arg("--help").output().is_ok();
    if !["restic", "curl"].into_iter().all(is_there) {
        let required = std::env::var_os("REQUIRE_BACKUP_TOOLS").is_some();
        assert!(!required, "restic or curl is not installed");
        return;
    }
    let home = Home::new();
    home.add_administrator();
    let service = home.serve(&[]);
    let documents = home.path().join("srv");
    fs::create_dir(&documents).unwrap();
    home.write("srv/letter", "Dear Sir or Madam");
    let script = pasted()
        .replace("http://127.0.0.1:8765", &service.base)
        .replace("/srv ", &format!("{} ", documents.display()));
    let ran = Command::new("sh")
        .args(["-ec", &format!("restic --quiet init\n{script}")])
        .current_dir(home.path())
        .env("HOME", home.path())
        .env("RESTIC_REPOSITORY", home.path().join("repository"))
        .env("RESTIC_PASSWORD", "secret")
        .env("KEY", service.key())
        .env("VIEWER_KEY", service.key_of("viewer"))
        .env("PASSWORD", PASSWORD)
        .output()
        .unwrap();
    let (printed, errors) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert!(ran.status.success(), "{printed}{errors}");
    let answers = serde_json::Deserializer::from_str(&printed).into_iter::<Value>();
    let answers: Vec<Value> = answers.map(|answer| answer.unwrap()).collect();
    assert_eq!(answers.len(), 4, "{printed}");
    assert_eq!(answers[0]["new_jobs"], 1);
    assert_eq!(answers[1]["items"].as_array().map(Vec::len), Some(0));
    assert!(answers[2]["key"].is_string());
    assert_eq!(answers[3]["parts"][0]["state"], "in_force");
    service.terminate();
}
