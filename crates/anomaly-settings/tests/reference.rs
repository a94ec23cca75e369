//! `docs/settings.md` is written from the table of keys, and is never behind it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::{env, fs};

use anomaly_settings::Settings;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md");
/// Set to write the file instead of checking it.
const WRITE: &str = "BLESS";

#[test]
fn reference_is_current() {
    let written = reference();
    if env::var_os(WRITE).is_some() {
        fs::write(FILE, &written).unwrap();
    }
    let found = fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        found == written,
        "docs/settings.md does not match the table of keys: write it again with\n    \
         {WRITE}=1 cargo test -p anomaly-settings --test reference\nand commit it"
    );
}

#[test]
fn every_key_is_told_in_full() {
    let default = toml::Value::try_from(Settings::default()).unwrap();
    for key in Settings::keys() {
        let value = key
            .name
            .split('.')
            .fold(&default, |table, name| &table[name]);
        assert_eq!(key.default, value.to_string(), "{}", key.name);
        assert!(key.meaning.ends_with('.'), "{}: {}", key.name, key.meaning);
        assert!(key.reason.ends_with('.'), "{}: {}", key.name, key.reason);
        assert!(
            !key.allowed.is_empty() && !key.toml_type.is_empty(),
            "{}",
            key.name
        );
    }
}

fn reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("## All keys\n\n| key | default | allowed |\n|---|---|---|\n");
    for key in Settings::keys() {
        let anchor = key.name.replace('.', "");
        let (name, default, allowed) = (key.name, &key.default, &key.allowed);
        writeln!(text, "| [`{name}`](#{anchor}) | `{default}` | {allowed} |").unwrap();
    }
    for key in Settings::keys() {
        let variable = key.environment_variable();
        let (name, toml_type, default, allowed) =
            (key.name, key.toml_type, &key.default, &key.allowed);
        let (meaning, reason) = (key.meaning, key.reason);
        let loosened = key.loosens.in_words();
        write!(
            text,
            "\n### {name}\n\n{meaning}\n\n{reason}\n\n\
             - type: {toml_type}\n- default: `{default}`\n- allowed: {allowed}\n\
             - environment: `{variable}`\n- [loosened](guarded-settings.md) by: {loosened}\n"
        )
        .unwrap();
    }
    text
}

const INTRODUCTION: &str = r#"# Settings

*Written by `BLESS=1 cargo test -p anomaly-settings --test reference`, from the table of keys.*

Nothing needs to be set. What is set comes from three layers, each over the ones before:

| layer | example |
|---|---|
| a TOML file | `alarm_budget = 2` under `[detection]` |
| the environment | `BACKWATCH_DETECTION_ALARM_BUDGET=2` |
| flags | `--set detection.alarm_budget=2` |

Values in the environment and in flags are written as in TOML (`false`, `2.5`, `["iqr"]`); what is
not TOML is taken as a string. A key that does not exist, a value that is not allowed, and a variable
that begins with `BACKWATCH_` and is not listed here are errors. The message says where, and what is
allowed.

Under all three lies what a database keeps for itself: `backwatch settings set`. What holds for a
database has versions, and a change that makes Backwatch see less is guarded:
[guarded-settings.md](guarded-settings.md).

## Scopes

The keys under `[detection]` hold for the whole fleet. A `[[scope]]`, in the file only, changes them
for the jobs that agree with everything it names:

```toml
[detection]
alarm_budget = 1

[[scope]]
policy_type = "oracle"
detection.excluded_features = ["file_count"]

[[scope]]
client = "laptop07"
detection.alarm_budget = 4
detection.rules.missed_backup = false

[[scope]]                       # one stream
client = "mail01"
policy = "daily"
schedule_type = "full"
until = "2027-01-31T00:00:00Z"  # jobs that start later are judged again
detection.enabled = false
```

| a scope names | which jobs |
|---|---|
| `schedule_type` | jobs of that type: `full`, `differential_incremental`, `cumulative_incremental`, `incremental`, `user_backup`, `other` |
| `policy_type` | jobs of policies of that type |
| `policy` | jobs of that policy |
| `client` | jobs of that client |

It names at least one. With `until`, it is for jobs that start before that time only. Names are compared letter by letter. Every scope that is for a job is
applied, the widest first, so the narrowest that sets a key wins: a client is narrower than a policy,
a policy than a policy type, a policy type than a schedule type, and a scope that names more besides
is narrower still. Of two that name the same keys the later one wins.

"#;
