//! What `bpdbjobs` prints is read back, whatever is in its columns.

use anomaly_model::BackupJob;
use anomaly_sources::{Format, ReadOptions, Record, read};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::printed::{Job, Try, Version};

/// Text with what has a meaning in a record. A line that begins with a number and a comma would be
/// another record, so that no text does.
fn text() -> impl Strategy<Value = String> {
    let piece = select(vec![
        ",",
        "\\",
        "\n",
        "\r\n",
        "\\,",
        ",,",
        "\\\\",
        "a",
        "_1637000000",
        "ü",
        " ",
        "x1",
        "\"",
    ]);
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// A name, which is on one line.
fn name() -> impl Strategy<Value = String> {
    let piece = select(vec![
        ",",
        "\\",
        "\\,",
        "\\\\",
        "a",
        "_1637000000",
        "ü",
        "-b",
        ".",
    ]);
    vec(piece, 0..6).prop_map(|pieces| format!("n{}z", pieces.concat()))
}

fn attempt() -> impl Strategy<Value = Try> {
    (
        vec(text(), 0..5),
        1_000_000_000..2_000_000_000_u64,
        0..300_u64,
        option::of(0..1000_u64),
    )
        .prop_map(|(messages, started, status, kilobytes)| Try {
            messages,
            started,
            status,
            kilobytes,
            files: kilobytes,
        })
}

prop_compose! {
    fn job()(
        (policy, schedule, client) in (name(), name(), name()),
        (last_path, reason) in (text(), text()),
        paths in vec(text().prop_map(|text| format!("/{text}")), 0..5),
        tries in vec(attempt(), 1..4),
        (status, policy_type, schedule_type) in (0..300_u64, option::of(0..60_u64), option::of(0..8_u64)),
        (started, elapsed) in (1_000_000_000..4_000_000_000_u64, 0..1_000_000_u64),
        (kilobytes, files) in (option::of(0..=u64::MAX / 1024), option::of(any::<u64>())),
        dedup in option::of((0..600_u32, 0..400_u32)),
        (moved, has_end) in (option::of(1..1_000_000_u64), any::<bool>()),
    ) -> Job {
        Job {
            policy, schedule, client, last_path, reason, paths, tries, policy_type, schedule_type,
            started, elapsed, kilobytes, files, moved,
            status: Some(status),
            ended: has_end.then_some(started + elapsed),
            // In tenths of a percent, of which the sum is as exact as it is printed.
            dedup: dedup.map(|(space, compression)| (f64::from(space) / 10.0, f64::from(compression) / 10.0)),
            accelerator: Some(12.5),
            ..Job::default()
        }
    }
}

/// The jobs, and how many records gave none.
fn all(input: &str) -> (Vec<BackupJob>, usize) {
    let (mut jobs, mut others) = (Vec::new(), 0);
    for record in read(
        input.as_bytes(),
        Format::NetBackupBpdbjobs,
        &ReadOptions::default(),
    )
    .unwrap()
    {
        match record.unwrap() {
            Record::Job(job) => jobs.push(job.value),
            _ => others += 1,
        }
    }
    (jobs, others)
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(
        jobs in vec((job(), select(&Version::ALL[1..]), any::<bool>()), 1..6),
    ) {
        let numbered = jobs.into_iter().zip(1..).map(|((job, version, is_all), id)| {
            (Job { id, parent: id, ..job }, version, is_all)
        });
        let jobs: Vec<_> = numbered.collect();
        let lines = jobs.iter().map(|(job, version, is_all)| {
            if *is_all { job.all_columns(*version) } else { job.most_columns(*version) }
        });
        let input = lines.collect::<Vec<_>>().join("\n") + "\n";
        let (found, others) = all(&input);
        prop_assert_eq!((found.len(), others), (jobs.len(), 0), "{}", input);
        for (read, (job, version, is_all)) in found.iter().zip(&jobs) {
            let image = read.image();
            prop_assert_eq!(read.job_id().as_str(), job.id.to_string());
            prop_assert_eq!(read.client().name.as_str(), &job.client);
            prop_assert_eq!(read.policy().name.as_str(), &job.policy);
            let schedule = read.schedule().name.as_ref().map(AsRef::as_ref);
            prop_assert_eq!(schedule, Some(job.schedule.as_str()));
            prop_assert_eq!(read.started_at().timestamp(), job.started.cast_signed());
            prop_assert_eq!(read.ended_at().is_some(), job.ended.is_some());
            prop_assert_eq!(read.duration_seconds(), Some(job.elapsed as f64));
            prop_assert_eq!(read.exit_code(), job.status.map(u64::cast_signed));
            let last = job.tries.last().filter(|_| *is_all);
            let kilobytes = job.kilobytes.or(last.and_then(|last| last.kilobytes));
            prop_assert_eq!(image.image_bytes, kilobytes.map(|kilobytes| kilobytes * 1024));
            prop_assert_eq!(image.file_count, job.files.or(last.and_then(|last| last.files)));
            let is_v9 = *version == Version::V9;
            prop_assert_eq!(image.transferred_bytes, job.moved.filter(|_| is_v9).map(|kb| kb * 1024), "{}", &input);
            let has_rate = is_v9 || *version == Version::V7;
            let rate = job.dedup.filter(|_| has_rate).map(|(space, compression)| (space + compression) / 100.0);
            prop_assert_eq!(image.dedup_ratio.is_some(), rate.is_some());
            prop_assert!((image.dedup_ratio.unwrap_or_default() - rate.unwrap_or_default()).abs() < 1e-8);
        }
    }

    #[test]
    fn text_between_records_costs_nothing_but_itself(
        ids in vec(1..1000_u64, 1..8),
        strays in vec("[a-zA-Z: ]{0,20}", 8),
    ) {
        let mut input = String::new();
        let mut expected = std::collections::BTreeSet::new();
        for (id, stray) in ids.iter().zip(&strays) {
            let job = Job { id: *id, parent: *id, ..Job::default() };
            input.extend([job.most_columns(Version::V9).as_str(), "\n", stray, "\n"]);
            expected.insert(id.to_string());
        }
        let (found, _) = all(&input);
        let found: std::collections::BTreeSet<_> =
            found.iter().map(|job| job.job_id().to_string()).collect();
        prop_assert_eq!(found, expected);
    }

    /// Whatever the order, each stream counts once.
    #[test]
    fn the_streams_of_a_backup_add_up(
        families in vec(vec((1..1_000_000_u64, 0..100_u64), 1..6), 1..6),
        order in any::<prop::sample::Index>(),
        is_reversed in any::<bool>(),
    ) {
        let mut jobs = Vec::new();
        let mut expected = Vec::new();
        for (root, streams) in (1..).map(|n| n * 100).zip(&families) {
            jobs.push(Job { id: root, parent: root, kilobytes: None, has_backup_id: false, ..Job::default() });
            for (id, (kilobytes, files)) in (root + 1..).zip(streams) {
                let (kilobytes, files) = (Some(*kilobytes), Some(*files));
                jobs.push(Job { id, parent: root, kilobytes, files, ..Job::default() });
            }
            let sum = streams.iter().map(|(kilobytes, _)| kilobytes * 1024).sum::<u64>();
            expected.push((format!("{root}/mail01"), Some(sum)));
        }
        let middle = order.index(jobs.len());
        jobs.rotate_left(middle);
        if is_reversed {
            jobs.reverse();
        }
        let lines: Vec<_> = jobs.iter().map(|job| job.most_columns(Version::V9)).collect();
        let (found, parents) = all(&lines.join("\n"));
        let mut found: Vec<_> =
            found.iter().map(|job| (job.job_id().to_string(), job.image().image_bytes)).collect();
        found.sort();
        expected.sort();
        prop_assert_eq!((found, parents), (expected, families.len()));
    }
}
