//! `bpimagelist -l`, and `-json`.

use anomaly_model::BackupJob;
use anomaly_sources::{Format, recognise};

use crate::outline;

const FORMAT: Format = Format::NetBackupBpimagelist;

/// An image as its line is printed, all 67 columns of it.
struct Image {
    start: u64,
    elapsed: u64,
    kilobytes: &'static str,
    keywords: &'static str,
    description: &'static str,
    moved: u64,
    schedule: &'static str,
    columns: usize,
}

impl Default for Image {
    fn default() -> Self {
        Self {
            start: 1_795_316_400,
            elapsed: 90,
            kilobytes: "247834",
            keywords: "*NULL*",
            description: "*NULL*",
            moved: 102_225,
            schedule: "Full",
            columns: 67,
        }
    }
}

impl Image {
    fn line(&self) -> String {
        let Self {
            start,
            elapsed,
            kilobytes,
            keywords,
            description,
            moved,
            schedule,
            ..
        } = self;
        let line = format!(
            "IMAGE mail01 0 0 14 mail01_{start} daily 0 *NULL* root {schedule} 0 3 {start} {elapsed} \
             0 0 0 {kilobytes} 1200 1 1 0 f.f *NULL* *NULL* 0 1 0 0 0 {keywords} 0 0 0 0 0 0 0 \
             {description} 0 1 0 *NULL* 4711 0 0 3124 0 0 *NULL* *NULL* 0 0 0 0 primary1 5d7a 0 0 0 \
             {moved} 0 0 0 0 *NULL*"
        );
        let columns: Vec<_> = line.split(' ').collect();
        columns[..columns.len().min(self.columns)].join(" ")
    }
}

fn only(image: &Image) -> BackupJob {
    let lines = format!("{}\nHISTO -1 -1 -1\nFRAG 1 1 247834 0 0 0\n", image.line());
    outline::job(lines, FORMAT)
}

fn outlined(input: impl AsRef<[u8]>) -> Vec<String> {
    outline::outline(input, FORMAT)
}

#[test]
fn every_column_is_where_it_belongs() {
    assert_eq!(
        serde_json::to_value(only(&Image::default())).unwrap(),
        serde_json::json!({
            "source": "netbackup", "job_id": "mail01_1795316400", "client": "mail01",
            "policy": "daily", "policy_type": "standard", "schedule": "Full",
            "schedule_type": "full", "started_at": "2026-11-22T03:00:00Z",
            "duration_seconds": 90.0, "status": "partial", "exit_code": 1,
            "image_bytes": 253_782_016, "file_count": 1200, "transferred_bytes": 104_678_400,
        })
    );
}

#[test]
fn older_lines_are_shorter() {
    let known = |columns| {
        let job = only(&Image {
            columns,
            ..Image::default()
        });
        assert_eq!(job.image().image_bytes, Some(253_782_016));
        (job.exit_code(), job.image().transferred_bytes.is_some())
    };
    // One column after the KB that were moved tells that it is them.
    assert_eq!(known(63), (Some(1), true));
    assert_eq!(known(62), (Some(1), false));
    for columns in [50, 54, 55, 58] {
        assert_eq!(known(columns), (Some(1), false));
    }
    assert_eq!(known(22), (None, false));
    let cut = Image {
        columns: 21,
        ..Image::default()
    }
    .line();
    assert_eq!(
        outlined(cut),
        ["bad line 1: cut off after 21 columns, or no image as `bpimagelist -l` prints it"]
    );
}

#[test]
fn a_list_is_cut() {
    let newer = Image {
        start: 1_795_320_000,
        ..Image::default()
    }
    .line();
    let older = Image::default().line();
    let list = format!("{newer}\nHISTO -1\n{older}");
    assert_eq!(outlined(&list).len(), 2);
    let end = list.rfind(' ').unwrap();
    assert_eq!(
        outlined(&list[..end]),
        [
            "line 1: skipped, an image of a backup that may go on where the list is cut",
            "bad line 3: cut off in the middle of the record"
        ]
    );
}

#[test]
fn a_status_of_2012_is_no_size() {
    for moved in [0, 9] {
        let job = only(&Image {
            moved,
            ..Image::default()
        });
        assert_eq!(job.image().transferred_bytes, None);
    }
    let job = only(&Image {
        moved: 10,
        ..Image::default()
    });
    assert_eq!(job.image().transferred_bytes, Some(10_240));
}

#[test]
fn texts_of_several_words_move_what_follows() {
    let job = only(&Image {
        keywords: "nightly run of 2026",
        description: "before the move",
        columns: usize::MAX,
        ..Image::default()
    });
    assert_eq!(job.exit_code(), Some(1));
    assert_eq!(job.image().transferred_bytes, Some(104_678_400));
}

#[test]
fn images_whose_times_overlap_are_one_backup() {
    let image = |start: u64, elapsed, schedule| {
        let image = Image {
            start: 1_795_316_400 + start,
            elapsed,
            schedule,
            ..Image::default()
        };
        image.line()
    };
    let images = |images: &[String]| {
        let jobs = outline::jobs(images.join("\n"), FORMAT);
        let of = |job: BackupJob| {
            let id = job.job_id().to_string();
            (
                id.rsplit_once('_').unwrap().1[7..].to_owned(),
                job.image().file_count,
                job.duration_seconds(),
            )
        };
        jobs.into_iter().map(of).collect::<Vec<_>>()
    };
    let one = |id: &str, files, seconds: u32| (id.to_owned(), Some(files), Some(seconds.into()));
    // Each overlaps with one other, and the last to come joins them.
    let [a, b, c] = [
        image(0, 90, "Full"),
        image(80, 90, "Full"),
        image(160, 90, "Full"),
    ];
    let together = [one("400", 3600, 250)];
    for order in [[&a, &b, &c], [&c, &b, &a], [&a, &c, &b], [&b, &a, &c]] {
        assert_eq!(images(&order.map(Clone::clone)), together);
    }
    // One after the other, or of another schedule.
    assert_eq!(
        images(&[a.clone(), c]),
        [one("400", 1200, 90), one("560", 1200, 90)]
    );
    let incremental = image(80, 90, "Incr");
    assert_eq!(
        images(&[a.clone(), incremental]),
        [one("400", 1200, 90), one("480", 1200, 90)]
    );
    // Two of the same second, and one that took no time.
    let other = a.replace("mail01_", "mail02_");
    assert_eq!(images(&[a.clone(), other.clone()]), [one("400", 2400, 90)]);
    assert_eq!(
        images(&[image(0, 0, "Full"), other]),
        [one("400", 2400, 90)]
    );
    // The same image twice is one.
    assert_eq!(images(&[a.clone(), a]), [one("400", 1200, 90)]);
}

/// The half that is there would be judged as the whole, and stay.
#[test]
fn a_backup_of_which_an_image_is_being_written_waits() {
    const DAY: u64 = 86_400;
    let ended = |start: u64, schedule| Image {
        start: 1_795_316_400 + start,
        schedule,
        ..Image::default()
    };
    let running = |start: u64| {
        let image = Image {
            elapsed: 0,
            kilobytes: "0",
            ..ended(start, "Full")
        };
        image.line().replacen("1200 1 1 0", "0 1 0 0", 1)
    };
    let told = |image: &Image, running: String| {
        let lines = [image.line(), running];
        let [forward, back] = [lines.join("\n"), [&*lines[1], &*lines[0]].join("\n")];
        let told = |list| {
            let mut found = outlined(list);
            for text in &mut found {
                *text = text[8..].to_owned();
            }
            found.sort_unstable();
            assert_eq!(found.len(), 2, "{found:?}");
            found
        };
        assert_eq!(told(&forward), told(&back));
        told(&forward)
    };
    let not_ended = [
        "skipped, a stream of a backup that has not ended",
        "skipped, running",
    ];
    // It began before, with, or while the other was written.
    for start in [0, 100, 189] {
        assert_eq!(
            told(&ended(100, "Full"), running(start)),
            not_ended,
            "{start}"
        );
    }
    // After that, under another schedule, or so long ago that nobody can wait for it.
    for (image, start) in [
        (ended(100, "Full"), 190),
        (ended(100, "Incr"), 100),
        (ended(DAY, "Full"), 0),
    ] {
        let found = told(&image, running(start));
        assert!(found[0].ends_with("partial"), "{found:?}");
        assert_eq!(found[1], "skipped, running");
    }
    let object = OBJECT.replace("247834,\"num_files", "0,\"num_files");
    let object = object.replace("\"elapsed\":90", "\"elapsed\":0");
    let object = object.replace("\"num_fragments\":1", "\"num_fragments\":0");
    let object = object.replace("mail01_1795316400", "mail01_1795316401");
    assert_eq!(
        outline::outline(format!("{OBJECT}\n{object}"), JSON),
        [
            "line 1: skipped, a stream of a backup that has not ended",
            "line 2: skipped, running"
        ]
    );
}

#[test]
fn no_more_than_some_images_are_held() {
    let image = |n: u64| {
        Image {
            start: 1_700_000_000 + 100 * n,
            ..Image::default()
        }
        .line()
    };
    let lines: Vec<_> = (0..25_000).map(image).collect();
    let jobs = outline::jobs(lines.join("\n"), FORMAT);
    assert_eq!(jobs.len(), 25_000);
    assert!(jobs.iter().map(BackupJob::started_at).is_sorted());
}

#[test]
fn one_column_is_wrong() {
    let good = Image::default().line();
    let refused = |from: &str, to: &str| {
        let bad = good.replacen(from, to, 1);
        let found = outlined(format!("{bad}\n{good}"));
        let jobs = found.iter().filter(|text| text.starts_with("line 2"));
        assert_eq!(jobs.count(), 1, "{found:?}");
        found[0].clone()
    };
    assert_eq!(
        refused("247834", "many"),
        "bad line 1: `kbytes` (column 19) is \"many\": must be a whole number from 0 to \
         18446744073709551615"
    );
    assert_eq!(
        refused("247834", "9223372036854775809"),
        "bad line 1: `kbytes` (column 19) is 9223372036854775809 KB: must be at most \
         18014398509481983"
    );
    assert_eq!(
        refused("247834", "*NULL*"),
        "bad line 1: `kbytes` (column 19) is missing"
    );
    assert_eq!(
        refused("IMAGE", "image"),
        "bad line 1: neither IMAGE, FRAG nor HISTO, as `bpimagelist -l` prints them"
    );
    assert_eq!(
        outlined("HISTO -1\n"),
        ["ended: holds no backup job: no line is an image as `bpimagelist -l` prints it"]
    );
}

#[test]
fn the_most_files_are_read_to_the_last() {
    let line = Image::default().line();
    let job = outline::job(line.replacen(" 1200 ", " 9223372036854775809 ", 1), FORMAT);
    assert_eq!(job.image().file_count, Some((1 << 63) + 1));
}

#[test]
fn images_that_are_no_finished_backups_are_skipped() {
    let imported = Image::default()
        .line()
        .replacen("0 1 0 0 0 *NULL*", "0 1 2 0 0 *NULL*", 1);
    assert_eq!(outlined(imported), ["line 1: skipped, an imported image"]);
    let running = Image {
        elapsed: 0,
        kilobytes: "0",
        ..Image::default()
    };
    let running = running.line().replacen("1200 1 1 0", "0 1 0 0", 1);
    assert_eq!(outlined(running), ["line 1: skipped, running"]);
    // Nothing was new.
    let empty = Image {
        kilobytes: "0",
        ..Image::default()
    };
    assert_eq!(
        outlined(empty.line()),
        ["line 1: mail01_1795316400 partial"]
    );
}

#[test]
fn images_on_media_are_another_list() {
    let line = Image::default().line();
    assert_eq!(recognise(line.as_bytes()).unwrap().format, FORMAT);
    let bpimmedia = "IMAGE mail01 3 mail01_0949949902 daily 0 full 0 3 25 952628302 0 0\n";
    assert!(recognise(bpimmedia.as_bytes()).is_err());
}

const JSON: Format = Format::NetBackupBpimagelistJson;

/// The image of [`Image::default`] as an object.
const OBJECT: &str = r#"{"client_name":"mail01","backupid":"mail01_1795316400","policy_name":"daily","client_type":0,"sched_label":"Full","sched_type":0,"backup_time":1795316400,"elapsed":90,"kbytes":247834,"num_files":1200,"num_fragments":1,"image_type":0,"backup_stat":1,"kilobytes_data_transferred":102225,"frags":[{"KB":247834}]}"#;

#[test]
fn however_an_object_names_its_columns_it_is_the_image_of_the_line() {
    let line = only(&Image::default());
    let rest = r#"{"clientName":"mail01","backupId":"mail01_1795316400","policyName":"daily","policyType":"Standard","scheduleName":"Full","scheduleType":"FULL","backupTime":"2026-11-22T03:00:00.000Z","elapsedTimeSeconds":90,"kbytes":247834,"numFiles":1200,"numberFragments":1,"imageType":"NORMAL","backupStatus":1,"kbytesDataTransferred":102225}"#;
    let texts = r#"{"CLIENT_NAME":"mail01","BACKUPID":"mail01_1795316400","POLICY_NAME":"daily","CLIENT_TYPE":"0","SCHED_LABEL":"Full","SCHED_TYPE":"0","BACKUP_TIME":"1795316400","ELAPSED":"90","KBYTES":"247834","NUM_FILES":"1200","KEYWORDS":"*NULL*","BACKUP_STAT":"1","KILOBYTES_DATA_TRANSFERRED":"102225"}"#;
    for object in [OBJECT, rest, texts] {
        for input in [
            object.to_owned(),
            format!("[{object}]"),
            format!("{{\"images\": [{object}]}}"),
        ] {
            assert_eq!(outline::job(&input, JSON), line, "{input}");
            assert_eq!(recognise(input.as_bytes()).unwrap().format, JSON, "{input}");
        }
    }
}

#[test]
fn a_bad_object_costs_itself() {
    let later = OBJECT.replace("17953164", "17953264");
    let many = OBJECT.replace("247834,\"num", "-5,\"num");
    let past = OBJECT.replace("247834,\"num", "18446744073709551615,\"num");
    let without = OBJECT.replace("\"backup_time\":1795316400,", "");
    let import = OBJECT.replace("\"image_type\":0", "\"image_type\":2");
    let input = format!("{OBJECT}\n{many}\n{past}\n{without}\n{import}\n{{\n5}}\n{later}\n");
    assert_eq!(
        outline::outline(input, JSON),
        [
            "line 1: mail01_1795316400 partial",
            "bad line 2: `kbytes` is -5: must be a whole number from 0 to 18446744073709551615",
            "bad line 3: `kbytes` is 18446744073709551615 KB: must be at most 18014398509481983",
            "bad line 4: `backuptime` is missing",
            "line 5: skipped, an imported image",
            "bad line 6: not valid JSON at line 7, column 1: key must be a string",
            "line 8: mail01_1795326400 partial",
        ]
    );
    let cut = format!("[{OBJECT},{}", &later[..100]);
    assert_eq!(
        outline::outline(cut, JSON),
        [
            "line 1, element 1: skipped, an image of a backup that may go on where the list is cut",
            "bad line 1, element 2: cut off in the middle of the record",
        ]
    );
    assert_eq!(
        outline::outline("[]", JSON),
        ["ended: holds no backup job: no object is an image as `bpimagelist -json` prints it"]
    );
}
