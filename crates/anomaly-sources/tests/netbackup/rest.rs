//! Documents of the REST interface.

use anomaly_model::BackupJob;
use anomaly_sources::{Format, recognise};
use serde_json::{Value, json};

use crate::outline;

const FORMAT: Format = Format::NetBackupRest;

fn outlined(input: impl AsRef<[u8]>) -> Vec<String> {
    outline::outline(input, FORMAT)
}

/// A job with some attributes changed.
fn job(changes: Value) -> Value {
    let mut job = json!({
        "type": "job", "id": "4711", "links": {},
        "attributes": {
            "jobId": 4711, "parentJobId": 0, "jobType": "BACKUP", "policyType": "VMWARE",
            "policyName": "daily", "scheduleType": "CUMULATIVE_INCREMENTAL_BACKUP",
            "scheduleName": "Full", "clientName": "mail01", "status": 0, "state": "DONE",
            "numberOfFiles": 1200, "kilobytesTransferred": 247_834,
            "kilobytesDataTransferred": 102_225, "dedupRatio": 89.7,
            "startTime": "2026-11-22T03:00:00.000Z", "endTime": "2026-11-22T03:01:30.000Z",
            "elapsedTime": "PT1M30S",
        }
    });
    change(&mut job["attributes"], &changes);
    job
}

fn image(id: &str, changes: Value) -> Value {
    let mut image = json!({
        "type": "image", "id": id, "links": {},
        "attributes": {
            "policyType": "MS-Windows", "clientName": "mail01", "policyName": "daily",
            "backupTime": "2026-11-22T03:00:00.000Z", "backupStatus": 0,
            "elapsedTimeSeconds": 90, "imageType": "NORMAL", "jobId": 4711, "kbytes": 247_834,
            "kbytesDataTransferred": 102_225, "numFiles": 1200, "numberFragments": 1,
            "scheduleName": "Full", "scheduleType": "FULL", "streamNumber": 1,
        }
    });
    change(&mut image["attributes"], &changes);
    image
}

fn change(attributes: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().unwrap() {
        attributes[name] = value.clone();
    }
}

fn page(elements: &[Value]) -> String {
    json!({"data": elements, "meta": {"pagination": {"limit": 10}}, "links": {}}).to_string()
}

fn only(element: Value) -> BackupJob {
    outline::job(page(&[element]), FORMAT)
}

#[test]
fn every_attribute_is_where_it_belongs() {
    assert_eq!(
        serde_json::to_value(only(job(json!({})))).unwrap(),
        json!({
            "source": "netbackup", "job_id": "4711", "client": "mail01", "policy": "daily",
            "policy_type": "vmware", "schedule": "Full",
            "schedule_type": "cumulative_incremental", "started_at": "2026-11-22T03:00:00Z",
            "ended_at": "2026-11-22T03:01:30Z", "duration_seconds": 90.0,
            "status": "succeeded", "exit_code": 0, "image_bytes": 253_782_016,
            "file_count": 1200, "transferred_bytes": 104_678_400, "dedup_ratio": 0.897,
        })
    );
    assert_eq!(
        serde_json::to_value(only(image("mail01_1795316400", json!({})))).unwrap(),
        json!({
            "source": "netbackup", "job_id": "mail01_1795316400", "client": "mail01",
            "policy": "daily", "policy_type": "ms_windows", "schedule": "Full",
            "schedule_type": "full", "started_at": "2026-11-22T03:00:00Z",
            "duration_seconds": 90.0, "status": "succeeded", "exit_code": 0,
            "image_bytes": 253_782_016, "file_count": 1200, "transferred_bytes": 104_678_400,
        })
    );
}

#[test]
fn pages_come_in_many_ways() {
    let jobs = [1, 2, 3].map(|id| job(json!({"jobId": id})));
    let [first, second] = [page(&jobs[..2]), page(&jobs[2..])];
    let found = |input: &str| {
        assert_eq!(
            recognise(input.as_bytes()).unwrap().format,
            FORMAT,
            "{input}"
        );
        let jobs = outline::jobs(input, FORMAT);
        jobs.iter()
            .map(|job| job.job_id().to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(found(&first), ["1", "2"]);
    assert_eq!(found(&format!("{first}\n{second}")), ["1", "2", "3"]);
    assert_eq!(found(&format!("{first}{second}")), ["1", "2", "3"]);
    assert_eq!(found(&format!("[{first},{second}]")), ["1", "2", "3"]);
    // The answer to a request by number.
    let single = json!({"data": jobs[0]}).to_string();
    assert_eq!(found(&single), ["1"]);
    let nothing = "ended: holds no backup job: no page has a job or an image in its `data`";
    assert_eq!(outlined(page(&[])), [nothing]);
}

#[test]
fn the_streams_of_a_backup_are_one_job() {
    let stream = |id, parent| job(json!({"jobId": id, "parentJobId": parent}));
    let parent = job(json!({"jobId": 10, "childCount": 2, "kilobytesTransferred": 0}));
    // Over the end of a page.
    let input = [
        page(&[stream(12, 10), stream(11, 10)]),
        page(std::slice::from_ref(&parent)),
    ]
    .concat();
    let found = outline::job(input, FORMAT);
    assert_eq!(found.job_id().as_str(), "10/mail01");
    assert_eq!(found.image().file_count, Some(2400));
    // Its children may be on a page that is not there.
    assert_eq!(
        outlined(page(&[parent])),
        ["line 1, element 1: skipped, a parent job, whose children carry the data"]
    );
}

#[test]
fn jobs_that_are_no_finished_backups_are_skipped() {
    let skipped = |changes| {
        let found = outlined(page(&[job(changes)]));
        let why = found[0].strip_prefix("line 1, element 1: skipped, ");
        why.unwrap_or_else(|| panic!("{found:?}")).to_owned()
    };
    assert_eq!(skipped(json!({"jobType": "RESTORE"})), "a restore");
    assert_eq!(skipped(json!({"jobType": "DUPLICATE"})), "a duplication");
    assert_eq!(
        skipped(json!({"jobType": "INSTANT_ACCESS"})),
        "a job that is no backup"
    );
    for end in ["1970-01-01T00:00:00.000Z", "0001-01-01T00:00:00Z"] {
        assert_eq!(
            skipped(json!({"state": "ACTIVE", "endTime": end})),
            "running"
        );
    }
    assert_eq!(
        skipped(json!({"state": "QUEUED", "startTime": null})),
        "queued"
    );
    let other = json!({"type": "alert", "id": "1", "attributes": {"severity": 3}});
    assert_eq!(
        outlined(page(&[other])),
        ["line 1, element 1: skipped, neither a job nor an image"]
    );
    let imported = image("a_1795316400", json!({"imageType": "PRE_IMPORT"}));
    assert_eq!(
        outlined(page(&[imported])),
        ["line 1, element 1: skipped, an imported image"]
    );
    let running = json!({"kbytes": 0, "elapsedTimeSeconds": 0, "numberFragments": 0});
    let running = image("a_1795316400", running);
    assert_eq!(
        outlined(page(&[running])),
        ["line 1, element 1: skipped, running"]
    );
}

#[test]
fn a_job_without_an_end_has_its_length() {
    for (length, end) in [
        ("00:01:30", json!(null)),
        ("PT90S", json!("1970-01-01T00:00:00.000Z")),
    ] {
        let read = only(job(json!({"elapsedTime": length, "endTime": end})));
        assert_eq!(
            (read.ended_at(), read.duration_seconds()),
            (None, Some(90.0))
        );
    }
}

#[test]
fn a_rate_is_a_share() {
    let ratio = |percent: Value| {
        only(job(json!({"dedupRatio": percent})))
            .image()
            .dedup_ratio
    };
    assert_eq!(ratio(json!(100.0)), Some(1.0));
    assert_eq!(ratio(json!(100)), Some(1.0));
    assert_eq!(ratio(json!(100.000_02)), Some(1.0));
    assert_eq!(ratio(json!(104)), None);
    assert_eq!(ratio(json!(-1.0)), None);
    assert_eq!(ratio(json!(null)), None);
}

#[test]
fn bytes_that_are_called_kilobytes_are_not_believed() {
    let moved = |kilobytes| {
        let changes = json!({"kbytes": 1000, "kbytesDataTransferred": kilobytes});
        only(image("a_1795316400", changes))
            .image()
            .transferred_bytes
    };
    assert_eq!(moved(json!(1100)), Some(1100 * 1024));
    assert_eq!(moved(json!(1_024_000)), None);
    assert_eq!(moved(json!(0)), None);
}

#[test]
fn one_attribute_is_wrong() {
    let refused = |changes| {
        let input = page(&[job(changes), job(json!({"jobId": 2}))]);
        let found = outlined(input);
        assert_eq!(found[1..], ["line 1, element 2: 2 succeeded"], "{found:?}");
        found[0].clone()
    };
    let at = "bad line 1, element 1: `attributes.";
    assert_eq!(
        refused(json!({"kilobytesTransferred": -1})),
        format!(
            "{at}kilobytesTransferred`: invalid value: integer `-1`, must be a whole number from 0"
        )
    );
    assert_eq!(
        refused(json!({"kilobytesTransferred": 9_223_372_036_854_775_809_u64})),
        format!(
            "{at}kilobytesTransferred` is 9223372036854775809 KB: must be at most 18014398509481983"
        )
    );
    assert_eq!(
        refused(json!({"elapsedTime": "soon"})),
        format!("{at}elapsedTime` is \"soon\": must be a length such as PT5M46S or 00:05:46")
    );
    assert_eq!(
        refused(json!({"state": "ASLEEP"})),
        format!("{at}state` is \"ASLEEP\": must be DONE or a state before")
    );
    assert_eq!(
        refused(json!({"status": null})),
        format!("{at}status` is missing")
    );
    assert_eq!(
        refused(json!({"startTime": null})),
        format!("{at}startTime` is missing")
    );
    assert_eq!(
        refused(json!({"startTime": "2026-11-22T03:00:00"})),
        format!(
            "{at}startTime`: \"2026-11-22T03:00:00\" must be an RFC 3339 time with a zone, such as \
             2026-11-22T03:00:00Z"
        )
    );
}

#[test]
fn the_most_files_are_read_to_the_last() {
    let past = (1_u64 << 63) + 1;
    for element in [
        job(json!({"numberOfFiles": past})),
        image("a_1795316400", json!({"numFiles": past})),
    ] {
        assert_eq!(only(element).image().file_count, Some(past));
    }
}

/// A sum without it would look like lost data.
#[test]
fn a_backup_with_a_stream_that_cannot_be_read_is_not_judged_by_the_rest() {
    let parent = job(json!({"jobId": 10, "childCount": 2}));
    let stream = |id, changes: Value| {
        let mut stream = job(json!({"jobId": id, "parentJobId": 10}));
        change(&mut stream["attributes"], &changes);
        stream
    };
    for wrong in [
        json!({"numberOfFiles": -1}),
        json!({"startTime": "yesterday"}),
        json!({"policyName": 7}),
        json!({"state": null}),
    ] {
        let input = page(&[parent.clone(), stream(11, json!({})), stream(12, wrong)]);
        let found = outlined(input);
        assert_eq!(
            found[1],
            "line 1, element 2: skipped, a stream of a backup of which another record is bad"
        );
        assert!(
            found[2].starts_with("bad line 1, element 3: `attributes."),
            "{found:?}"
        );
    }
}

#[test]
fn a_backup_of_which_an_image_is_being_written_waits() {
    let running = json!({"kbytes": 0, "elapsedTimeSeconds": 0, "numberFragments": 0});
    let images = [
        image("mail01_1795316400", json!({})),
        image("mail01_1795316401", running),
    ];
    assert_eq!(
        outlined(page(&images)),
        [
            "line 1, element 1: skipped, a stream of a backup that has not ended",
            "line 1, element 2: skipped, running"
        ]
    );
}

#[test]
fn a_request_was_refused() {
    let refusal = include_str!("../fixtures/netbackup-error.json");
    let error = "is no list of jobs, but the error 8700: Your session or token has expired, or is \
                 not valid.";
    assert_eq!(recognise(refusal.as_bytes()).unwrap().format, FORMAT);
    assert_eq!(outlined(refusal), [format!("ended: {error}")]);
    // What came before it is read.
    let input = format!("{}\n{refusal}", page(&[job(json!({}))]));
    assert_eq!(
        outlined(input),
        [
            "line 1, element 1: 4711 succeeded".to_owned(),
            format!("ended: {error}")
        ]
    );
}

#[test]
fn streams_before_a_cut_are_not_judged_by_themselves() {
    let stream = |id| job(json!({"jobId": id, "parentJobId": 10}));
    let whole = page(&[stream(12), stream(11), job(json!({"jobId": 9}))]);
    let end = whole.find("\"jobId\":9").unwrap();
    assert_eq!(
        outlined(&whole)[0],
        "line 1, element 1: 10/mail01 succeeded"
    );
    let found = outlined(&whole[..end]);
    assert!(
        found[0].ends_with("a stream of a backup whose parent is not in the list"),
        "{found:?}"
    );
}

#[test]
fn a_document_is_cut() {
    let whole = page(&[job(json!({"jobId": 1})), job(json!({"jobId": 2}))]);
    let at = whole.find("\"jobId\":2").unwrap();
    assert_eq!(
        outlined(&whole[..at]),
        [
            "line 1, element 1: 1 succeeded",
            "bad line 1, element 2: cut off in the middle of the record"
        ]
    );
    assert_eq!(
        outlined("HTTP/1.1 200 OK\n"),
        [
            "ended: is not netbackup-rest: must be JSON, as NetBackup's REST interface answers, but \
          begins with \"HTTP/1.1 200 OK\\n\""
        ]
    );
}
