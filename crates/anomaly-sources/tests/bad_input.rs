//! Each kind of bad input gives one clear error that names the place, and costs nothing else.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod shared;

use std::error::Error;
use std::io::{self, BufReader, Read};

use anomaly_model::JobId;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_sources::{Format, ReadOptions, Record, Since, read, recognise};
use shared::outline;

const GOOD: &str = r#"{"source":"borg","job_id":"1","client":"a","policy":"b","started_at":"2026-11-22T03:00:00Z","status":"succeeded"}"#;

fn ndjson(input: impl AsRef<[u8]>) -> Vec<String> {
    outline(input.as_ref(), Format::Ndjson, &ReadOptions::default())
}

fn snapshots(input: &str) -> Vec<String> {
    outline(
        input.as_bytes(),
        Format::ResticSnapshots,
        &ReadOptions::default(),
    )
}

fn backup(input: &str, options: &ReadOptions) -> Vec<String> {
    outline(input.as_bytes(), Format::ResticBackup, options)
}

fn of_run() -> ReadOptions {
    ReadOptions::default()
        .client("a".to_owned())
        .policy("b".to_owned())
}

#[test]
fn one_field_is_wrong() {
    let refused = |from: &str, to: &str| {
        let found = ndjson(format!("{}\n{GOOD}", GOOD.replace(from, to)));
        assert_eq!(found[1..], ["line 2: 1 succeeded"]);
        found[0].clone()
    };
    let number = |text: &str| refused("\"status\"", &format!("\"file_count\":{text},\"status\""));
    assert_eq!(
        number("-5"),
        "bad line 1: `file_count` is -5: must be a whole number from 0 to 18446744073709551615"
    );
    assert_eq!(
        number("\"many\""),
        "bad line 1: `file_count` is \"many\": must be a whole number from 0 to 18446744073709551615"
    );
    assert_eq!(
        number("NaN"),
        "bad line 1, column 106: not valid JSON: expected value"
    );
    assert_eq!(
        number("1e400"),
        "bad line 1, column 110: not valid JSON: number out of range"
    );
    assert_eq!(
        refused("2026", "9999"),
        "bad line 1: `started_at` is \"9999-11-22T03:00:00Z\": must be a time in the years 1970 to 2199"
    );
    assert_eq!(
        refused(r#""client":"a","#, ""),
        "bad line 1: `client` is missing: every record needs it"
    );
    assert_eq!(
        refused("00Z", "00"),
        "bad line 1: `started_at` is \"2026-11-22T03:00:00\": must be an RFC 3339 time with a zone, \
         such as 2026-11-22T03:00:00Z"
    );
}

#[test]
fn a_line_is_no_job_record() {
    let found = ndjson(format!("[1]\n{GOOD} {GOOD}\n5\n{GOOD}"));
    assert_eq!(
        found,
        [
            "bad line 1: invalid type: sequence, expected a job record: an object with `source`, \
             `job_id`, `client`, ...",
            "bad line 2, column 115: not valid JSON: trailing characters",
            "bad line 3: invalid type: integer `5`, expected a job record: an object with \
             `source`, `job_id`, `client`, ...",
            "line 4: 1 succeeded",
        ]
    );
}

#[test]
fn the_last_line_is_cut() {
    let found = ndjson(format!("{GOOD}\n{}", &GOOD[..50]));
    assert_eq!(
        found,
        [
            "line 1: 1 succeeded",
            "bad line 2, column 50: cut off in the middle of the record"
        ]
    );
}

#[test]
fn an_error_in_a_document_of_many_lines_is_where_it_says() {
    let element = "\n {\"time\": \"2026-11-22T03:00:00Z\",\n  \"id\": x}";
    assert_eq!(
        snapshots(&format!("[{element},{element}]")),
        [
            "bad line 2, element 1: not valid JSON at line 3, column 9: expected value",
            "bad line 4, element 2: not valid JSON at line 5, column 9: expected value",
        ]
    );
}

#[test]
fn snapshots_before_0_17_say_that_they_have_no_numbers() {
    let old =
        r#"{"id":"1","time":"2026-11-22T03:00:00Z","tree":"2","paths":["/a"],"hostname":"h"}"#;
    let new = old.replace(
        r#""tree""#,
        r#""summary":{"total_bytes_processed":0},"tree""#,
    );
    assert_eq!(
        snapshots(&format!("[{old},{new}]")),
        [
            "line 1, element 1: 1 succeeded",
            "line 1, element 1: but a snapshot without numbers, as restic before 0.17 makes them: \
             how much was backed up is not known",
            "line 1, element 2: 1 succeeded",
        ]
    );
    // What is passed over is not spoken of.
    for since in [
        Since::Time("2026-11-22T03:00:00Z".parse().unwrap()),
        Since::Job(JobId::new("1").unwrap()),
    ] {
        let options = ReadOptions::default().since(since);
        let list = format!("[{old}]");
        let mut reader = read(list.as_bytes(), Format::ResticSnapshots, &options).unwrap();
        assert_eq!(reader.by_ref().count(), 0);
        assert_eq!(reader.passed_over(), 1);
    }
}

#[test]
fn blank_lines_and_marks_are_nothing() {
    let found = ndjson(format!("\u{feff}\r\n \r\n{GOOD}\r\n\t\n\n{GOOD}\n\n"));
    assert_eq!(found, ["line 3: 1 succeeded", "line 6: 1 succeeded"]);
    assert_eq!(ndjson(format!("\u{feff}{GOOD}")), ["line 1: 1 succeeded"]);
}

#[test]
fn nothing_is_there() {
    let empty = ["ended: holds no backup job: the input is empty"];
    for input in ["", "\n\n  \r\n", "\u{feff}"] {
        assert_eq!(ndjson(input), empty);
        assert_eq!(snapshots(input), empty);
        assert_eq!(backup(input, &of_run()), empty);
        assert_eq!(
            recognise(input.as_bytes()).unwrap_err().to_string(),
            empty[0]["ended: ".len()..]
        );
    }
    assert_eq!(
        snapshots("[]\n"),
        ["ended: holds no backup job: the list of snapshots is empty"]
    );
}

#[test]
fn it_is_not_text() {
    let gzip = b"\x1f\x8b\x08\x08\x01\x01";
    let zstd = b"\x28\xb5\x2f\xfd\x04";
    let xz = b"\xfd7zXZ\0\0";
    let zip = b"PK\x03\x04\x14\0";
    let latin_1 = b"\xfcber";
    let sqlite = b"SQLite format 3\0\x10\0";
    let utf_16 = b"\xff\xfe{\0\"\0";
    for (input, reason) in [
        (
            gzip.as_slice(),
            "it is compressed with gzip; read it through `zcat`",
        ),
        (
            zstd,
            "it is compressed with zstd; read it through `zstdcat`",
        ),
        (xz, "it is compressed with xz; read it through `xzcat`"),
        (zip, "it is a ZIP archive; unpack it"),
        (latin_1, "it begins with bytes that are not UTF-8"),
        (sqlite, "it has NUL bytes at its beginning"),
        (utf_16, "it is UTF-16; convert it to UTF-8"),
    ] {
        let reason = format!("is not text: {reason}");
        for &format in Format::ALL {
            assert_eq!(
                outline(input, format, &of_run()),
                [format!("ended: {reason}")]
            );
        }
        assert_eq!(recognise(input).unwrap_err().to_string(), reason);
    }
}

#[test]
fn a_byte_in_the_middle_is_not_text() {
    let latin_1 = [
        GOOD.as_bytes(),
        b"\n{\"client\":\"b\xfcro\"}\n",
        GOOD.as_bytes(),
    ]
    .concat();
    assert_eq!(
        ndjson(latin_1),
        [
            "line 1: 1 succeeded",
            "bad line 2: not UTF-8 text after 12 bytes",
            "line 3: 1 succeeded"
        ]
    );
}

#[test]
fn a_line_is_far_too_long() {
    let input = (GOOD.as_bytes().chain(b"\n\"".as_slice()))
        .chain(io::repeat(b'x').take(10 << 20))
        .chain(b"\"\n".as_slice())
        .chain(GOOD.as_bytes());
    let found = outline(
        BufReader::new(input),
        Format::Ndjson,
        &ReadOptions::default(),
    );
    let too_long = "bad line 2: longer than 1048576 bytes, the most that is read of one record";
    assert_eq!(
        found,
        ["line 1: 1 succeeded", too_long, "line 3: 1 succeeded"]
    );
}

#[test]
fn the_longest_record_is_exactly_as_long_as_allowed() {
    let options = ReadOptions::default().max_record_bytes(GOOD.len());
    let too_long = format!("{GOOD} ");
    for end in ["\n", "\r\n"] {
        let input = [GOOD, &too_long, GOOD, &too_long].join(end);
        let found = outline(input.as_bytes(), Format::Ndjson, &options);
        let is_job: Vec<_> = found.iter().map(|text| !text.starts_with("bad")).collect();
        assert_eq!(is_job, [true, false, true, false], "{found:?}");
    }
    let element = r#"{"id":"1","time":"2026-11-22T03:00:00Z","hostname":"a","tags":["b"],"summary":{"total_bytes_processed":1}}"#;
    let options = options.max_record_bytes(element.len());
    let list = format!("[{element}, {element} ]");
    let found = outline(list.as_bytes(), Format::ResticSnapshots, &options);
    assert_eq!(found[..1], ["line 1, element 1: 1 succeeded"]);
    assert!(
        found[1].starts_with("bad line 1, element 2: longer than"),
        "{found:?}"
    );
}

#[test]
fn the_disk_fails_in_the_middle() {
    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("disk on fire"))
        }
    }

    let lines = format!("{GOOD}\n{GOOD}\n");
    let list = r#"[{"id":"1","time":"2026-11-22T03:00:00Z","hostname":"a","paths":["b"],"summary":{"total_bytes_processed":1}},"#;
    for (format, input, expected) in [
        (
            Format::Ndjson,
            lines.repeat(3),
            "cannot be read past line 7",
        ),
        (
            Format::ResticSnapshots,
            list.to_owned(),
            "cannot be read past line 1",
        ),
    ] {
        // More than is looked at before the first record.
        let padding = " ".repeat(600);
        let input = input.replacen(',', &format!(",{padding}"), 1);
        let input = BufReader::new(input.as_bytes().chain(Broken));
        let mut reader = read(input, format, &ReadOptions::default()).unwrap();
        assert!(
            matches!(reader.next(), Some(Ok(Record::Job(_)))),
            "{format}"
        );
        let error = reader.find_map(Result::err).unwrap();
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.source().unwrap().to_string(), "disk on fire");
        assert!(reader.next().is_none());
    }
}

#[test]
fn a_list_is_cut() {
    let element = r#"{"id":"1","time":"2026-11-22T03:00:00Z","hostname":"a","paths":["b"],"summary":{"total_bytes_processed":1}}"#;
    assert_eq!(
        snapshots(&format!("[{element},\n{}", &element[..30])),
        [
            "line 1, element 1: 1 succeeded",
            "bad line 2, element 2: cut off in the middle of the record",
        ]
    );
    assert_eq!(
        snapshots(&format!("[\n{element}\n")),
        [
            "line 2, element 1: 1 succeeded",
            "bad line 3: the list is cut off here"
        ]
    );
    assert_eq!(
        snapshots(&format!("[{element}]\nFatal: no\n{{}} [{element}]")),
        [
            "line 1, element 1: 1 succeeded",
            "bad line 2: does not belong here",
            "bad line 3: does not belong here",
            "line 3, element 2: 1 succeeded",
        ]
    );
}

#[test]
fn a_list_stands_behind_something_else() {
    let element = r#"{"id":"1","time":"2026-11-22T03:00:00Z","hostname":"a","tree":"t","paths":["b"],"summary":{"total_bytes_processed":1}}"#;
    let input = format!("repository is locked\n{{\"a\":[]}}\n[{element}]");
    let found = recognise(input.as_bytes()).unwrap().format;
    assert_eq!(found, Format::ResticSnapshots);
    let stray = |line| format!("bad line {line}: does not belong here");
    let read = "line 3, element 1: 1 succeeded".to_owned();
    assert_eq!(snapshots(&input), [stray(1), stray(2), read]);
}

#[test]
fn what_was_read_before_is_passed_over() {
    let element = |id, day| {
        format!(
            r#"{{"id":"{id}","time":"2026-11-{day}T03:00:00+01:00","hostname":"a","paths":["b"],"summary":{{"total_bytes_processed":1}}}}"#
        )
    };
    // In the order of the list, whatever the times say.
    let list = format!(
        "[{}, 5, {}]\n[{}]",
        element(1, 20),
        element(2, 22),
        element(3, 21)
    );
    let after = |since: Since| {
        let options = ReadOptions::default().since(since);
        outline(list.as_bytes(), Format::ResticSnapshots, &options)
    };
    let [first, bad, second, third] = snapshots(&list).try_into().unwrap();
    assert_eq!(first, "line 1, element 1: 1 succeeded");
    assert_eq!(third, "line 2, element 4: 3 succeeded");
    let job = |id: &str| JobId::new(id).unwrap().into();
    assert_eq!(after(job("1")), [bad.clone(), second.clone(), third]);
    assert!(after(job("3")).is_empty());
    assert_eq!(
        after(job("4")),
        [
            "ended: does not hold the job 4, after which to read on: nothing was read (a time \
             is written as 2026-11-22T03:00:00Z)"
        ]
    );
    let time: DateTime<Utc> = "2026-11-21T02:00:00Z".parse().unwrap();
    assert_eq!(after(time.into()), [bad, second]);

    let options = ReadOptions::default().since(Since::Time(time));
    let mut reader = read(list.as_bytes(), Format::ResticSnapshots, &options).unwrap();
    assert_eq!(reader.by_ref().count(), 2);
    assert_eq!(reader.passed_over(), 2);
}

#[test]
fn the_policy_is_made_of_what_is_asked_for() {
    let list =
        r#"[{"id":"1","time":"2026-11-22T03:00:00Z","hostname":"a","paths":["b"],"tags":["c"]}]"#;
    let policy = |parts: &[&str]| {
        let parts: Vec<String> = parts.iter().map(|&part| part.to_owned()).collect();
        let options = ReadOptions::default().policy_parts(parts);
        let mut reader = read(list.as_bytes(), Format::ResticSnapshots, &options)
            .map_err(|error| error.to_string())?;
        let job = reader.next().unwrap().unwrap().job().unwrap();
        Ok::<_, String>(job.policy().name.to_string())
    };
    assert_eq!(policy(&["tags", "paths"]), Ok("b [c]".to_owned()));
    assert_eq!(policy(&["tags"]), Ok("[c]".to_owned()));
    assert_eq!(
        policy(&["tag"]),
        Err(
            "restic-snapshots has no \"tag\" to make a policy of: choose among paths, tags"
                .to_owned()
        )
    );
}

#[test]
fn a_snapshot_is_not_as_it_should_be() {
    let refused = |element: &str| snapshots(&format!("[{element}]")).remove(0);
    assert_eq!(
        refused(r#"{"snapshot":{}}"#),
        "bad line 1, element 1: `id` is missing: this is no snapshot as a list shows it"
    );
    assert_eq!(
        refused(r#"{"id":"1","time":"2026-11-22 03:00"}"#),
        "bad line 1, element 1: `time`: \"2026-11-22 03:00\" must be an RFC 3339 time with a zone, \
         such as 2026-11-22T03:00:00Z"
    );
    assert_eq!(
        refused(r#"{"id":"1","summary":{"data_added":-1}}"#),
        "bad line 1, element 1: `summary.data_added`: invalid value: integer `-1`, must be a whole \
         number from 0"
    );
    assert_eq!(
        refused(r#"{"id":"1","time":"2026-11-22T03:00:00Z","paths":["b"]}"#),
        "bad line 1, element 1: `hostname` is missing: give the client as an option"
    );
    assert_eq!(
        snapshots(GOOD),
        [
            r#"ended: is not restic-snapshots: must be a list, as `snapshots --json` prints it, but begins with "{\"source\":\"borg\",\"jo""#
        ]
    );
}

#[test]
fn numbers_that_a_rewritten_snapshot_cannot_know_are_missing() {
    let list = r#"[{"id":"1","time":"2026-11-22T03:00:00Z","hostname":"a","paths":["b"],"summary":
        {"backup_start":"0001-01-01T00:00:00Z","backup_end":"0001-01-01T00:00:00Z","files_new":0,
        "dirs_new":0,"dirs_changed":0,"dirs_unmodified":0,"data_added":0,"data_added_packed":0,
        "total_files_processed":7,"total_bytes_processed":900}}]"#;
    let options = ReadOptions::default();
    let mut reader = read(list.as_bytes(), Format::ResticSnapshots, &options).unwrap();
    let job = reader.next().unwrap().unwrap().job().unwrap();
    assert_eq!(
        serde_json::to_value(&job).unwrap(),
        serde_json::json!({
            "source": "restic", "job_id": "1", "client": "a", "policy": "b",
            "started_at": "2026-11-22T03:00:00Z", "status": "succeeded",
            "file_count": 7, "image_bytes": 900,
        })
    );
}

#[test]
fn a_run_of_restic_leaves_no_snapshot() {
    let at = of_run().started_at("2026-11-22T03:00:00Z".parse::<DateTime<_>>().unwrap());
    let summary = r#"{"message_type":"summary","files_new":1,"snapshot_id":"c9ce5914"}"#;
    let dry_run = summary.replace('}', ",\"dry_run\":true}");
    let nothing_new = summary.replace(r#","snapshot_id":"c9ce5914""#, "");
    assert_eq!(backup(&dry_run, &at), ["line 1: skipped, a dry run"]);
    assert_eq!(
        backup(&nothing_new, &at),
        ["line 1: skipped, restic made no snapshot"]
    );
    // What it printed says whether there was a failure.
    let fatal = "Fatal: unable to open config file\nIs there a repository?\n";
    let text = |line| format!("line {line}: skipped, text that is no message of restic");
    let no_end = "ended: holds no backup job: no line is the summary of a backup, so restic was \
                  stopped before its end or ran without --json";
    assert_eq!(backup(fatal, &at), [text(1), text(2), no_end.to_owned()]);
    let failed = |line| format!("line {line}: a/b@2026-11-22T03:00:00Z failed");
    assert_eq!(
        backup(fatal, &at.clone().exit_code(1)),
        [text(1), text(2), failed(2)]
    );
    assert_eq!(backup("", &at.clone().exit_code(10)), [failed(1)]);
    let exit_error = r#"{"message_type":"exit_error","code":12,"message":"Fatal: wrong password"}"#;
    assert_eq!(backup(exit_error, &at), [failed(1)]);
    assert_eq!(backup(exit_error, &at.clone().exit_code(12)), [failed(1)]);
    let log = format!("{exit_error}\n{summary}\n");
    assert_eq!(
        backup(&log, &at),
        [failed(1), "line 2: c9ce5914 succeeded".to_owned()]
    );
    assert_eq!(
        backup(&summary[..40], &at),
        ["bad line 1, column 40: cut off in the middle of the record"]
    );
}

#[test]
fn the_exit_status_of_restic_decides() {
    let summary = r#"{"message_type":"summary","backup_start":"2026-11-22T03:00:00Z","snapshot_id":"c9ce5914"}"#;
    for (code, status) in [
        (0, "succeeded"),
        (3, "partial"),
        (130, "cancelled"),
        (99, "failed"),
    ] {
        let found = backup(summary, &of_run().exit_code(code));
        assert_eq!(found, [format!("line 1: c9ce5914 {status}")]);
    }
}

#[test]
fn what_restic_does_not_say_is_asked_for() {
    let summary = r#"{"message_type":"summary","snapshot_id":"c9ce5914"}"#;
    let options = ReadOptions::default();
    assert_eq!(
        backup(summary, &options),
        ["ended: restic-backup does not say the client: give it as an option"]
    );
    assert_eq!(
        backup(summary, &options.client("a".to_owned())),
        ["ended: restic-backup does not say the policy: give it as an option"]
    );
    assert_eq!(
        backup(summary, &of_run()),
        [
            "bad line 1: `backup_start` is missing, as before restic 0.17: give the time of the start as an option"
        ]
    );
}

#[test]
fn the_format_is_not_clear() {
    let recognised = |input: &str| match recognise(input.as_bytes()) {
        Ok(recognised) => format!("{}, {}", recognised.format, recognised.because),
        Err(error) => error.to_string(),
    };
    let summary = r#"{"message_type":"summary"}"#;
    // A bad line at the beginning, or text of another kind, does not hide what follows.
    assert_eq!(
        recognised(&format!("Warning: slow\n{}\n{GOOD}", &GOOD[..20])),
        "ndjson, it has lines with `source`, `job_id` and `started_at`"
    );
    assert_eq!(
        recognised(summary),
        "restic-backup, it has lines with `message_type`"
    );
    assert_eq!(recognised(" [ ]"), "holds no backup job: the list is empty");
    assert_eq!(
        recognised(&format!("{GOOD}\n{summary}")),
        "could be any of ndjson, restic-backup: name the format"
    );
    // What is indented behind a bad place is a piece of the list, not a document.
    let manifest = r#"{"source":{"userName":"u"},"startTime":"2026-11-22T03:00:00Z"}"#;
    assert_eq!(
        recognised(&format!(
            "[{manifest},\n oops\n {manifest},\n\n {manifest}\n]"
        )),
        "kopia-list, it is a list of objects with `source.userName` and `startTime`"
    );
    let names: Vec<_> = Format::ALL.iter().map(ToString::to_string).collect();
    let names = names.join(", ");
    let unknown = format!("is in none of the formats {names}; if it is, name the format");
    for input in [
        "hello",
        "{}",
        "[{}]",
        "[[{\"tree\":1}]]",
        r#"{"archives":[]}"#,
        r#"[{"time":"2026-11-22T03:00:00Z"}]"#,
    ] {
        assert_eq!(recognised(input), unknown, "{input}");
    }
    let ls =
        r#"{"time":"2026-11-22T03:00:00Z","message_type":"snapshot","struct_type":"snapshot"}"#;
    assert_eq!(recognised(ls), unknown);
    assert_eq!(
        "restic".parse::<Format>().unwrap_err().to_string(),
        format!("\"restic\" is not a format: use one of {names}")
    );
    assert!(
        Format::ALL
            .iter()
            .all(|format| format.to_string().parse::<Format>().unwrap() == *format)
    );
}
