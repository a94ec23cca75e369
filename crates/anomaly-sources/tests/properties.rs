//! What holds for any input.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bodies;

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{BackupImage, BackupJob, ContentStatistics, JobStatus, ScheduleType};
use anomaly_sources::{Format, ReadOptions, Record, read};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

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
         \"id\":\"{id}\"}}"
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
    fn any_bytes_can_be_read(bytes in vec(any::<u8>(), 0..3000)) {
        bodies::ndjson(&bytes);
        bodies::restic_snapshots(&bytes);
        bodies::restic_backup(&bytes);
        bodies::recognised(&bytes);
    }

    #[test]
    fn any_text_of_the_right_letters_can_be_read(
        text in "([\\[\\]{},:\" \n\\\\]|\"id\":|\"time\":|\"message_type\":|\"summary\"|5|null){0,80}",
        open in select(vec!["", "[", "{", "\u{feff}["]),
    ) {
        let text = format!("{open}{text}");
        bodies::ndjson(text.as_bytes());
        bodies::restic_snapshots(text.as_bytes());
        bodies::restic_backup(text.as_bytes());
        bodies::recognised(text.as_bytes());
    }
}
