//! Bareos and Bacula: what their catalogue says, and what it leaves to be known.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bodies;
mod shared;

use std::fmt::Write as _;

use anomaly_model::chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use anomaly_model::{BackupImage, BackupJob, JobStatus, ScheduleType};
use anomaly_sources::{Format, ReadOptions, Record, Timezone, read};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use shared::outline;

/// The columns of a row, with values that are fine.
const ROW: [(&str, &str); 16] = [
    ("JobId", "7"),
    ("Name", "Night"),
    ("Type", "B"),
    ("Level", "F"),
    ("Client", "web01-fd"),
    ("JobStatus", "T"),
    ("SchedTime", "2026-11-22 03:00:00"),
    ("StartTime", "2026-11-22 03:00:02"),
    ("EndTime", "2026-11-22 03:10:02"),
    ("RealEndTime", "2026-11-22 03:10:02"),
    // 02:10:02 UTC: the director's clock is an hour ahead.
    ("JobTDate", "1795313402"),
    ("JobFiles", "61"),
    ("JobBytes", "634911"),
    ("ReadBytes", "827816"),
    ("JobErrors", "0"),
    ("JobMissingFiles", "0"),
];

/// The row with some values changed, as CSV with a line of names.
fn row(changes: &[(&str, &str)]) -> String {
    let value = |name: &str, usual: &str| {
        let change = changes.iter().find(|(other, _)| *other == name);
        change.map_or(usual, |(_, value)| value).to_owned()
    };
    let names = ROW.map(|(name, _)| name).join(",");
    let values = ROW.map(|(name, usual)| value(name, usual)).join(",");
    format!("{names}\n{values}\n")
}

fn catalogue(input: &str, options: &ReadOptions) -> Vec<String> {
    outline(input.as_bytes(), Format::BareosCatalogue, options)
}

/// What is said of one row.
fn said(changes: &[(&str, &str)]) -> String {
    let [said] = catalogue(&row(changes), &ReadOptions::default())
        .try_into()
        .unwrap();
    said
}

fn job(input: &str, options: &ReadOptions) -> BackupJob {
    let mut records = read(input.as_bytes(), Format::BareosCatalogue, options).unwrap();
    records.next().unwrap().unwrap().job().unwrap()
}

fn zone(name: &str) -> ReadOptions {
    ReadOptions::default().timezone(name.parse::<Timezone>().unwrap())
}

#[test]
fn letters_say_what_a_job_was_and_how_it_ended() {
    for (status, errors, word) in [
        ("T", "0", "succeeded"),
        ("T", "3", "partial"),
        ("W", "0", "partial"),
        ("I", "0", "partial"),
        ("e", "0", "partial"),
        ("E", "1", "failed"),
        ("f", "0", "failed"),
        ("A", "0", "cancelled"),
    ] {
        let said = said(&[("JobStatus", status), ("JobErrors", errors)]);
        assert_eq!(said, format!("line 2: 7 {word}"), "{status}");
    }
    for status in [
        "C", "R", "B", "F", "S", "m", "M", "s", "j", "c", "d", "t", "p", "a", "i", "l", "L", "q",
    ] {
        assert_eq!(
            said(&[("JobStatus", status)]),
            "line 2: skipped, has not ended"
        );
    }
    for (kind, what) in [
        ("R", "a restore"),
        ("V", "a verification"),
        ("C", "a copy of a backup"),
        ("c", "a copy of a backup"),
        ("g", "a migration of backups"),
        ("O", "a consolidation of backups"),
        ("A", "an archive job"),
        ("D", "an admin job"),
    ] {
        assert_eq!(said(&[("Type", kind)]), format!("line 2: skipped, {what}"));
    }
    // Its data were moved to another pool since.
    assert_eq!(said(&[("Type", "M")]), "line 2: 7 succeeded");
    for (column, value, message) in [
        (
            "Type",
            "X",
            "`Type` is \"X\": must be a type of job, such as B for a backup",
        ),
        (
            "JobStatus",
            "D",
            "`JobStatus` is \"D\": must be a status of a backup, such as T",
        ),
        (
            "JobStatus",
            "OK",
            "`JobStatus` is \"OK\": must be one letter",
        ),
        ("JobStatus", "", "`JobStatus` is missing"),
        ("JobErrors", "", "`JobErrors` is missing"),
    ] {
        assert_eq!(said(&[(column, value)]), format!("bad line 2: {message}"));
    }
}

#[test]
fn a_differential_backup_is_cumulative() {
    for (level, schedule_type) in [
        ("F", Some(ScheduleType::Full)),
        ("D", Some(ScheduleType::CumulativeIncremental)),
        ("I", Some(ScheduleType::DifferentialIncremental)),
        ("B", Some(ScheduleType::Other)),
        (" ", None),
    ] {
        let job = job(&row(&[("Level", level)]), &ReadOptions::default());
        assert_eq!(job.schedule().schedule_type, schedule_type, "{level}");
    }
}

#[test]
fn what_is_made_of_earlier_backups_is_no_backup_of_the_client() {
    let skipped = "line 2: skipped, made of earlier backups, not from the client";
    assert_eq!(said(&[("Level", "f")]), skipped);
    // Bacula says `F` when a virtual full backup has ended; its times are those of its last part.
    let later = ("RealEndTime", "2026-11-22 05:00:00");
    assert_eq!(said(&[later, ("ReadBytes", "0")]), skipped);
    assert_eq!(said(&[later]), "line 2: 7 succeeded");
}

#[test]
fn what_was_not_counted_is_missing() {
    let image = |changes: &[(&str, &str)]| *job(&row(changes), &ReadOptions::default()).image();
    let all = image(&[]);
    let expected = BackupImage::default()
        .image_bytes(827_816)
        .file_count(61)
        .transferred_bytes(827_816)
        .stored_bytes(634_911);
    assert_eq!(all, expected);
    // NDMP does not count what it reads.
    let ndmp = image(&[("ReadBytes", "0")]);
    assert_eq!((ndmp.image_bytes, ndmp.stored_bytes), (None, Some(634_911)));
    // Nothing had changed.
    let nothing = image(&[("ReadBytes", "0"), ("JobBytes", "0")]);
    assert_eq!(
        (nothing.image_bytes, nothing.stored_bytes),
        (Some(0), Some(0))
    );
}

#[test]
fn numbers_have_sixty_four_bits() {
    let past = "18446744073709551615";
    let image = *job(&row(&[("JobBytes", past)]), &ReadOptions::default()).image();
    assert_eq!(image.stored_bytes, Some(u64::MAX));
    for number in [
        "18446744073709551616",
        "-1",
        "1.5",
        "many",
        "\"1,5\"",
        "1e3",
    ] {
        let shown = number.trim_matches('"');
        assert_eq!(
            said(&[("ReadBytes", number)]),
            format!(
                "bad line 2: `ReadBytes` is \"{shown}\": must be a whole number from 0 to {past}"
            )
        );
    }
    assert_eq!(said(&[("JobId", "")]), "bad line 2: `JobId` is missing");
}

#[test]
fn the_end_in_utc_says_how_far_the_clock_was_ahead() {
    let times = |changes: &[(&str, &str)], options: &ReadOptions| {
        let job = job(&row(changes), options);
        let time = |time: DateTime<Utc>| time.format("%d %T").to_string();
        (time(job.started_at()), job.ended_at().map(time))
    };
    let none = ReadOptions::default();
    let usual = ("22 02:00:02".to_owned(), Some("22 02:10:02".to_owned()));
    assert_eq!(times(&[], &none), usual);
    assert_eq!(times(&[], &zone("Europe/Berlin")), usual);
    // Nepal is a quarter of an hour off India, Chatham is 13:45 ahead in summer.
    for (offset, name) in [(20_700, "Asia/Kathmandu"), (49_500, "Pacific/Chatham")] {
        let epoch = (1_795_317_002 - offset).to_string();
        let there = times(&[("JobTDate", &epoch)], &none);
        assert_eq!(there, times(&[("JobTDate", &epoch)], &zone(name)), "{name}");
    }
    // One that was cancelled while it waited, and one that the director forgot when it was killed.
    let waited = [("StartTime", ""), ("JobStatus", "A")];
    assert_eq!(times(&waited, &none).0, "22 02:00:00");
    let forgotten = [
        ("EndTime", ""),
        ("RealEndTime", "0000-00-00 00:00:00"),
        ("JobTDate", "1795312802"),
    ];
    assert_eq!(times(&forgotten, &none), ("22 02:00:02".to_owned(), None));
}

#[test]
fn without_the_end_in_utc_it_takes_the_zone() {
    let needed = ["ended: bareos-catalogue does not say the timezone: give it as an option"];
    for odd in ["0", "", "1795313403", "1795000000"] {
        let rows = row(&[("JobTDate", odd)]);
        assert_eq!(catalogue(&rows, &ReadOptions::default()), needed, "{odd}");
        assert_eq!(
            catalogue(&rows, &zone("Europe/Berlin")),
            ["line 2: 7 succeeded"],
            "{odd}"
        );
    }
    assert_eq!(
        catalogue(&row(&[]), &zone("America/St_Johns")),
        [
            "bad line 2: `EndTime` and `JobTDate` show that the director's clock was at +01:00 from \
          UTC, which that of America/St_Johns was not: is that the zone?"
        ]
    );
}

#[test]
fn clocks_are_set_while_a_job_runs() {
    let none = ReadOptions::default();
    let berlin = zone("Europe/Berlin");
    let seconds = |rows: &str, options: &ReadOptions| job(rows, options).duration_seconds();
    let night = |start: &'static str, end: &'static str, epoch: &'static str| {
        row(&[
            ("StartTime", start),
            ("EndTime", end),
            ("RealEndTime", end),
            ("JobTDate", epoch),
        ])
    };
    // From 02:50 in summer time to 02:10 in winter time: 20 minutes.
    let back = night("2026-10-25 02:50:00", "2026-10-25 02:10:00", "1792890600");
    assert_eq!(seconds(&back, &berlin), Some(1200.0));
    assert_eq!(
        catalogue(&back, &none),
        [
            "bad line 2: `EndTime` is before `StartTime`: if clocks were set back in between, give the \
          time zone as an option"
        ]
    );
    // From 01:50 to 03:10: 20 minutes, which only the zone knows.
    let forth = night("2026-03-29 01:50:00", "2026-03-29 03:10:00", "1774746600");
    assert_eq!(seconds(&forth, &berlin), Some(1200.0));
    assert_eq!(seconds(&forth, &none), Some(4800.0));
    let never = night("2026-03-29 02:30:00", "2026-03-29 03:10:00", "1774746600");
    assert_eq!(
        catalogue(&never, &berlin),
        [
            "bad line 2: `StartTime` is 2026-03-29T02:30:00, which clocks in Europe/Berlin skipped: is \
          that the zone?"
        ]
    );
    let odd = night("yesterday", "2026-03-29 03:10:00", "1774746600");
    assert_eq!(
        catalogue(&odd, &berlin),
        ["bad line 2: `StartTime` is \"yesterday\": must be a time such as 2026-11-22 03:00:00"]
    );
}

#[test]
fn a_job_without_a_client() {
    let gone = "line 2: skipped, its client is no longer in the catalogue";
    assert_eq!(said(&[("Client", "")]), gone);
    let given = ReadOptions::default().client("web01".to_owned());
    assert_eq!(
        job(&row(&[("Client", "")]), &given).client().name.as_str(),
        "web01"
    );

    // The table of jobs alone, and with that of the clients before it.
    let jobs = row(&[("Client", "3")]).replace("Client", "ClientId");
    let needed = ["ended: bareos-catalogue does not say the client: give it as an option"];
    assert_eq!(catalogue(&jobs, &ReadOptions::default()), needed);
    assert_eq!(job(&jobs, &given).client().name.as_str(), "web01");
    let clients = |id: &str| {
        format!("ClientId,Name,Uname,AutoPrune\n{id},\"web,\n01\",\"23.0, \"\"x\"\"\",0\n")
    };
    let both = clients("3") + &jobs;
    assert_eq!(
        job(&both, &ReadOptions::default()).client().name.as_str(),
        "web,\n01"
    );
    assert_eq!(
        catalogue(&(clients("4") + &jobs), &ReadOptions::default()),
        ["line 5: skipped, its client is no longer in the catalogue"]
    );
}

#[test]
fn exports_of_several_programs_and_versions() {
    // One after another, the second without a column.
    let short: String = row(&[("JobId", "8")])
        .lines()
        .map(|line| line.rsplit_once(',').unwrap().0.to_owned() + "\n")
        .collect();
    let input = row(&[]) + &short + "9,too,few\n";
    assert_eq!(
        catalogue(&input, &ReadOptions::default()),
        [
            "line 2: 7 succeeded",
            "line 4: 8 succeeded",
            "bad line 5: has 3 columns, but the line with their names 15"
        ]
    );
    // Names of columns are names that a job and a client can have.
    let like_names = [("JobId", "8"), ("Name", "JobId"), ("Client", "JobStatus")];
    let alike = row(&like_names).lines().nth(1).unwrap().to_owned() + "\n";
    assert_eq!(
        catalogue(
            &(row(&[]) + &alike + "9,too,few\n"),
            &ReadOptions::default()
        ),
        [
            "line 2: 7 succeeded",
            "line 3: 8 succeeded",
            "bad line 4: has 3 columns, but the line with their names 16"
        ]
    );
    // MySQL parts columns by tabs, and others by semicolons.
    for separator in ["\t", ";"] {
        let input = row(&[("SchedTime", "NULL")]).replace(',', separator);
        assert_eq!(
            catalogue(&input, &ReadOptions::default()),
            ["line 2: 7 succeeded"]
        );
    }
    let open = row(&[("Name", "\"Night")]) + &row(&[]);
    assert_eq!(
        catalogue(&open, &ReadOptions::default()),
        [
            "bad line 2: has a quote that is not closed within the length of a record",
            "line 4: 7 succeeded"
        ]
    );
    // No rows are no failure: a query may find nothing new.
    let names = row(&[]).lines().next().unwrap().to_owned();
    assert!(catalogue(&names, &ReadOptions::default()).is_empty());
    let [other] = catalogue("a,b\n1,2\n", &ReadOptions::default())
        .try_into()
        .unwrap();
    assert!(
        other.starts_with("ended: is not bareos-catalogue: must be CSV whose first"),
        "{other}"
    );
}

#[test]
fn what_the_console_says_besides() {
    let llist = |input: &str, options: &ReadOptions| {
        outline(input.as_bytes(), Format::BareosLlist, options)
    };
    let none = ReadOptions::default();
    let columns: String = ROW
        .map(|(name, value)| format!("{name:>16}: {value}\n"))
        .concat();
    let console =
        format!("Connecting to Director\n1000 OK: dir\n{columns}\n{columns}You have messages.\n");
    assert_eq!(
        llist(&console, &none),
        ["line 3: 7 succeeded", "line 20: 7 succeeded"]
    );
    assert_eq!(
        llist("Connecting to Director\n", &none),
        ["ended: holds no backup job: no line of it has a `jobid:`, as `llist jobs` prints it"]
    );
    // Whatever the end lacks: a digit of the errors, too.
    for column in ["JobStatus", "JobErrors: ", "JobMissingFiles"] {
        let cut = &columns[..columns.find(column).unwrap() + column.len()];
        assert_eq!(
            llist(cut, &none),
            ["bad line 1: cut off in the middle of the record"]
        );
    }
    let long = columns.replace("Night", &"n".repeat(300));
    assert_eq!(
        llist(&(long + &columns), &none.max_record_bytes(320)),
        [
            "bad line 1: longer than 320 bytes, the most that is read of one record",
            "line 17: 7 succeeded"
        ]
    );

    let json = |input: &str| {
        outline(
            input.as_bytes(),
            Format::BareosJson,
            &ReadOptions::default(),
        )
    };
    let nothing = "ended: holds no backup job: there is nothing in a list of jobs, as `llist jobs` prints \
                   it after `.api 2`";
    assert_eq!(
        json(r#"{"jsonrpc":"2.0","error":{"code":1,"message":"failed"}}"#),
        [nothing]
    );
    assert_eq!(
        json("Connecting\n{\"result\":{\"jobs\":[]}}\nquit\n"),
        [nothing]
    );
    // Numbers as numbers, a name that is none, and an end that never comes.
    let object =
        json!({"result": {"jobs": [{"jobid": 7, "type": "B", "jobstatus": "T", "client": null,
        "starttime": "2026-11-22T03:00:00Z"}, 5]}})
        .to_string();
    assert_eq!(
        json(&object[..object.len() - 3]),
        [
            "line 1, element 1: skipped, its client is no longer in the catalogue",
            "bad line 1, element 2: invalid type: integer `5`, expected a map",
            "bad line 1: the list is cut off here"
        ]
    );
}

/// A job, and its row on a clock at some offset.
fn printed() -> impl Strategy<Value = (BackupJob, Vec<(&'static str, String)>)> {
    let names = (
        0..u32::MAX,
        "[a-z]{1,3}[\\PC,;\"]{0,5}x",
        "[a-z]{1,3}[\\PC,;\"]{0,5}x",
    );
    let times = (86_400..7_000_000_000_i64, 0..1_000_000_i64, -48..=56_i32);
    let numbers = (any::<u64>(), any::<u64>(), 1..u64::MAX);
    let level = select(vec![
        ("F", ScheduleType::Full),
        ("D", ScheduleType::CumulativeIncremental),
        ("I", ScheduleType::DifferentialIncremental),
    ]);
    let status = select(vec![
        ("T", JobStatus::Succeeded),
        ("W", JobStatus::Partial),
        ("f", JobStatus::Failed),
        ("A", JobStatus::Cancelled),
    ]);
    (names, times, numbers, level, status).prop_map(
        |(
            (id, client, name),
            (start, length, quarters),
            (files, bytes, read),
            (level, schedule_type),
            (letter, status),
        )| {
            let start = DateTime::from_timestamp(start, 0).unwrap();
            let end = start + TimeDelta::seconds(length);
            let clock = FixedOffset::east_opt(quarters * 900).unwrap();
            let local =
                |time: DateTime<Utc>| time.with_timezone(&clock).format("%F %T").to_string();
            let job = BackupJob::builder("bareos", id.to_string(), &client, &name, start)
                .ended_at(end)
                .status(status)
                .schedule_type(schedule_type)
                .image(
                    BackupImage::default()
                        .image_bytes(read)
                        .transferred_bytes(read)
                        .stored_bytes(bytes)
                        .file_count(files),
                )
                .build()
                .unwrap();
            let row = vec![
                ("JobId", id.to_string()),
                ("Name", name),
                ("Type", "B".to_owned()),
                ("Level", level.to_owned()),
                ("Client", client),
                ("JobStatus", letter.to_owned()),
                ("StartTime", local(start)),
                ("EndTime", local(end)),
                ("RealEndTime", local(end)),
                ("JobTDate", end.timestamp().to_string()),
                ("JobFiles", files.to_string()),
                ("JobBytes", bytes.to_string()),
                ("ReadBytes", read.to_string()),
                ("JobMissingFiles", "0".to_owned()),
            ];
            (job, row)
        },
    )
}

/// Digits in groups of three, as the console prints them.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(
        jobs in proptest::collection::vec(printed(), 1..8),
        end in select(vec!["\n", "\r\n"]),
        in_capitals in any::<bool>(),
    ) {
        let column = |name: &str| if in_capitals { name.to_owned() } else { name.to_lowercase() };
        let (mut csv, mut text, mut objects) = (String::new(), String::new(), Vec::new());
        for (n, (_, row)) in jobs.iter().enumerate() {
            let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
            let names: Vec<_> = row.iter().map(|(name, _)| column(name)).collect();
            let values: Vec<_> = row.iter().map(|(_, value)| quoted(value)).collect();
            if n == 0 {
                write!(csv, "{}{end}", names.join(",")).unwrap();
            }
            write!(csv, "{}{end}", values.join(",")).unwrap();
            for (name, value) in row {
                let is_number = name.starts_with("Job") && value.bytes().all(|byte| byte.is_ascii_digit());
                let value = if is_number { grouped(value) } else { value.clone() };
                write!(text, "{:>16}: {value}{end}", column(name)).unwrap();
            }
            text.push_str(end);
            objects.push(row.iter().map(|(name, value)| (column(name), json!(value))).collect::<serde_json::Map<_, _>>());
        }
        let document = serde_json::to_string_pretty(&json!({"result": {"jobs": objects}})).unwrap();
        for (format, input) in [
            (Format::BareosCatalogue, csv),
            (Format::BareosLlist, text),
            (Format::BareosJson, document),
        ] {
            let found = read(input.as_bytes(), format, &ReadOptions::default()).unwrap();
            let found: Vec<_> = found.map(|record| record.unwrap()).map(Record::job).collect();
            let expected: Vec<_> = jobs.iter().map(|(job, _)| Some(job.clone())).collect();
            prop_assert_eq!(found, expected, "{}: {}", format, input);
        }
    }

    #[test]
    fn any_text_of_the_right_letters_can_be_read(words in proptest::collection::vec(select(WORDS), 0..60)) {
        let text = words.concat();
        for format in [Format::BareosCatalogue, Format::BareosLlist, Format::BareosJson] {
            bodies::any(text.as_bytes(), format);
        }
        bodies::recognised(text.as_bytes());
    }
}

/// What catalogues are made of.
const WORDS: &[&str] = &[
    "JobId,JobStatus,Type,Level,Name,StartTime,EndTime,JobTDate,JobBytes\n",
    "ClientId,Name,UName\n",
    "7,T,B,F,Night,2026-11-22 03:00:02,2026-11-22 03:10:02,1795313402,5\n",
    "7,T,B,F,Night,2026-03-29 02:30:00,,0,\n",
    "3,web01,x\n",
    "{\"result\":{\"jobs\":[",
    "{\"jobid\":\"7\",\"type\":\"B\",\"jobstatus\":\"T\"",
    ",\"starttime\":\"2026-11-22 03:00:02\"",
    ",\"name\":\"Night\",\"jobtdate\":\"1795309202\"",
    "]}}",
    "\n  jobid: 7\n",
    "  purgedfiles: 0\n   type: B\n   jobstatus: T\n   name: Night\n",
    "  starttime: 2026-11-22 03:00:02\n",
    "  jobtdate: 1,795,309,202\n",
    "\"",
    ",",
    "}",
    "\n",
    "7",
    "-",
];
