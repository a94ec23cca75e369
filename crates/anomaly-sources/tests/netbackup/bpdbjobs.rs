//! `bpdbjobs -report`.

use anomaly_model::BackupJob;
use anomaly_sources::{Format, recognise};

use crate::outline;
use crate::printed::{Job, Try, Version};

pub(crate) const FORMAT: Format = Format::NetBackupBpdbjobs;

pub(crate) fn outlined(input: impl AsRef<[u8]>) -> Vec<String> {
    outline::outline(input, FORMAT)
}

fn only(input: impl AsRef<[u8]>) -> BackupJob {
    outline::job(input, FORMAT)
}

#[test]
fn every_column_is_where_it_belongs() {
    let job = Job {
        dedup: Some((58.3, 31.4)),
        accelerator: Some(58.8),
        moved: Some(102_225),
        schedule_type: Some(4),
        policy_type: Some(40),
        ..Job::default()
    };
    for line in [job.most_columns(Version::V9), job.all_columns(Version::V9)] {
        let read = only(&line);
        assert_eq!(
            serde_json::to_value(&read).unwrap(),
            serde_json::json!({
                "source": "netbackup", "job_id": "4711", "client": "mail01", "policy": "daily",
                "policy_type": "vmware", "schedule": "Full",
                "schedule_type": "cumulative_incremental", "started_at": "2026-11-22T03:00:00Z",
                "ended_at": "2026-11-22T03:01:30Z", "duration_seconds": 90.0,
                "status": "succeeded", "exit_code": 0, "image_bytes": 253_782_016,
                "file_count": 1200, "transferred_bytes": 104_678_400, "dedup_ratio": 0.897,
            }),
            "{line}"
        );
    }
}

#[test]
fn every_version_tells_what_it_knows() {
    let job = Job {
        dedup: Some((58.3, 31.4)),
        moved: Some(102_225),
        reason: "Limit of 1, reached".to_owned(),
        ..Job::default()
    };
    for version in Version::ALL {
        for line in [job.most_columns(version), job.all_columns(version)] {
            let read = only(&line);
            let image = read.image();
            assert_eq!(image.image_bytes, Some(247_834 * 1024), "{line}");
            assert_eq!(image.file_count, Some(1200), "{line}");
            let has_rate = matches!(version, Version::V7 | Version::V9);
            assert_eq!(image.dedup_ratio, has_rate.then_some(0.897), "{line}");
            let moved = (version == Version::V9).then_some(102_225 * 1024);
            assert_eq!(image.transferred_bytes, moved, "{line}");
        }
    }
}

#[test]
fn records_of_several_versions_are_in_one_input() {
    let job = |id, version: Version| {
        let job = Job {
            id,
            parent: id,
            ..Job::default()
        };
        if id % 2 == 0 {
            job.all_columns(version)
        } else {
            job.most_columns(version)
        }
    };
    let lines: Vec<_> = (1..)
        .zip(Version::ALL)
        .map(|(id, version)| job(id, version))
        .collect();
    let found = outlined(lines.join("\n"));
    assert_eq!(
        found,
        (1..=4)
            .map(|n| format!("line {n}: {n} succeeded"))
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_rate_is_a_share() {
    let ratio = |space, compression| {
        let job = Job {
            dedup: Some((space, compression)),
            moved: Some(5),
            ..Job::default()
        };
        let read = only(job.most_columns(Version::V9));
        // The rate does not hide what stands beside it.
        assert_eq!(read.image().transferred_bytes, Some(5 * 1024));
        read.image().dedup_ratio
    };
    assert_eq!(ratio(100.0, 0.0), Some(1.0));
    assert_eq!(ratio(60.1, 40.000_003), Some(1.0));
    assert_eq!(ratio(0.0, 0.0), Some(0.0));
    // No share of anything, so it is not known.
    assert_eq!(ratio(60.0, 44.0), None);
    assert_eq!(ratio(-10.0, -5.0), None);
}

#[test]
fn a_rate_is_believed_where_its_parts_add_up_to_it() {
    let job = Job {
        dedup: Some((58.3, 31.4)),
        accelerator: Some(58.8),
        moved: Some(102_225),
        ..Job::default()
    };
    let line = job.most_columns(Version::V9);
    // A newer version that prints more behind it is read ...
    let newer = only(format!("{line},x,7,"));
    assert_eq!(newer.image().dedup_ratio, Some(0.897));
    assert_eq!(newer.image().transferred_bytes, Some(102_225 * 1024));
    // ... one that prints something else there is not, and the job is.
    let other = only(line.replace("31.400000", "11.400000"));
    assert_eq!(other.image().image_bytes, Some(247_834 * 1024));
    assert_eq!(
        (other.image().dedup_ratio, other.image().transferred_bytes),
        (None, None)
    );
}

#[test]
fn zero_kilobytes_moved_are_not_known() {
    let moved = |kilobytes, moved| {
        let job = Job {
            kilobytes,
            moved,
            ..Job::default()
        };
        only(job.most_columns(Version::V9))
            .image()
            .transferred_bytes
    };
    assert_eq!(moved(Some(1000), Some(0)), None);
    assert_eq!(moved(Some(1000), Some(3)), Some(3072));
    assert_eq!(moved(Some(0), Some(0)), Some(0));
}

#[test]
fn lists_are_counted() {
    let job = Job {
        last_path: r"D:\data,2026\".to_owned(),
        paths: vec![
            "/a,b".to_owned(),
            r"C:\".to_owned(),
            "NEW_STREAM".to_owned(),
            "/dumps/mail01_1637000000".to_owned(),
            "12".to_owned(),
        ],
        tries: vec![
            Try {
                messages: vec![
                    "a, b".to_owned(),
                    "two\nlines, of text\n\nand an end".to_owned(),
                    r"\, \\,".to_owned(),
                ],
                started: 1_795_316_400,
                status: 84,
                kilobytes: Some(12),
                files: Some(3),
            };
            3
        ],
        dedup: Some((58.3, 31.4)),
        ..Job::default()
    };
    for version in Version::ALL {
        let lines = [job.all_columns(version), job.most_columns(version)].map(|line| {
            // What follows is a record of its own.
            let next = Job {
                id: 4712,
                parent: 4712,
                ..Job::default()
            };
            format!("{line}\n{}", next.all_columns(version))
        });
        for line in lines {
            let found = outline::jobs(&line, FORMAT);
            assert_eq!(found.len(), 2, "{line}");
            assert_eq!(found[0].job_id().as_str(), "4711");
            assert_eq!(found[0].image().image_bytes, Some(247_834 * 1024));
            let has_rate = matches!(version, Version::V7 | Version::V9);
            assert_eq!(
                found[0].image().dedup_ratio,
                has_rate.then_some(0.897),
                "{line}"
            );
        }
    }
}

#[test]
fn a_comma_that_is_not_escaped_hides_no_job() {
    let job = Job {
        dedup: Some((58.3, 31.4)),
        ..Job::default()
    };
    // As NetBackup 6.5 printed some of its paths.
    let line = job
        .all_columns(Version::V9)
        .replace("/home", "FITYPE=disk,FSTYPE=ext4");
    let read = only(&line);
    assert_eq!(read.image().dedup_ratio, Some(0.897));
}

#[test]
fn a_job_without_numbers_has_those_of_its_last_try() {
    let attempt = |kilobytes, files| Try {
        kilobytes: Some(kilobytes),
        files: Some(files),
        ..Job::default().tries[0].clone()
    };
    let job = Job {
        kilobytes: None,
        files: None,
        tries: vec![attempt(10, 1), attempt(20, 2)],
        ..Job::default()
    };
    let read = only(job.all_columns(Version::V6));
    assert_eq!(read.image().image_bytes, Some(20 * 1024));
    assert_eq!(read.image().file_count, Some(2));
    let read = only(job.most_columns(Version::V6));
    assert_eq!(
        (read.image().image_bytes, read.image().file_count),
        (None, None)
    );
}

#[test]
fn jobs_that_are_no_finished_backups_are_skipped() {
    let skipped = |change: fn(&mut Job)| {
        let mut job = Job::default();
        change(&mut job);
        let found = outlined(job.all_columns(Version::V9));
        assert_eq!(found.len(), 1, "{found:?}");
        let why = found[0].strip_prefix("line 1: skipped, ");
        why.unwrap_or_else(|| panic!("{found:?}")).to_owned()
    };
    assert_eq!(skipped(|job| job.kind = 2), "a restore");
    assert_eq!(skipped(|job| job.kind = 4), "a duplication");
    assert_eq!(skipped(|job| job.kind = 17), "an image cleanup");
    assert_eq!(skipped(|job| job.kind = 99), "a job that is no backup");
    assert_eq!(skipped(|job| job.state = 0), "queued");
    assert_eq!(skipped(|job| job.state = 1), "running");
    assert_eq!(skipped(|job| job.state = 2), "queued for another try");
    assert_eq!(skipped(|job| job.state = 5), "incomplete, to be resumed");
    assert_eq!(skipped(|job| job.ended = Some(0)), "running");
    // A restore whose numbers are nonsense is still a restore.
    assert_eq!(skipped(|job| (job.kind, job.state) = (2, 9)), "a restore");
    assert_eq!(
        outlined("4711,,,,,,,,,,,\n"),
        ["line 1: skipped, a job of which nothing is recorded"]
    );
}

#[test]
fn a_job_without_an_end_has_its_length() {
    let job = Job {
        ended: None,
        ..Job::default()
    };
    let read = only(job.all_columns(Version::V9));
    assert_eq!(
        (read.ended_at(), read.duration_seconds()),
        (None, Some(90.0))
    );
}

#[test]
fn the_status_says_how_it_ended() {
    for (code, status) in [
        (0, "succeeded"),
        (1, "partial"),
        (150, "cancelled"),
        (58, "failed"),
        (2_800_000, "failed"),
    ] {
        let job = Job {
            status: Some(code),
            ..Job::default()
        };
        let found = outlined(job.most_columns(Version::V9));
        assert_eq!(found, [format!("line 1: 4711 {status}")]);
    }
}

#[test]
fn one_column_is_wrong() {
    let refused = |index: usize, value: &str| {
        let line = Job::default().most_columns(Version::V9);
        let mut columns: Vec<_> = line.split(',').collect();
        columns[index] = value;
        let good = Job {
            id: 4712,
            parent: 4712,
            ..Job::default()
        };
        let found = outlined(format!(
            "{}\n{}",
            columns.join(","),
            good.most_columns(Version::V9)
        ));
        assert_eq!(found[1..], ["line 2: 4712 succeeded"]);
        found[0].clone()
    };
    assert_eq!(
        refused(14, "-5"),
        "bad line 1: `kbytes` (column 15) is \"-5\": must be a whole number from 0 to \
         18446744073709551615"
    );
    // Past 2^63 it is still a number, but there are no so many bytes.
    assert_eq!(
        refused(14, "9223372036854775809"),
        "bad line 1: `kbytes` (column 15) is 9223372036854775809 KB: must be at most \
         18014398509481983"
    );
    assert_eq!(
        refused(15, "18446744073709551616"),
        "bad line 1: `files` (column 16) is \"18446744073709551616\": must be a whole number from \
         0 to 18446744073709551615"
    );
    assert_eq!(
        refused(2, "9"),
        "bad line 1: `state` (column 3) is 9: must be a number from 0 to 5"
    );
    assert_eq!(refused(3, ""), "bad line 1: `status` (column 4) is empty");
    assert_eq!(refused(8, ""), "bad line 1: `started` (column 9) is empty");
    assert_eq!(
        refused(8, "9223372036854775807"),
        "bad line 1: `started` (column 9) is 9223372036854775807: must be seconds since 1970"
    );
    assert_eq!(
        refused(6, ""),
        "bad line 1: `client` is \"\": must be text that is not blank"
    );
    assert_eq!(
        refused(10, "1795316399"),
        "bad line 1: `ended_at` is 2026-11-22T02:59:59+00:00: must be not before `started_at`, \
         2026-11-22T03:00:00+00:00"
    );
    assert_eq!(
        refused(1, "x"),
        "bad line 1: `jobtype` (column 2) is \"x\": must be a whole number from 0 to \
         18446744073709551615"
    );
}

#[test]
fn the_most_files_are_read_to_the_last() {
    let job = Job {
        files: Some(u64::MAX),
        ..Job::default()
    };
    let read = only(job.all_columns(Version::V9));
    assert_eq!(read.image().file_count, Some(u64::MAX));
}

#[test]
fn a_record_is_cut() {
    let line = Job::default().all_columns(Version::V9);
    let columns: Vec<_> = line.split_inclusive(',').collect();
    for end in 4..46 {
        let cut = columns[..end].concat();
        let found = outlined(&cut);
        assert_eq!(found.len(), 1, "{cut}");
        assert!(
            found[0].starts_with("bad line 1: cut off after"),
            "{cut}: {found:?}"
        );
    }
}

#[test]
fn a_record_at_the_end_is_cut() {
    let [job, next] = [1, 2].map(|id| Job {
        id,
        parent: id,
        ..Job::default()
    });
    let cut = "cut off in the middle of the record";
    for version in Version::ALL {
        for (line, last) in [
            (job.all_columns(version), next.all_columns(version)),
            (job.most_columns(version), next.most_columns(version)),
        ] {
            let whole = format!("{line}\n{last}");
            assert_eq!(outlined(&whole).last().unwrap(), "line 2: 2 succeeded");
            // Without the last column.
            let end = whole.rfind(',').unwrap();
            let found = outlined(&whole[..end]);
            assert_eq!((found.len(), &*found[0]), (2, "line 1: 1 succeeded"));
            assert!(found[1].starts_with("bad line 2: cut off"), "{found:?}");
            // With the end of its line it is what some version prints, but none is shorter than V4.
            let found = outlined(format!("{}\n", &whole[..end]));
            assert_eq!(found[1] == "line 2: 2 succeeded", version != Version::V4);
        }
    }
    let alone = job.most_columns(Version::V9);
    let end = alone.rfind(',').unwrap();
    assert_eq!(outlined(&alone[..end]), [format!("bad line 1: {cut}")]);
}

#[test]
fn text_that_is_no_record_is_one_bad_record() {
    let job = |id| {
        Job {
            id,
            parent: id,
            ..Job::default()
        }
        .most_columns(Version::V9)
    };
    let input = format!(
        "C3\n{}\nbpdbjobs: cannot connect\n-4700\n{}\nC1\n{}\nEXIT STATUS 25\nx\n",
        job(1),
        job(2),
        job(3)
    );
    let stray = "text that is no record, and in no column of the one before it";
    assert_eq!(
        outlined(input),
        [
            "line 2: 1 succeeded".to_owned(),
            format!("bad line 3: {stray}"),
            "line 5: 2 succeeded".to_owned(),
            "line 7: 3 succeeded".to_owned(),
            format!("bad line 8: {stray}"),
        ]
    );
    assert_eq!(outlined("no jobs\n"), [format!("bad line 1: {stray}")]);
    let nothing = "ended: holds no backup job: no line is a job as `bpdbjobs -report` prints it \
                   with -all_columns or -most_columns";
    assert_eq!(outlined("C0\n"), [nothing]);
}

#[test]
fn a_path_in_another_encoding_costs_nothing() {
    let line = |path: &[u8], client: &[u8]| {
        let line = Job::default().all_columns(Version::V9);
        let line = line.as_bytes().to_vec();
        let replace = |line: Vec<u8>, from: &[u8], to: &[u8]| {
            let at = line
                .windows(from.len())
                .position(|window| window == from)
                .unwrap();
            [&line[..at], to, &line[at + from.len()..]].concat()
        };
        replace(replace(line, b"/home", path), b"mail01", client)
    };
    assert_eq!(
        outlined(line(b"/b\xfcro", b"mail01")),
        ["line 1: 4711 succeeded"]
    );
    assert_eq!(
        outlined(line(b"/home", b"b\xfcro")),
        ["bad line 1: the client or the policy is not UTF-8 text"]
    );
}

#[test]
fn it_is_recognised() {
    let because = "it has lines of job number, type, state and status, and the times of a job";
    for version in Version::ALL {
        for line in [
            Job::default().most_columns(version),
            Job::default().all_columns(version),
        ] {
            for input in [
                line.clone(),
                format!("C1\n{line}"),
                format!("note: x,1\n{line}"),
            ] {
                let found = recognise(input.as_bytes()).unwrap();
                assert_eq!((found.format, found.because), (FORMAT, because));
            }
        }
    }
    let csv = "1,2,3,4,a,b,c,d,e,f\n";
    assert!(recognise(csv.as_bytes()).is_err());
}
