//! `bpdbjobs -report`.

use anomaly_model::{BackupJob, ScheduleType};
use anomaly_sources::{Format, recognise};

use crate::outline;
use crate::printed::{Job, Try, Version};

const FORMAT: Format = Format::NetBackupBpdbjobs;

fn outlined(input: impl AsRef<[u8]>) -> Vec<String> {
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

mod families {
    //! Parents and children.

    use std::io::{self, BufReader, Read};

    use anomaly_sources::{ReadOptions, read};

    use super::{FORMAT, Job, ScheduleType, Version, outline, outlined};

    fn parent(id: u64) -> Job {
        Job {
            id,
            parent: id,
            schedule: "-".to_owned(),
            kilobytes: None,
            files: None,
            tries: Vec::new(),
            has_backup_id: false,
            ..Job::default()
        }
    }

    fn child(id: u64, parent: u64) -> Job {
        Job {
            id,
            parent,
            started: 1_795_316_400 + id,
            ended: Some(1_795_316_400 + id + 60),
            elapsed: 60,
            kilobytes: Some(1000 * id),
            files: Some(id),
            moved: Some(id),
            ..Job::default()
        }
    }

    fn lines(jobs: &[Job]) -> String {
        let lines = jobs.iter().map(|job| job.most_columns(Version::V9));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// In the order of the jobs, and the newest first, as NetBackup lists them.
    fn both_orders(mut jobs: Vec<Job>) -> [String; 2] {
        let forward = lines(&jobs);
        jobs.reverse();
        [forward, lines(&jobs)]
    }

    #[test]
    fn the_streams_of_a_backup_are_one_job() {
        let jobs = vec![parent(10), child(11, 10), child(12, 10), child(14, 10)];
        for input in both_orders(jobs) {
            let found = outline::jobs(&input, FORMAT);
            assert_eq!(found.len(), 1);
            assert_eq!(
                serde_json::to_value(&found[0]).unwrap(),
                serde_json::json!({
                    "source": "netbackup", "job_id": "10/mail01", "client": "mail01",
                    "policy": "daily", "policy_type": "standard", "schedule": "Full",
                    "schedule_type": "full", "started_at": "2026-11-22T03:00:11Z",
                    "ended_at": "2026-11-22T03:01:14Z", "status": "succeeded", "exit_code": 0,
                    "image_bytes": 37_000 * 1024, "file_count": 37,
                    "transferred_bytes": 37 * 1024,
                })
            );
        }
        let skipped = outlined(lines(&[parent(10), child(11, 10)]));
        assert_eq!(
            skipped,
            [
                "line 1: skipped, a parent job, whose children carry the data",
                "line 2: 10/mail01 succeeded"
            ]
        );
    }

    #[test]
    fn a_parent_with_the_sum_of_its_children_is_not_counted_twice() {
        let sum = Job {
            kilobytes: Some(23_000),
            files: Some(23),
            ..parent(10)
        };
        for input in both_orders(vec![sum, child(11, 10), child(12, 10)]) {
            let found = outline::jobs(&input, FORMAT);
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].image().file_count, Some(23));
        }
    }

    #[test]
    fn a_backup_has_the_same_id_whatever_is_left_of_it() {
        let id = |jobs: &[Job]| outline::jobs(lines(jobs), FORMAT)[0].job_id().to_string();
        let all = [parent(10), child(11, 10), child(12, 10)];
        for part in [&all[..], &all[..2], &all[1..], &all[2..]] {
            assert_eq!(id(part), "10/mail01");
        }
    }

    #[test]
    fn what_is_left_of_a_backup_is_not_judged() {
        let orphan = "skipped, a stream of a backup whose parent is not in the list";
        // The oldest in a list lost its parent, and perhaps some streams.
        let jobs = [parent(20), child(21, 20), child(11, 10)];
        for input in both_orders(jobs.to_vec()) {
            let found = outlined(&input);
            assert_eq!(
                found.iter().filter(|text| text.ends_with(orphan)).count(),
                1
            );
            assert!(
                found
                    .iter()
                    .any(|text| text.ends_with("20/mail01 succeeded"))
            );
        }
        // A list that is cut says nothing of a parent, one that ends may have been made without.
        let list = lines(&[child(12, 10), child(11, 10)]);
        let end = list.rfind(',').unwrap();
        let found = outlined(&list[..end]);
        assert_eq!(found[1], format!("line 1: {orphan}"), "{found:?}");
        assert_eq!(outlined(&list), ["line 1: 10/mail01 succeeded"]);
        // A parent can be a job of another kind.
        let snapshot = Job {
            kind: 28,
            ..parent(10)
        };
        for input in both_orders(vec![parent(20), child(21, 20), snapshot, child(11, 10)]) {
            let found = outline::jobs(&input, FORMAT);
            assert_eq!(found.len(), 2, "{input}");
        }
    }

    #[test]
    fn a_job_without_relatives_keeps_its_number() {
        for own_parent in [0, 7] {
            let job = Job {
                id: 7,
                parent: own_parent,
                ..Job::default()
            };
            assert_eq!(outlined(lines(&[job])), ["line 1: 7 succeeded"]);
        }
        // A parent that failed before it had children.
        let failed = Job {
            status: Some(156),
            ..parent(7)
        };
        assert_eq!(outlined(lines(&[failed])), ["line 1: 7 failed"]);
    }

    #[test]
    fn clients_below_one_parent_are_backups_of_their_own() {
        let of = |id, client: &str| Job {
            client: client.to_owned(),
            ..child(id, 10)
        };
        let jobs = [parent(10), of(11, "vm1"), of(12, "vm2"), of(13, "vm1")];
        let found: Vec<_> = outline::jobs(lines(&jobs), FORMAT)
            .iter()
            .map(|job| (job.job_id().to_string(), job.image().file_count))
            .collect();
        assert_eq!(
            found,
            [
                ("10/vm1".to_owned(), Some(24)),
                ("10/vm2".to_owned(), Some(12))
            ]
        );
    }

    #[test]
    fn a_child_that_is_a_parent_carries_nothing() {
        // Discovery, the snapshot of a machine, and its backup.
        let snapshot = Job {
            kilobytes: None,
            files: None,
            client: "vm1".to_owned(),
            ..child(11, 10)
        };
        let backup = Job {
            client: "vm1".to_owned(),
            ..child(12, 11)
        };
        for input in both_orders(vec![parent(10), snapshot, backup]) {
            let found = outline::jobs(&input, FORMAT);
            let ids: Vec<_> = found.iter().map(|job| job.job_id().as_str()).collect();
            assert_eq!(ids, ["11/vm1"], "{input}");
        }
    }

    #[test]
    fn a_backup_with_a_running_stream_waits() {
        let running = Job {
            state: 1,
            ended: Some(0),
            ..child(12, 10)
        };
        for input in both_orders(vec![parent(10), child(11, 10), running]) {
            let mut found = outlined(&input);
            found.sort_unstable();
            let found: Vec<_> = found.iter().map(|text| &text[8..]).collect();
            assert_eq!(found.len(), 3);
            assert!(found.contains(&"skipped, running"), "{found:?}");
            assert!(found.contains(&"skipped, a stream of a backup that has not ended"));
        }
        let running = Job {
            state: 1,
            ..parent(10)
        };
        assert_eq!(
            outlined(lines(&[running, child(11, 10)])),
            [
                "line 1: skipped, running",
                "line 2: skipped, a stream of a backup that has not ended"
            ]
        );
    }

    #[test]
    fn a_backup_with_a_bad_record_is_not_judged_by_the_rest() {
        let bad = lines(&[child(12, 10)]).replace(",12000,", ",x,");
        let input = format!("{}\n{bad}", lines(&[parent(10), child(11, 10)]));
        assert_eq!(
            outlined(input),
            [
                "line 1: skipped, a parent job, whose children carry the data",
                "line 2: skipped, a stream of a backup of which another record is bad",
                "bad line 3: `kbytes` (column 15) is \"x\": must be a whole number from 0 to \
                 18446744073709551615",
            ]
        );
        // Whatever is wrong with it.
        let bad = lines(&[child(12, 10)]);
        for (column, value) in [(1, "x"), (1, ""), (2, "x"), (3, ""), (4, "\u{fffd}")] {
            let mut columns: Vec<_> = bad.split(',').collect();
            columns[column] = value;
            let good = lines(&[parent(10), child(11, 10)]);
            let found = outlined(format!("{good}\n{}", columns.join(",")));
            let why = "line 2: skipped, a stream of a backup of which another record is bad";
            assert_eq!(found[1], why, "{column}: {found:?}");
            assert!(found[2].starts_with("bad line 3: "), "{found:?}");
        }
    }

    #[test]
    fn streams_end_in_different_ways() {
        let ended = |codes: [u64; 2]| {
            let mut jobs = [child(11, 10), child(12, 10)];
            for (job, code) in jobs.iter_mut().zip(codes) {
                job.status = Some(code);
            }
            // A stream that failed has no numbers.
            if codes[1] > 1 {
                (jobs[1].kilobytes, jobs[1].files) = (None, None);
            }
            let job = outline::job(lines(&jobs), FORMAT);
            (
                job.status().to_string(),
                job.exit_code(),
                job.image().file_count,
            )
        };
        let succeeded = |status: &str, code, files| (status.to_owned(), Some(code), Some(files));
        assert_eq!(ended([0, 1]), succeeded("partial", 1, 23));
        assert_eq!(ended([0, 58]), succeeded("partial", 58, 11));
        assert_eq!(ended([58, 58]), succeeded("failed", 58, 11));
        assert_eq!(ended([150, 150]), succeeded("cancelled", 150, 11));
    }

    #[test]
    fn a_number_that_one_stream_does_not_know_is_missing() {
        let unknown = Job {
            files: None,
            ..child(12, 10)
        };
        let job = outline::job(lines(&[child(11, 10), unknown]), FORMAT);
        assert_eq!(job.image().file_count, None);
        assert_eq!(job.image().image_bytes, Some(23_000 * 1024));
    }

    #[test]
    fn rates_are_weighed_by_size() {
        let of = |id, dedup| Job {
            dedup: Some((dedup, 0.0)),
            ..child(id, 10)
        };
        let job = outline::job(lines(&[of(20, 50.0), of(60, 90.0)]), FORMAT);
        assert_eq!(job.image().dedup_ratio, Some(0.8));
    }

    #[test]
    fn the_sum_of_streams_is_too_large() {
        let huge = |id| Job {
            files: Some(u64::MAX),
            ..child(id, 10)
        };
        assert_eq!(
            outlined(lines(&[huge(11), huge(12)])),
            ["bad line 1: the streams of 10/mail01 have more files together than can be counted"]
        );
    }

    #[test]
    fn a_job_that_is_there_twice_counts_once() {
        let old = Job {
            files: Some(1),
            ..child(11, 10)
        };
        let found = outlined(lines(&[old.clone(), child(12, 10), child(11, 10)]));
        assert_eq!(
            found,
            [
                "line 2: 10/mail01 succeeded",
                "line 1: skipped, a job that is there again further down"
            ]
        );
        let job = outline::job(lines(&[old, child(12, 10), child(11, 10)]), FORMAT);
        assert_eq!(job.image().file_count, Some(23));
    }

    #[test]
    fn restores_and_duplicates_are_nobodys_stream() {
        let duplicate = Job {
            kind: 4,
            ..child(12, 10)
        };
        let jobs = [parent(10), child(11, 10), duplicate];
        let job = outline::job(lines(&jobs), FORMAT);
        assert_eq!(job.image().file_count, Some(11));
    }

    #[test]
    fn backups_of_schedules_without_a_type_have_none() {
        let job = Job {
            schedule_type: None,
            policy_type: None,
            ..Job::default()
        };
        let job = outline::job(lines(&[job]), FORMAT);
        assert_eq!(job.schedule().schedule_type, None);
        let logs = Job {
            schedule_type: Some(5),
            ..Job::default()
        };
        let job = outline::job(lines(&[logs]), FORMAT);
        assert_eq!(job.schedule().schedule_type, Some(ScheduleType::Other));
    }

    #[test]
    fn no_more_than_some_are_held() {
        /// Jobs without end, which fails where nobody should have come.
        struct Jobs {
            next: u64,
            text: Vec<u8>,
        }

        impl Read for Jobs {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if self.text.is_empty() {
                    self.next += 1;
                    let id = self.next;
                    assert!(id < 12_000, "read too far ahead");
                    let line = Job {
                        id,
                        parent: id,
                        ..Job::default()
                    };
                    self.text = format!("{}\n", line.most_columns(Version::V9)).into_bytes();
                }
                let length = buffer.len().min(self.text.len());
                buffer[..length].copy_from_slice(&self.text[..length]);
                self.text.drain(..length);
                Ok(length)
            }
        }

        let jobs = Jobs {
            next: 0,
            text: Vec::new(),
        };
        let mut records = read(BufReader::new(jobs), FORMAT, &ReadOptions::default()).unwrap();
        for expected in 1..100 {
            let job = records.next().unwrap().unwrap().job().unwrap();
            assert_eq!(job.job_id().as_str(), expected.to_string());
        }
    }
}
