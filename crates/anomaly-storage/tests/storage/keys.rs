//! Keys, and the checkpoints that they sign.

use std::fs;
use std::path::Path;

use anomaly_storage::{Checkpoint, LogHead, SigningKey, VerifyingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::small_log::SmallLog;

#[test]
fn a_checkpoint_is_signed_kept_and_read_back() {
    let log = SmallLog::new();
    let path = log.directory.path().join("key");
    let key = SigningKey::open_or_make(&path).unwrap();
    let same = SigningKey::open_or_make(&path).unwrap();
    assert_eq!(key.verifying_key(), same.verifying_key());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = SigningKey::open_or_make(&path).unwrap_err();
        assert!(error.to_string().contains("others may read"), "{error}");
    }
    let public = VerifyingKey::open(&log.directory.path().join("key.pub")).unwrap();
    assert_eq!(public, key.verifying_key());
    assert_eq!(VerifyingKey::open(&path).unwrap(), public);

    // One file may hold many.
    let text: String = log
        .heads
        .iter()
        .map(|head| Checkpoint::sign(*head, &key).to_string())
        .collect();
    let read = Checkpoint::parse_all(&text).unwrap();
    let heads: Vec<LogHead> = read
        .iter()
        .map(|one| one.verified_by(&public).unwrap())
        .collect();
    assert_eq!(heads, log.heads);
    assert_eq!(log.verify(&heads), None);

    let other = SigningKey::open_or_make(&log.directory.path().join("other")).unwrap();
    read[0].verified_by(&other.verifying_key()).unwrap_err();
    // A checkpoint of which anything is changed is none.
    let one = Checkpoint::sign(log.heads[1], &key).to_string();
    for place in 0..one.len() {
        let mut bytes = one.clone().into_bytes();
        bytes[place] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else {
            continue;
        };
        let verified = changed
            .parse::<Checkpoint>()
            .and_then(|one| one.verified_by(&public));
        assert!(verified.is_err(), "byte {place}: {changed}");
    }
    for text in [
        "",
        "\n",
        "origin\n1\n",
        "a\n\nb\n",
        "origin\n01\nAAAA\n\n\u{2014} a AAAA\n",
    ] {
        Checkpoint::parse_all(text).unwrap_err();
    }
}

/// What kept a key from being made whole keeps no later one from it, and leaves nothing behind.
#[test]
fn a_key_is_made_whole_or_made_up_for() {
    let directory = tempfile::tempdir().unwrap();
    let [path, public] = ["key", "key.pub"].map(|name| directory.path().join(name));
    fs::create_dir(&public).unwrap();
    SigningKey::open_or_make(&path).unwrap();
    fs::remove_dir(&public).unwrap();
    let key = SigningKey::open_or_make(&path).unwrap();
    let verifying = VerifyingKey::open(&public).unwrap();
    assert_eq!(verifying, key.verifying_key());
    let missing = directory.path().join("missing/key");
    SigningKey::open_or_make(&missing).unwrap_err();
    let names = fs::read_dir(directory.path()).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["key", "key.pub"]);
}

/// Who prints a key does not give it away.
#[test]
fn a_key_is_not_shown() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let key = SigningKey::open_or_make(&path).unwrap();
    let secret = fs::read_to_string(&path).unwrap();
    let shown = format!("{key:?}");
    assert!(shown.contains(key.name()), "{shown}");
    let bytes = secret.trim_end().rsplit('+').next().unwrap();
    assert!(!shown.contains(bytes), "{shown}");
}

/// A name is what a signature is found by, in a line of words: it is not empty, and has no space in it.
#[test]
fn a_key_has_a_name_of_one_word() {
    let directory = tempfile::tempdir().unwrap();
    _ = SigningKey::open_or_make(&directory.path().join("key")).unwrap();
    let public = fs::read_to_string(directory.path().join("key.pub")).unwrap();
    // The base64 of the key may hold a plus.
    let key = public.trim_end().splitn(3, '+').nth(2).unwrap();
    let bytes = STANDARD.decode(key).unwrap();
    let named = |name: &str| {
        let hash = Sha256::digest([name.as_bytes(), b"\n", &bytes].concat());
        let identity = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
        let path = directory.path().join("named.pub");
        fs::write(&path, format!("{name}+{identity:08x}+{key}\n")).unwrap();
        VerifyingKey::open(&path).map(|key| key.name().to_owned())
    };
    assert_eq!(named("example.org/log").unwrap(), "example.org/log");
    for name in ["", " ", "two words", "line\nbreak", "no-break\u{a0}space"] {
        named(name).unwrap_err();
    }
}
