//! Parents and children in `bpdbjobs -report`.

use std::io::{self, BufReader, Read};

use anomaly_model::ScheduleType;
use anomaly_sources::{ReadOptions, read};

use crate::bpdbjobs::{FORMAT, outlined};
use crate::outline;
use crate::printed::{Job, Version};

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
