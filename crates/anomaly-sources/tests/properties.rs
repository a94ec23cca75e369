//! What holds for any input.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bodies;

use anomaly_model::chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use anomaly_model::{BackupImage, BackupJob, ContentStatistics, JobStatus, ScheduleType};
use anomaly_sources::{Format, ReadOptions, Record, read};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

fn time() -> impl Strategy<Value = DateTime<Utc>> {
    (0..7_000_000_000_i64, 0..1_000_000_000_u32)
        .prop_map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).unwrap())
}

fn image() -> impl Strategy<Value = BackupImage> {
    let count = || option::of(any::<u64>());
    (
        count(),
        count(),
        count(),
        option::of(0.0..=1.0),
        option::of(0.0..=8.0),
    )
        .prop_map(|(bytes, files, transferred, dedup, entropy)| {
            BackupImage::default()
                .image_bytes(bytes)
                .file_count(files)
                .transferred_bytes(transferred)
                .dedup_ratio(dedup)
                .content(ContentStatistics::default().mean_entropy_bits(entropy))
        })
}

fn job() -> impl Strategy<Value = BackupJob> {
    let names = (
        "\\PC{0,9}[a-z]",
        "[a-z0-9]{1,8}",
        "\\PC{0,9}[a-z]",
        "\\PC{0,9}[a-z]",
    );
    let word = (
        select(JobStatus::ALL),
        option::of(select(ScheduleType::ALL)),
    );
    let length = option::of(0..100_000_i64);
    (
        names,
        time(),
        length,
        word,
        option::of(any::<i64>()),
        image(),
    )
        .prop_map(
            |((source, id, client, policy), start, length, (status, schedule), code, image)| {
                BackupJob::builder(source, id, client, policy, start)
                    .ended_at(length.map(|seconds| start + TimeDelta::seconds(seconds)))
                    .status(status)
                    .schedule_type(schedule)
                    .exit_code(code)
                    .image(image)
                    .build()
                    .unwrap()
            },
        )
}

/// The jobs with the lines on which they are, and how many records were bad.
fn jobs(input: &[u8], format: Format) -> (Vec<(u64, BackupJob)>, usize) {
    let (mut jobs, mut bad) = (Vec::new(), 0);
    for record in read(input, format, &ReadOptions::default()).unwrap() {
        match record.unwrap() {
            Record::Job(job) => jobs.push((job.place.line, job.value)),
            Record::Bad(_) => bad += 1,
            other => panic!("{other:?}"),
        }
    }
    (jobs, bad)
}

/// What can stand where a record should be: anything without a line feed, and records with one
/// thing wrong.
fn bad_line() -> impl Strategy<Value = Vec<u8>> {
    let wrong = select(vec![
        r#"{"source":"restic","job_id":"1","client":"a","policy":"b","started_at":"2026-11-22T03:00"#,
        r#"{"source":"restic","job_id":"1","client":"a","policy":"b","status":"succeeded"}"#,
        "{}",
        "[]",
        "null",
        "NaN",
        "\"",
        "[{\"",
    ]);
    prop_oneof![
        vec(any::<u8>(), 1..200).prop_map(|mut bytes| {
            bytes.retain(|&byte| byte != b'\n');
            // Never blank, and never a record.
            [b"!", bytes.as_slice()].concat()
        }),
        wrong.prop_map(|text| text.as_bytes().to_vec()),
    ]
}

fn bad_element() -> impl Strategy<Value = &'static str> {
    select(vec![
        "{}",
        "null",
        "-5",
        "\"]\\\",\"",
        r#"[[],{"a":"}"}]"#,
        r#"{"time":5}"#,
        r#"{"id":"1","time":"2026-11-22T03:00:00Z","hostname":"\"","paths":[5]}"#,
        "{\"id\":\n\"1\",\n\"time\":\"yesterday\"}",
    ])
}

fn snapshot(id: usize, start: DateTime<Utc>) -> String {
    let start = start.to_rfc3339();
    format!(
        "{{\"time\":\"{start}\",\n\"hostname\":\"h[\",\"paths\":[\"/a]\",\"/\\\"b\\\\\"],\
         \"summary\":{{\"total_bytes_processed\":1}},\"id\":\"{id}\"}}"
    )
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(written in vec(job(), 1..20)) {
        let lines: Vec<_> = written.iter().map(|job| serde_json::to_string(job).unwrap()).collect();
        let (read_back, bad) = jobs(lines.join("\r\n").as_bytes(), Format::Ndjson);
        prop_assert_eq!(bad, 0);
        let expected: Vec<_> = (1..).zip(written).collect();
        prop_assert_eq!(read_back, expected);
    }

    #[test]
    fn bad_lines_cost_nothing_but_themselves(
        // Enough good text at the beginning that the whole is not taken for a binary file.
        first in vec(job(), 5),
        rest in vec(prop_oneof![job().prop_map(Ok), bad_line().prop_map(Err)], 0..30),
        end in select(vec!["\n", "\r\n", "\n\n \n"]),
    ) {
        let mut input = Vec::new();
        let (mut line, mut expected, mut expected_bad) = (1, Vec::new(), 0);
        for record in first.into_iter().map(Ok).chain(rest) {
            match record {
                Ok(job) => {
                    input.extend(serde_json::to_vec(&job).unwrap());
                    expected.push((line, job));
                }
                Err(bytes) => {
                    input.extend(bytes);
                    expected_bad += 1;
                }
            }
            input.extend(end.as_bytes());
            line += end.matches('\n').count() as u64;
        }
        prop_assert_eq!(jobs(&input, Format::Ndjson), (expected, expected_bad));
    }

    #[test]
    fn bad_elements_cost_nothing_but_themselves(
        elements in vec(prop_oneof![time().prop_map(Ok), bad_element().prop_map(Err)], 1..30),
        end in select(vec!["]", "]\n", ""]),
    ) {
        let mut texts = Vec::new();
        let (mut line, mut expected, mut expected_bad) = (1, Vec::new(), 0);
        for (i, element) in elements.into_iter().enumerate() {
            let text = match element {
                Ok(start) => {
                    expected.push((start, line, i.to_string()));
                    snapshot(i, start)
                }
                Err(text) => {
                    expected_bad += 1;
                    text.to_owned()
                }
            };
            line += text.matches('\n').count() as u64;
            texts.push(text);
        }
        let input = format!("[{}{end}", texts.join(" ,"));
        // A list that is not closed is one more bad record.
        expected_bad += usize::from(end.is_empty());
        let (found, bad) = jobs(input.as_bytes(), Format::ResticSnapshots);
        let id = |job: &BackupJob| job.job_id().to_string();
        let found: Vec<_> =
            found.into_iter().map(|(line, job)| (job.started_at(), line, id(&job))).collect();
        prop_assert_eq!((found, bad), (expected, expected_bad));
    }

    #[test]
    fn what_a_tool_prints_is_read(
        [size, files, sent, stored] in any::<[u64; 4]>(),
        name in "[a-z\"\\\\ü\\[{}]{1,20}",
        seconds in 0..7_000_000_000_i64,
        is_pretty in any::<bool>(),
        offset in -12 * 3600..=14 * 3600_i32,
    ) {
        let start = DateTime::from_timestamp(seconds, 0).unwrap();
        let offset = FixedOffset::east_opt(offset / 60 * 60).unwrap();
        let local = start.with_timezone(&offset);
        let (zoned, bare) = (local.to_rfc3339(), local.naive_local().format("%Y-%m-%dT%H:%M:%S%.6f").to_string());
        let image = || BackupImage::default().image_bytes(size);
        let snapshot = json!({"time": zoned, "tree": "t", "paths": [name], "hostname": "h", "id": "1",
            "program_version": "rustic 1", "summary": {"backup_start": format!("{zoned}[Etc/Nowhere]"),
            "total_bytes_processed": size, "total_files_processed": files, "data_added": sent,
            "data_added_packed": stored}});
        let of_snapshot = image().file_count(files).transferred_bytes(sent).stored_bytes(stored);
        let (count, few) = (files / 2, files / 2 - files / 4);
        let of_manifest = image().file_count(count).files_unmodified(count - few).transferred_bytes(sent)
            .stored_bytes(stored);
        let printed = [
            (Format::RusticSnapshots, json!([{"group_key": {"a": [name]}, "snapshots": [snapshot]}]),
                ("rustic", "1", name.clone()), of_snapshot),
            (Format::RusticSnapshots, json!([[{"a": [name]}, [snapshot]]]), ("rustic", "1", name.clone()),
                of_snapshot),
            (Format::ResticSnapshots, json!([snapshot]), ("rustic", "1", name.clone()), of_snapshot),
            (Format::BorgInfo, json!({"archives": [{"id": "1", "name": format!("{name}x-2026-11-22"),
                "hostname": "h", "start": bare, "stats": {"original_size": size, "nfiles": files,
                "deduplicated_size": stored}}], "repository": {"id": "123456789"}}),
                ("borg", "1", format!("12345678::{name}x")), image().file_count(files)),
            (Format::KopiaList, json!([{"id": "1", "source": {"host": "h", "userName": "u", "path": name},
                "startTime": zoned, "stats": {"nonCachedFiles": few}, "rootEntry": {"summ": {"size": size,
                "files": count}}, "storageStats": {"newData": {"originalContentBytes": sent,
                "packedContentBytes": stored}}}]),
                ("kopia", "1", format!("u:{name}")), of_manifest),
        ];
        let zone = offset.to_string().parse::<anomaly_sources::Timezone>().unwrap();
        let options = ReadOptions::default().timezone(zone);
        for (format, document, (source, id, policy), image) in printed {
            let text = if is_pretty {
                serde_json::to_string_pretty(&document).unwrap()
            } else {
                document.to_string()
            };
            let expected = BackupJob::builder(source, id, "h", policy, start).image(image).build().unwrap();
            let found: Result<Vec<_>, _> = read(text.as_bytes(), format, &options).unwrap().collect();
            let found: Vec<_> = found.unwrap().into_iter().map(Record::job).collect();
            prop_assert_eq!(found, [Some(expected)], "{}: {}", format, text);
        }
    }

    #[test]
    fn any_bytes_can_be_read(bytes in vec(any::<u8>(), 0..3000), format in select(Format::ALL)) {
        bodies::any(&bytes, format);
        bodies::csv(&bytes);
        bodies::csv_mapping(&bytes);
        bodies::recognised(&bytes);
    }

    #[test]
    fn any_text_of_the_right_letters_can_be_read(
        words in vec(select(WORDS), 0..80),
        open in select(vec!["", "[", "{", "\u{feff}[", "[{", "{\"archives\":[{", "{\"data\":[{"]),
        format in select(Format::ALL),
    ) {
        let text = open.to_owned() + &words.concat();
        bodies::any(text.as_bytes(), format);
        bodies::recognised(text.as_bytes());
    }
}

/// What the outputs of the tools are made of.
const WORDS: &[&str] = &[
    "[",
    "]",
    "{",
    "}",
    ",",
    ",",
    "\"",
    " ",
    "\n",
    "\\",
    "5",
    "-1",
    "null",
    "},{",
    "\"id\":\"a\"",
    "\"time\":\"2026-03-29T02:30:00\"",
    "\"time\":\"2026-11-22T03:00:00+01:00[Europe/Berlin]\"",
    "\"message_type\":\"summary\"",
    "\"message_type\":\"exit_error\"",
    "\"snapshot_id\":\"a\"",
    "\"hostname\":\"h\"",
    "\"paths\":[\"p\"]",
    "\"snapshots\":[",
    "\"group_key\":{}",
    "\"archive\":{",
    "\"archives\":[",
    "\"repository\":{\"id\":\"r\"}",
    "\"name\":\"n-2026-11-22\"",
    "\"stats\":{",
    "\"nfiles\":7",
    "\"startTime\":\"2026-11-22T03:00:00Z\"",
    "\"incomplete\":\"canceled\"",
    "\"source\":{\"host\":\"h\",\"userName\":\"u\",\"path\":\"p\"}",
    "\"rootEntry\":{\"summ\":{\"files\":7}}",
    "\"data\":[",
    "\"upid\":\"u\"",
    "\"worker_type\":\"backup\"",
    "\"worker_id\":\"policy:vm/1\"",
    "\"starttime\":60",
    "\"endtime\":90",
    "\"status\":\"OK\"",
    "\"status\":\"bad\"",
    "\"backup-type\":\"vm\"",
    "\"backup-id\":\"1\"",
    "\"backup-time\":61",
    "\"size\":9",
    "\"unprotected\":{\"chunk_upload_stats\":{\"size\":1,\"compressed_size\":1,\"duplicates\":0}}",
];
