//! CSV files with a mapping.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod shared;

use anomaly_model::BackupJob;
use anomaly_sources::{CsvMapping, Format, ReadOptions, Timezone, read, recognise};

fn with(mapping: &str) -> ReadOptions {
    ReadOptions::default().csv_mapping(CsvMapping::parse(mapping).unwrap())
}

fn outline(input: &str, mapping: &str) -> Vec<String> {
    shared::outline(input.as_bytes(), Format::Csv, &with(mapping))
}

fn jobs(input: &str, mapping: &str) -> Vec<BackupJob> {
    let records = read(input.as_bytes(), Format::Csv, &with(mapping)).unwrap();
    records.filter_map(|record| record.unwrap().job()).collect()
}

/// What a mapping needs at least, for columns `id`, `client` and `start`.
const LEAST: &str = r#"
[constants]
policy = "p"
status = "succeeded"
[columns]
job_id = "id"
client = "client"
started_at = "start"
"#;

const START: &str = "2026-11-22T03:00:00Z";

#[test]
fn the_example_is_read() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data");
    let mapping = std::fs::read_to_string(format!("{data}/veeam-sessions.toml")).unwrap();
    let report = std::fs::read_to_string(format!("{data}/veeam-sessions.csv")).unwrap();
    let found = shared::rendered(&report, Format::Csv, &with(&mapping));
    let golden = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden/veeam-sessions.ndjson"
    );
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(golden, &found).unwrap();
    }
    let expected = std::fs::read_to_string(golden).unwrap();
    assert_eq!(found, expected, "{golden} differs; BLESS=1 writes it anew");
}

#[test]
fn cells_hold_commas_quotes_and_lines() {
    let report = format!(
        "start,client,id,size\n{START},\"mail, \"\"the\"\" first\",\"two\nlines\",\"1,5\"\n{START},b,3,2\n"
    );
    let mapping = format!(
        "decimal_comma = true\n{LEAST}image_bytes = {{ column = \"size\", unit = \"KiB\" }}"
    );
    let found = jobs(&report, &mapping);
    assert_eq!(found[0].client().name.as_str(), "mail, \"the\" first");
    assert_eq!(found[0].job_id().as_str(), "two\nlines");
    assert_eq!(found[0].image().image_bytes, Some(1536));
    assert_eq!(found[1].image().image_bytes, Some(2048));
}

#[test]
fn every_unit_becomes_ours() {
    let read = |field: &str, unit: &str, cell: &str| {
        let mapping = format!("{LEAST}{field} = {{ column = \"x\", unit = \"{unit}\" }}");
        let report = format!("id,client,start,x\n1,a,{START},{cell}\n");
        let job = jobs(&report, &mapping).remove(0);
        serde_json::to_value(&job).unwrap()[field].clone()
    };
    let bytes = |unit: &str, cell: &str| read("image_bytes", unit, cell).as_u64().unwrap();
    assert_eq!(bytes("B", "12"), 12);
    assert_eq!(bytes("KB", "1.5"), 1500);
    assert_eq!(bytes("KiB", "1.5"), 1536);
    assert_eq!(bytes("MB", "3"), 3_000_000);
    assert_eq!(bytes("MiB", "3"), 3 << 20);
    assert_eq!(bytes("GB", "\"1,024\""), 1_024_000_000_000);
    assert_eq!(bytes("GiB", "0.25"), 1 << 28);
    assert_eq!(bytes("TB", "2"), 2_000_000_000_000);
    assert_eq!(bytes("TiB", "2"), 2 << 40);
    assert_eq!(bytes("cell", "12.5 GB"), 12_500_000_000);
    assert_eq!(bytes("cell", "12.5GiB"), 13_421_772_800);
    assert_eq!(bytes("cell", "7 Bytes"), 7);
    assert_eq!(bytes("cell", "980"), 980);
    assert_eq!(bytes("cell_1024", "1 kB"), 1024);
    let seconds = |unit: &str, cell: &str| read("duration_seconds", unit, cell).as_f64().unwrap();
    assert!((seconds("milliseconds", "1500") - 1.5).abs() < 1e-12);
    assert!((seconds("seconds", "90") - 90.0).abs() < 1e-12);
    assert!((seconds("minutes", "1.5") - 90.0).abs() < 1e-12);
    assert!((seconds("hours", "0.5") - 1800.0).abs() < 1e-12);
    assert!((seconds("days", "2") - 172_800.0).abs() < 1e-12);
    assert!((seconds("hh:mm:ss", "26:00:01") - 93_601.0).abs() < 1e-12);
    assert!((seconds("iso8601", "PT1H30M") - 5400.0).abs() < 1e-12);
    let share = |unit: &str, cell: &str| read("dedup_ratio", unit, cell).as_f64().unwrap();
    assert!((share("ratio", "0.875") - 0.875).abs() < 1e-12);
    assert!((share("percent", "87.5 %") - 0.875).abs() < 1e-12);
    assert!((share("percent", "100.0") - 1.0).abs() < 1e-12);
    assert!((share("factor", "8:1") - 0.875).abs() < 1e-12);
    assert!((share("factor", "8x") - 0.875).abs() < 1e-12);
    assert!((share("factor", "10") - 0.9).abs() < 1e-12);
}

#[test]
fn times_are_written_in_many_ways() {
    let start = |settings: &str, cell: &str| {
        let mapping = format!("{settings}\n{LEAST}");
        let report = format!("id;client;start\n1;a;{cell}\n");
        let found = shared::outline(report.as_bytes(), Format::Csv, &with(&mapping));
        if found[0] != "line 2: 1 succeeded" {
            return found[0].clone();
        }
        jobs(&report, &mapping)[0].started_at().to_rfc3339()
    };
    let utc = "2026-11-22T02:00:00+00:00";
    let berlin = "timezone = \"Europe/Berlin\"";
    assert_eq!(start("", "2026-11-22T03:00:00+01:00"), utc);
    assert_eq!(start(berlin, "2026-11-22 03:00:00"), utc);
    assert_eq!(start("time_format = \"epoch\"", "1795312800"), utc);
    assert_eq!(start("time_format = \"epoch_ms\"", "1795312800000"), utc);
    let pattern = |pattern: &str| format!("{berlin}\ntime_format = \"{pattern}\"");
    assert_eq!(start(&pattern("%d.%m.%Y %H:%M"), "22.11.2026 03:00"), utc);
    assert_eq!(
        start(&pattern("%b %e, %Y %I:%M:%S %p"), "Nov 22, 2026 3:00:00 AM"),
        utc
    );
    assert_eq!(
        start(
            &pattern("%Y-%m-%d %H:%M:%S %z"),
            "2026-11-21 18:00:00 -0800"
        ),
        utc
    );
    assert_eq!(
        start(&pattern("%d/%m/%Y"), "22/11/2026"),
        "2026-11-21T23:00:00+00:00"
    );
    assert_eq!(
        start("", "2026-11-22 03:00:00"),
        "ended: csv does not say the timezone: give it as an option"
    );
    assert_eq!(
        start(berlin, "2026-03-29 02:30:00"),
        "bad line 2: `started_at` is 2026-03-29T02:30:00, which clocks in Europe/Berlin skipped: \
         is that the zone?"
    );
    assert_eq!(
        start(&pattern("%d.%m.%Y %H:%M"), "11/22/2026"),
        "bad line 2: `started_at` (column \"start\") is \"11/22/2026\": must be a time in the \
         format \"%d.%m.%Y %H:%M\""
    );
    // The zone of the mapping wins over the option's, which fills its gap.
    let zone = "Asia/Tokyo".parse::<Timezone>().unwrap();
    let report = "id,client,start\n1,a,2026-11-22 11:00:00\n";
    let options = with(LEAST).timezone(zone);
    let job = read(report.as_bytes(), Format::Csv, &options)
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(job.job().unwrap().started_at().to_rfc3339(), utc);
}

#[test]
fn an_end_on_a_clock_that_was_set_back_is_after_the_start() {
    let mapping = format!("timezone = \"Europe/Berlin\"\n{LEAST}ended_at = [\"day\", \"end\"]");
    let report = "id,client,start,day,end\n1,a,2026-10-25 02:30:00,2026-10-25,02:10:00\n";
    let job = jobs(report, &mapping).remove(0);
    assert_eq!(job.duration_seconds(), Some(2400.0));
}

#[test]
fn words_say_how_a_job_ended() {
    let mapping = r#"
        [constants]
        policy = "p"
        [columns]
        job_id = "id"
        client = "id"
        started_at = "start"
        status = { column = "result", words = { OK = "succeeded", Warn = "partial", Running = "skip" } }
        schedule_type = { column = "level", words = { F = "full" }, otherwise = "other" }
        policy_type = { column = "level", words = { F = "files" } }
    "#;
    let rows = ["ok", "WARN ", "running", "Failed", "odd"]
        .map(|word| {
            format!(
                "{word},{START},{word},F
"
            )
        })
        .concat();
    let report = format!("id,start,result,level\n{rows}x,nonsense,Running,D\ny,{START},OK,D\n");
    assert_eq!(
        outline(&report, mapping),
        [
            "line 2: ok succeeded",
            "line 3: WARN partial",
            "line 4: skipped, a record whose status `words` skips",
            "line 5: Failed failed",
            "bad line 6: `status` (column \"result\") is \"odd\": must be one of ok, running, warn, \
             succeeded, partial, failed, cancelled",
            "line 7: skipped, a record whose status `words` skips",
            "line 8: y succeeded",
        ]
    );
    let found = jobs(&report, mapping);
    let of = |job: &BackupJob| {
        let schedule = job.schedule().schedule_type.unwrap().to_string();
        (
            schedule,
            job.policy().policy_type.clone().unwrap().to_string(),
        )
    };
    assert_eq!(of(&found[0]), ("full".to_owned(), "files".to_owned()));
    assert_eq!(of(&found[3]), ("other".to_owned(), "D".to_owned()));
}

#[test]
fn rules_leave_records_out() {
    let report = format!(
        "id,client,start,kind,name\n1,a,{START},Backup,x\n2,a,{START},RESTORE,x\n\
         3,a,{START},backup copy,x\n4,a,{START},Backup,Test\n5,a,{START},,x\n"
    );
    let mapping = format!(
        "only = {{ column = \"kind\", equals = [\"backup\", \"Backup Copy\"] }}\n\
         skip = [{{ column = \"name\", equals = \"test\" }}, {{ column = 1, equals = \"9\" }}]\n{LEAST}"
    );
    let not_taken = "skipped, a record that `only` does not take";
    assert_eq!(
        outline(&report, &mapping),
        [
            "line 2: 1 succeeded".to_owned(),
            format!("line 3: {not_taken}"),
            "line 4: 3 succeeded".to_owned(),
            "line 5: skipped, a record that `skip` leaves out".to_owned(),
            format!("line 6: {not_taken}"),
        ]
    );
}

#[test]
fn reports_have_titles_no_header_and_other_marks() {
    let mapping =
        format!("skip_lines = 2\nmissing = [\"-\", \"n/a\"]\n{LEAST}file_count = \"files\"");
    let report = format!(
        "\n\"Jobs; of, all\nservers\"\n\nid\tclient\tstart\tfiles\n1\ta\t{START}\t-\n2\ta\t{START}\t7\n"
    );
    let found = jobs(&report, &mapping);
    assert_eq!(found.len(), 2);
    let counts: Vec<_> = found.iter().map(|job| job.image().file_count).collect();
    assert_eq!(counts, [None, Some(7)]);
    let numbers = "header = false\ndelimiter = \"|\"\n[constants]\npolicy = \"p\"\nstatus = \"partial\"\n\
                   exit_code = 1\n[columns]\nclient = 2\nstarted_at = 3\njob_id = [2, 1]\n";
    let report = format!("1|a|{START}\n2|\"b|c\"|{START}\n");
    assert_eq!(
        outline(&report, numbers),
        ["line 1: a/1 partial", "line 2: b|c/2 partial"]
    );
    assert_eq!(jobs(&report, numbers)[0].exit_code(), Some(1));
}

#[test]
fn what_no_column_says_is_made_or_taken_from_the_options() {
    let mapping = "[constants]\nstatus = \"succeeded\"\n[columns]\nstarted_at = \"start\"\n";
    let report = format!("start\n{START}\n");
    assert_eq!(
        outline(&report, mapping),
        ["ended: csv does not say the client: give it as an option"]
    );
    let options = with(mapping).client("a".to_owned()).policy("b".to_owned());
    let found = shared::outline(report.as_bytes(), Format::Csv, &options);
    assert_eq!(found, ["line 2: a/b@2026-11-22T03:00:00+00:00 succeeded"]);
}

#[test]
fn one_cell_is_wrong() {
    let refused = |field: &str, cell: &str| {
        let mapping = format!("{LEAST}{field}");
        let report = format!("id,client,start,x\n1,a,{START},{cell}\n2,a,{START},\n");
        let found = outline(&report, &mapping);
        assert_eq!(found[1..], ["line 3: 2 succeeded"], "{found:?}");
        found[0].clone()
    };
    let at = "bad line 2: ";
    assert_eq!(
        refused("file_count = \"x\"", "many"),
        format!("{at}`file_count` (column \"x\") is \"many\": must be a number")
    );
    assert_eq!(
        refused("file_count = \"x\"", "-5"),
        format!("{at}`file_count` is -5: must be a whole number from 0 to 18446744073709551615")
    );
    assert_eq!(
        refused("file_count = 4", "18446744073709551616"),
        format!(
            "{at}`file_count` is 1.8446744073709552e19: must be a whole number from 0 to 18446744073709551615"
        )
    );
    // Past 2^63 it is still a number.
    let job = jobs(
        &format!("id,client,start,x\n1,a,{START},9223372036854775809\n"),
        &format!("{LEAST}file_count = \"x\""),
    );
    assert_eq!(job[0].image().file_count, Some((1 << 63) + 1));
    assert_eq!(
        refused(
            "image_bytes = { column = \"x\", unit = \"KiB\" }",
            "18014398509481984"
        ),
        format!(
            "{at}`image_bytes` (column \"x\") is \"18014398509481984\": must be fewer bytes than 2^64"
        )
    );
    assert_eq!(
        refused(
            "dedup_ratio = { column = \"x\", unit = \"percent\" }",
            "104"
        ),
        format!("{at}`dedup_ratio` is 1.04: must be a number from 0 to 1")
    );
    assert_eq!(
        refused(
            "image_bytes = { column = \"x\", unit = \"cell\" }",
            "12 furlongs"
        ),
        format!(
            "{at}`image_bytes` (column \"x\") is \"12 furlongs\": must be a number and a unit, such as 12.5 GB"
        )
    );
    let cut = outline(&format!("id,client,start,x,y\n2,a,{START},7"), LEAST);
    assert_eq!(cut, ["bad line 2: cut off in the middle of the record"]);
    let cut = outline(&format!("id,client,start\n1,a\n2,a,{START}\n"), LEAST);
    assert_eq!(
        cut,
        [
            "bad line 2: has 2 columns, but `started_at` is in column 3",
            "line 3: 2 succeeded"
        ]
    );
}

#[test]
fn a_file_does_not_fit_its_mapping() {
    assert_eq!(
        outline("id,name,start\n", LEAST),
        ["ended: does not fit the mapping: no column \"client\" among id, name, start"]
    );
    assert_eq!(
        outline("id,client,client,start\n", LEAST),
        [
            "ended: does not fit the mapping: column \"client\" is there twice: name it by its number"
        ]
    );
    // Capital letters make no difference, where there is no column of just this name.
    let report = format!("ID,Client,START,start\n1,a,x,{START}\n");
    assert_eq!(outline(&report, LEAST), ["line 2: 1 succeeded"]);
    let none = shared::outline(
        "a,b\n1,2\n".as_bytes(),
        Format::Csv,
        &ReadOptions::default(),
    );
    assert_eq!(
        none,
        [
            "ended: does not fit the mapping: no column is named like a field of a job: a mapping is \
          needed"
        ]
    );
}

#[test]
fn a_mapping_is_wrong() {
    let refused = |text: &str| CsvMapping::parse(text).unwrap_err().to_string();
    let in_columns = |line: &str| refused(&format!("{}{line}\n", LEAST.trim_start()));
    assert_eq!(
        refused("decimal-comma = true\n[columns]\n")[..60],
        *"line 1: unknown field `decimal-comma`, expected one of `delim"
            .get(..60)
            .unwrap()
    );
    assert!(
        in_columns("image_size = \"x\"")
            .starts_with("line 8: unknown variant `image_size`, expected one of")
    );
    assert_eq!(
        in_columns("image_bytes = { column = \"x\", unit = \"percent\" }"),
        "line 8: the unit of `image_bytes` is one of B, KB, KiB, MB, MiB, ..., cell or cell_1024"
    );
    assert!(
        in_columns("image_bytes = { column = \"x\", unit = \"Kb\" }")
            .starts_with("line 8: unknown variant `Kb`")
    );
    assert_eq!(
        in_columns("client_name = 1\n").split(',').next().unwrap(),
        "line 8: unknown variant `client_name`"
    );
    assert_eq!(
        in_columns("policy = \"x\""),
        "line 2: `policy` has a column and a constant"
    );
    assert_eq!(
        in_columns("file_count = { column = \"x\", format = \"%Y\" }"),
        "line 8: `file_count` has no format"
    );
    assert_eq!(
        in_columns("file_count = { column = \"x\", unit = \"B\" }"),
        "line 8: `file_count` has no unit"
    );
    assert_eq!(
        in_columns("file_count = { column = \"x\", words = { a = \"b\" } }"),
        "line 8: `file_count` has no words"
    );
    assert_eq!(
        in_columns("schedule_type = { column = \"x\", words = { F = \"fool\" } }"),
        "line 8: `schedule_type` is \"fool\": must be one of full, differential_incremental, \
         cumulative_incremental, incremental, user_backup, other"
    );
    assert_eq!(
        in_columns("ended_at = { column = \"x\", format = \"tomorrow\" }"),
        "line 8: \"tomorrow\" is no format of a time: use iso, epoch, epoch_ms, or a strftime format \
         such as \"%d.%m.%Y %H:%M:%S\""
    );
    assert!(
        in_columns("ended_at = { column = \"x\", format = \"%Q\" }")
            .starts_with("line 8: \"%Q\" is no format")
    );
    assert_eq!(
        in_columns("ended_at = 0"),
        "line 8: columns are counted from 1"
    );
    assert_eq!(
        in_columns("ended_at = -1"),
        "line 8: columns are counted from 1"
    );
    assert_eq!(
        in_columns("job_id = []").split('\n').next().unwrap(),
        "line 8: duplicate key"
    );
    assert_eq!(in_columns("schedule = []"), "line 8: the list is empty");
    assert!(
        in_columns("schedule = true")
            .starts_with("line 8: invalid type: boolean `true`, expected a column")
    );
    assert_eq!(
        refused("timezone = \"Berlin\"\n[columns]\n"),
        "line 1: \"Berlin\" is not a time zone: use an IANA name such as Europe/Berlin, or an offset \
         such as +02:00"
    );
    assert_eq!(
        refused("delimiter = \"::\"\n[columns]\nstatus = \"a\"\nstarted_at = \"b\"\n"),
        "line 1: the delimiter is one ASCII character, such as \";\""
    );
    assert_eq!(
        refused("header = false\n[columns]\nstatus = 1\nstarted_at = \"b\"\n"),
        "line 4: without a header, a column is named by its number"
    );
    assert_eq!(
        refused("\n[columns]\nclient = 1\nstatus = 2\n"),
        "line 2: `started_at` has neither a column nor a constant"
    );
    assert!(
        refused("\n\n[columns\n").starts_with("line 3: "),
        "{}",
        refused("\n\n[columns\n")
    );
    assert_eq!(refused(""), "line 1: missing field `columns`");
    assert_eq!(
        refused("only = { column = \"a\" }\n[columns]\n"),
        "line 1: missing field `equals`"
    );
}

#[test]
fn columns_that_are_named_like_fields_need_no_mapping() {
    let report = format!("\"client\";\"job_id\";\"started_at\";x\na;1;{START};\n");
    let found = recognise(report.as_bytes()).unwrap();
    assert_eq!(found.format, Format::Csv);
    assert!(recognise(b"client;job;start\na;1;2\n").is_err());
}

#[test]
fn a_file_without_line_feeds_is_not_taken_for_a_header() {
    let rows = "job_id,client,policy,started_at,status\r1,a,b,2026-11-22T03:00:00Z,succeeded\r";
    for (format, input) in [
        (Format::Csv, rows),
        (
            Format::BareosCatalogue,
            "JobId,Name,Type,JobStatus,Client,StartTime\r1,n,B,T,a,\r",
        ),
    ] {
        let why =
            "is not text: its lines end in carriage returns alone; convert them to line feeds";
        let refused = read(input.as_bytes(), format, &ReadOptions::default()).unwrap_err();
        assert_eq!(refused.to_string(), why);
        let unrecognised = recognise(input.as_bytes()).unwrap_err();
        assert_eq!(unrecognised.to_string(), why);
    }
}
