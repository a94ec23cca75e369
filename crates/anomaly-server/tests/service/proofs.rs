//! Proofs about the log of evidence, verified by what RFC 9162 says and nothing else.

use anomaly_storage::{SigningKey, VerifyingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::Service;
use crate::client::{Browser, PASSWORD};

type Hash = Vec<u8>;

fn sha256(parts: &[&[u8]]) -> Hash {
    Sha256::digest(parts.concat()).to_vec()
}

fn node(left: &[u8], right: &[u8]) -> Hash {
    sha256(&[&[1], left, right])
}

fn bytes(value: &Value) -> Hash {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

fn path(value: &Value) -> Vec<Hash> {
    value.as_array().unwrap().iter().map(bytes).collect()
}

/// RFC 9162, section 2.1.3.2.
fn root_of_inclusion(index: u64, size: u64, leaf: Hash, path: &[Hash]) -> Option<Hash> {
    let (mut place, mut last, mut root) = (index, size - 1, leaf);
    for hash in path {
        if last == 0 {
            return None;
        }
        if place % 2 == 1 || place == last {
            root = node(hash, &root);
            while place % 2 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            root = node(&root, hash);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    (last == 0).then_some(root)
}

/// RFC 9162, section 2.1.4.2.
fn is_consistent(first: u64, second: u64, from: &Hash, to: &Hash, path: &[Hash]) -> bool {
    if first == second {
        return path.is_empty() && from == to;
    }
    let mut path = path.to_vec();
    if first.is_power_of_two() {
        path.insert(0, from.clone());
    }
    let (mut place, mut last) = (first - 1, second - 1);
    while place % 2 == 1 {
        (place, last) = (place >> 1, last >> 1);
    }
    let mut hashes = path.into_iter();
    let Some(start) = hashes.next() else {
        return false;
    };
    let (mut old, mut new) = (start.clone(), start);
    for hash in hashes {
        if last == 0 {
            return false;
        }
        if place % 2 == 1 || place == last {
            (old, new) = (node(&hash, &old), node(&hash, &new));
            while place % 2 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            new = node(&new, &hash);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    last == 0 && old == *from && new == *to
}

fn head(browser: &Browser<'_>) -> (u64, Hash) {
    let head = browser.open("/api/v1/audit/head").json();
    (head["size"].as_u64().unwrap(), bytes(&head["root"]))
}

#[test]
fn whoever_holds_a_root_can_verify_every_entry_and_every_earlier_log() {
    let service = Service::start();
    let administrator = service.administrator();
    let mut heads = vec![head(&administrator)];
    for number in 0..11 {
        let new =
            json!({ "name": format!("user{number}"), "password": PASSWORD, "role": "viewer" });
        let added = administrator.call("POST", "/api/v1/users", Some(&new));
        assert_eq!(added.status, 201);
        heads.push(head(&administrator));
    }
    let (size, root) = heads.last().unwrap().clone();
    let entries = administrator.open("/api/v1/audit?limit=100").json();
    let entries = entries["items"].as_array().unwrap();
    assert!(entries.len() >= 12);
    for entry in entries {
        let number = entry["number"].as_u64().unwrap();
        let proof = administrator
            .open(&format!("/api/v1/audit/{number}/proof?size={size}"))
            .json();
        assert_eq!(proof["leaf_index"], number - 1);
        let data = bytes(&proof["leaf_data"]);
        let leaf = sha256(&[&[0], &data]);
        assert_eq!(leaf, bytes(&proof["leaf_hash"]));
        let inclusion = path(&proof["inclusion_path"]);
        let computed = root_of_inclusion(number - 1, size, leaf.clone(), &inclusion);
        assert_eq!(computed.as_ref(), Some(&root));
        // Of any other leaf, or at another place, it proves nothing.
        let other = root_of_inclusion(number - 1, size, sha256(&[&[0], b"other"]), &inclusion);
        assert_ne!(other.as_ref(), Some(&root));
        assert_ne!(
            root_of_inclusion(number % size, size, leaf, &inclusion).as_ref(),
            Some(&root)
        );
        // The leaf says what the entry says: kind, number, time, and the entry as it is stored.
        assert_eq!((data[0], &data[1..9]), (4, number.to_be_bytes().as_slice()));
        let stored: Value = serde_json::from_slice(&data[25..]).unwrap();
        for field in ["who", "what", "subject"] {
            assert_eq!(stored[field], entry[field]);
        }
    }
    for (first, from) in &heads {
        for (second, to) in &heads {
            let proof = administrator.open(&format!(
                "/api/v1/audit/consistency?first={first}&second={second}"
            ));
            if first > second {
                assert_eq!(proof.status, 404);
                continue;
            }
            let proof = proof.json();
            assert_eq!(&bytes(&proof["root"]), to);
            let consistency = path(&proof["consistency_path"]);
            assert!(is_consistent(*first, *second, from, to, &consistency));
            let forged = vec![7; 32];
            assert!(!is_consistent(*first, *second, &forged, to, &consistency));
        }
    }
    for bad in [
        "0/proof",
        "999/proof",
        "1/proof?size=999",
        "consistency?first=0",
    ] {
        let answer = administrator.open(&format!("/api/v1/audit/{bad}"));
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (404, Some("not_found"))
        );
    }
    for bad in ["x/proof", "consistency", "consistency?first=x"] {
        let answer = administrator.open(&format!("/api/v1/audit/{bad}"));
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (400, Some("invalid"))
        );
    }
    let page = administrator.open("/audit").text;
    let (size, root) = head(&administrator);
    assert!(page.contains(&STANDARD.encode(root)), "{page}");
    assert!(page.contains(&format!("{size} leaves")), "{page}");
    assert!(page.contains("/api/v1/audit/1/proof"), "{page}");
    assert!(
        !page.contains("/api/v1/audit/checkpoint"),
        "there is no key"
    );
}

#[test]
fn a_checkpoint_is_signed_where_there_is_a_key() {
    let service = Service::start();
    let administrator = service.administrator();
    let none = administrator.open("/api/v1/audit/checkpoint");
    assert_eq!(
        (none.status, none.json()["code"].as_str()),
        (404, Some("no_signing_key"))
    );
    let mut path = service.database.clone().into_os_string();
    path.push(".key");
    SigningKey::open_or_make(path.as_ref()).unwrap();

    let checkpoint = administrator.open("/api/v1/audit/checkpoint");
    assert_eq!(
        checkpoint.header("content-type"),
        "text/plain; charset=utf-8"
    );
    path.push(".pub");
    let key = VerifyingKey::open(path.as_ref()).unwrap();
    let checkpoint: anomaly_storage::Checkpoint = checkpoint.text.parse().unwrap();
    let signed = checkpoint.verified_by(&key).unwrap();
    let (size, root) = head(&administrator);
    assert_eq!((signed.size, signed.root.to_vec()), (size, root));
    assert!(
        administrator
            .open("/audit")
            .text
            .contains("/api/v1/audit/checkpoint")
    );
}
