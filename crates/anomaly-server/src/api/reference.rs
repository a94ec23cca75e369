//! `docs/api.md`: the description of the interface as a page to read, with who may call what.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use serde_json::{Map, Value};

use crate::account::{Permission, Role};
use crate::guard::Access;
use crate::routes::table;

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
/// Set to write the page instead of checking it.
const WRITE: &str = "BLESS";

/// Every code of a problem, with what it means.
const CODES: &[(&str, &str)] = &[
    (
        "account_refused",
        "The name, the password or the role is not allowed, or it is the last administrator.",
    ),
    (
        "backtest_running",
        "There is one already: wait for it, or stop it.",
    ),
    (
        "busy",
        "Too much is under way, or another program writes to the database. Nothing was kept: send it again.",
    ),
    ("changed", "Somebody else decided meanwhile: look again."),
    (
        "cursor_gone",
        "The list cannot go on from this cursor any more: start it anew.",
    ),
    (
        "end_refused",
        "It loosens nothing and so has no end, or the end is past or too far away.",
    ),
    ("exists", "Somebody has that name."),
    ("failed", "The service failed at it. Its log says why."),
    ("forbidden", "Whoever asks may not do that."),
    (
        "if_match_missing",
        "Say which version was seen, with `If-Match`.",
    ),
    (
        "invalid",
        "The request cannot be read; `detail` says what of it.",
    ),
    ("lapsed", "Nobody approved in time."),
    (
        "method_not_allowed",
        "It cannot be asked like that; `Allow` says how.",
    ),
    (
        "no_signing_key",
        "`backwatch checkpoint` makes one, the first time.",
    ),
    ("not_found", "There is no such thing."),
    (
        "not_gathered",
        "Gathering is switched off: nothing was kept. Send it again once it is on.",
    ),
    (
        "not_json",
        "Send JSON, with `Content-Type: application/json`.",
    ),
    (
        "not_signed_in",
        "Sign in, or send an API key as `Authorization: Bearer KEY`.",
    ),
    ("nothing_to_change", "The change names nothing."),
    (
        "review_refused",
        "The decision is not allowed; `detail` says why.",
    ),
    ("same_person", "Somebody else has to approve."),
    (
        "setting_fixed",
        "A file, a variable or a flag sets it: change it there.",
    ),
    (
        "setting_not_allowed",
        "The value is not allowed; `errors` says what is.",
    ),
    ("setting_unknown", "There is no such setting."),
    (
        "settings_refused",
        "The change is not allowed; `detail` says why.",
    ),
    ("stale", "The settings have changed since they were seen."),
    (
        "stopping",
        "The service is about to stop. Whether it was kept is not known: send it again.",
    ),
    ("too_large", "Send less at once."),
    (
        "too_many",
        "Too many passwords were tried from this address: wait.",
    ),
    (
        "too_many_records",
        "Send fewer records at once. None was kept.",
    ),
    (
        "too_slow",
        "It took too long. Whether it was kept is not known: send it again.",
    ),
    (
        "unknown_format",
        "Say what the body is: `Content-Type`, or `?format=`.",
    ),
    (
        "wrong_code",
        "The one-time password is not the one that was expected.",
    ),
];

const INTRODUCTION: &str = "\
# REST API

*Written by `BLESS=1 cargo test -p anomaly-server --lib reference`.*

What the pages show is there for programs too. [openapi.json](openapi.json) is the same for tools \
(OpenAPI 3.1); the service has it at `/api/v1/openapi.json`, and this page is written from it and from \
the table of routes.

- **Who asks** sends an API key as `Authorization: Bearer KEY`, or the cookie of somebody who has \
signed in. [Roles](service.md#roles) says which role is for what.
- **Lists** come in pages: `next` of one is the `cursor` of the following one, and missing on the last.
- **Errors** are problem documents (RFC 9457, `application/problem+json`); [their codes](#problems) stay. \
503 has a `Retry-After`.
- **Jobs and verdicts** are those of [Job and verdict records](records.md).
- **A part of a path** that is `.` or `..`, which clients take for a step, is sent as `~.` or `~..`; what \
looks like that itself has one `~` more.
- Fields may be added; readers ignore those that they do not know.
";

#[test]
fn the_page_is_what_the_description_says() {
    let document = fs::read_to_string(format!("{DOCS}/openapi.json")).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let mut page = INTRODUCTION.to_owned();
    for (tag, operations) in by_tag(&document) {
        write!(page, "\n## {}\n", capitalised(&tag)).unwrap();
        for (method, path, operation) in operations {
            describe(&mut page, &method, &path, operation);
        }
    }
    page += "\n## Documents\n\nFields that may be missing are marked with `?`.\n";
    for (name, schema) in object(&document["components"]["schemas"]) {
        document_of(&mut page, name, schema);
    }
    page += "\n## Problems\n\n| `code` | |\n|---|---|\n";
    for (code, meaning) in CODES {
        writeln!(page, "| `{code}` | {meaning} |").unwrap();
    }
    let path = format!("{DOCS}/api.md");
    if env::var_os(WRITE).is_some() {
        fs::write(&path, &page).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/api.md differs; {WRITE}=1 cargo test -p anomaly-server --lib reference writes it anew"
    );
}

fn object(value: &Value) -> &Map<String, Value> {
    value
        .as_object()
        .unwrap_or_else(|| panic!("no object: {value}"))
}

type Operation<'a> = (String, String, &'a Value);

/// The operations under their tags.
fn by_tag(document: &Value) -> BTreeMap<String, Vec<Operation<'_>>> {
    let mut tags: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
    for (path, methods) in object(&document["paths"]) {
        for (method, operation) in object(methods) {
            let tag = operation["tags"][0].as_str().unwrap().to_owned();
            let operation = (method.to_uppercase(), path.clone(), operation);
            tags.entry(tag).or_default().push(operation);
        }
    }
    tags
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

/// One paragraph, on one line.
fn joined(text: &Value) -> String {
    let text = text.as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cell(text: &Value) -> String {
    joined(text).replace('|', "\\|")
}

/// Who may call a route.
fn who(method: &str, path: &str) -> String {
    let routes = table();
    let route = routes
        .iter()
        .find(|route| route.method == method && route.path == path)
        .unwrap_or_else(|| panic!("no route {method} {path}"));
    match route.access {
        Access::Anyone => "anyone".to_owned(),
        Access::Needs(Permission::OwnAccount) => "whoever has signed in".to_owned(),
        Access::Needs(permission) => {
            let roles = Role::ALL.into_iter().filter(|role| role.may(permission));
            roles.map(Role::as_str).collect::<Vec<_>>().join(", ")
        }
    }
}

fn describe(page: &mut String, method: &str, path: &str, operation: &Value) {
    write!(
        page,
        "\n### {method} {path}\n\n{}\n",
        joined(&operation["summary"])
    )
    .unwrap();
    if operation.get("description").is_some() {
        write!(page, "\n{}\n", joined(&operation["description"])).unwrap();
    }
    write!(page, "\n- may be called by: {}\n", who(method, path)).unwrap();
    if let Some(content) = operation["requestBody"]["content"].as_object() {
        let bodies = content
            .iter()
            .map(|(media, body)| format!("{} (`{media}`)", kind_of(&body["schema"])));
        let bodies: Vec<String> = bodies.collect();
        writeln!(page, "- body: {}", bodies.join(", ")).unwrap();
    }
    for (status, response) in object(&operation["responses"]) {
        if status == "default" {
            continue;
        }
        let kinds: BTreeSet<String> = response["content"]
            .as_object()
            .into_iter()
            .flat_map(Map::values)
            .map(|body| kind_of(&body["schema"]))
            .collect();
        let kinds: Vec<String> = kinds.into_iter().collect();
        let answer = if kinds.is_empty() {
            "nothing".to_owned()
        } else {
            kinds.join(", ")
        };
        writeln!(page, "- {status}: {answer}").unwrap();
    }
    if let Some(parameters) = operation["parameters"].as_array() {
        *page += "\n| parameter | in | type | |\n|---|---|---|---|\n";
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap();
            let place = parameter["in"].as_str().unwrap();
            let (kind, meaning) = (
                kind_of(&parameter["schema"]),
                cell(&parameter["description"]),
            );
            writeln!(page, "| `{name}` | {place} | {kind} | {meaning} |").unwrap();
        }
    }
}

/// The name of a type, with a link where the page has it.
fn kind_of(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        let kinds: Vec<String> = choices
            .iter()
            .filter(|choice| choice["type"] != "null")
            .map(kind_of)
            .collect();
        return kinds.join(" or ");
    }
    let first = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null"),
        kind => Some(kind),
    };
    match first.and_then(Value::as_str) {
        Some("array") => format!("list of {}", kind_of(&schema["items"])),
        Some("string") => match schema["format"].as_str() {
            Some("date-time") => "time".to_owned(),
            _ => "text".to_owned(),
        },
        Some("integer") => "whole number".to_owned(),
        Some("number") => "number".to_owned(),
        Some("boolean") => "true or false".to_owned(),
        Some(other) => other.to_owned(),
        None => "anything".to_owned(),
    }
}

fn document_of(page: &mut String, name: &str, schema: &Value) {
    write!(page, "\n### {name}\n").unwrap();
    let description = joined(&schema["description"]);
    if !description.is_empty() {
        write!(page, "\n{description}\n").unwrap();
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words
            .iter()
            .map(|word| format!("`{}`", word.as_str().unwrap()))
            .collect();
        write!(page, "\nOne of {}.\n", words.join(", ")).unwrap();
        return;
    }
    let Some(fields) = schema["properties"].as_object() else {
        return;
    };
    let needed: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    *page += "\n| field | type | |\n|---|---|---|\n";
    for (field, schema) in fields {
        let mark = if needed.contains(&field.as_str()) {
            ""
        } else {
            "?"
        };
        let (kind, meaning) = (kind_of(schema), cell(&schema["description"]));
        writeln!(page, "| `{field}`{mark} | {kind} | {meaning} |").unwrap();
    }
}

/// All sources of this crate but this file.
fn sources(directory: &Path, text: &mut String) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if !path.ends_with("reference.rs") {
            *text += &fs::read_to_string(&path).unwrap();
        }
    }
}

#[test]
fn each_code_of_a_problem_is_on_the_page() {
    let mut text = String::new();
    sources(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
        &mut text,
    );
    for (code, _) in CODES {
        assert!(
            text.contains(&format!("\"{code}\"")),
            "no problem has the code {code}"
        );
    }
    let is_code =
        |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let mut found = 0;
    for made in ["Problem::new(", "Self::new(StatusCode", "unprocessable("] {
        for (at, _) in text.match_indices(made) {
            let call = text[at..].split(';').next().unwrap();
            // The first literal of a call that has one is its code.
            if let Some(code) = call.split('"').nth(1).filter(is_code) {
                found += 1;
                assert!(
                    CODES.iter().any(|(known, _)| *known == code),
                    "{code} is not told on the page"
                );
            }
        }
    }
    assert!(found > 20, "{found} problems");
}
