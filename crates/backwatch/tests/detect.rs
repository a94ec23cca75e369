//! `backwatch detect` as its users meet it: what it prints, and with what status it ends.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod program;

use std::fs;
use std::fs::File;
use std::path::{Path, PathBuf};

use anomaly_detectors::ndarray::{Array1, Array2, ShapeBuilder as _};
use anomaly_detectors::{Ensemble, Fit as _, ModifiedZScore, Score as _};
use ndarray_npy::{NpzWriter, write_npy};
use program::{assert_golden, backwatch, stderr, stdout};
use tempfile::TempDir;

/// The scores of a run that must succeed.
fn scores(arguments: &[&str]) -> Vec<f64> {
    let output = backwatch(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    text.lines().map(|line| line.parse().unwrap()).collect()
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// A directory that is gone with the test.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }
}

/// 300 rows of 3 columns around a slope, of which every hundredth stands off it.
fn rows() -> Array2<f64> {
    Array2::from_shape_fn((300, 3), |(row, column)| {
        let wave = ((row * 37 + column * 11) % 101) as f64 / 7.0;
        if row % 100 == 99 { wave - 40.0 } else { wave }
    })
}

fn labels() -> Array1<u8> {
    Array1::from_shape_fn(300, |row| u8::from(row % 100 == 99))
}

fn csv(rows: &Array2<f64>) -> String {
    let line = |row: Vec<String>| row.join(",") + "\n";
    rows.rows()
        .into_iter()
        .map(|row| line(row.iter().map(f64::to_string).collect()))
        .collect()
}

#[test]
fn the_list_is_golden() {
    let list = backwatch(&["detect", "--list"]);
    assert_eq!(list.status.code(), Some(0));
    assert_golden("detect-list.txt", &stdout(&list));
}

#[test]
fn scores_and_measures_are_golden() {
    let input = golden("detect.csv");
    let input = input.to_str().unwrap();
    let asked = ["detect", "--detector", "modified-z-score", "--input", input];
    let output = backwatch(&[&asked[..], &["--label", "labelled"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = format!("{}{}", stdout(&output), stderr(&output));
    assert_golden("detect.txt", &text);
}

/// Every detector, whatever the format of the same numbers and however many threads.
#[test]
fn formats_and_threads_change_no_score() {
    let place = Place::new();
    let rows = rows();
    let csv = place.file("rows.csv", csv(&rows));
    let (npy, fortran, npz) = ("rows.npy", "fortran.npy", "rows.npz");
    write_npy(place.path(npy), &rows).unwrap();
    let mut columns_first = Array2::zeros(rows.dim().f());
    columns_first.assign(&rows);
    write_npy(place.path(fortran), &columns_first).unwrap();
    let mut archive = NpzWriter::new_compressed(File::create(place.path(npz)).unwrap());
    archive.add_array("X", &rows).unwrap();
    archive.add_array("y", &labels()).unwrap();
    archive.finish().unwrap();

    let list = stdout(&backwatch(&["detect", "--list"]));
    let detectors = list
        .lines()
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| Some(line.split_once(':')?.0));
    let mut seen = Vec::new();
    for detector in detectors {
        let asked = ["detect", "--detector", detector, "--input"];
        let of = |more: &[&str]| scores(&[&asked[..], more].concat());
        let expected = of(&[&csv, "--threads", "1"]);
        assert_eq!(expected.len(), 300);
        assert_eq!(of(&[&csv, "--threads", "2"]), expected, "{detector}");
        for file in [npy, fortran] {
            assert_eq!(of(&[&place.path(file)]), expected, "{detector}, {file}");
        }
        let npz = place.path(npz);
        assert_eq!(of(&[&npz, "--label", "y"]), expected, "{detector}");
        seen.push(detector);
    }
    // Names that scripts may use: they stay.
    assert_eq!(
        seen,
        [
            "z-score",
            "modified-z-score",
            "iqr",
            "isolation-forest",
            "cluster-distance",
            "nearest-neighbours",
            "histogram",
            "mahalanobis",
            "ecod",
            "ensemble"
        ]
    );
    let labelled = ["detect", "--detector", "z-score", "--label", "y", "--input"];
    let output = backwatch(&[&labelled[..], &[&place.path(npz)]].concat());
    assert_eq!(stderr(&output), "AUROC 1.000000\nAP 1.000000\n");
}

#[test]
fn what_is_printed_reads_back_to_the_librarys_scores() {
    let place = Place::new();
    let mut rows = rows();
    rows[[7, 1]] = f64::NAN;
    rows[[8, 2]] = f64::INFINITY;
    let text = csv(&rows).replacen("NaN", "", 1);
    let input = place.file("rows.csv", format!("\u{feff}a,b,c\n{text}"));
    let fitted = ModifiedZScore::default().fit(rows.view()).unwrap();
    let expected = fitted.score(rows.view()).unwrap().to_vec();
    let asked = [
        "detect",
        "--detector",
        "modified-z-score",
        "--input",
        &input,
    ];
    assert_eq!(scores(&asked), expected);
}

#[test]
fn numbers_of_every_width_are_read() {
    let place = Place::new();
    let path = place.path("rows.npy");
    let small = Array2::from_shape_fn((20, 2), |(row, column)| (row * 5 + column) as f64);
    let asked = ["detect", "--detector", "iqr", "--input", &path];
    write_npy(&path, &small).unwrap();
    let expected = scores(&asked);
    macro_rules! as_type {
        ($($number:ty),*) => {$(
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            write_npy(&path, &small.mapv(|value| value as $number)).unwrap();
            assert_eq!(scores(&asked), expected);
        )*};
    }
    as_type!(f32, i8, i16, i32, i64, u8, u16, u32, u64);

    let negative = small.mapv(|value| -value);
    write_npy(&path, &negative).unwrap();
    let expected = scores(&asked);
    #[allow(clippy::cast_possible_truncation)]
    write_npy(&path, &negative.mapv(|value| value as i16)).unwrap();
    assert_eq!(scores(&asked), expected);
    // The same numbers with the highest byte first.
    let mut bytes = fs::read(&path).unwrap();
    let order = bytes.iter().position(|byte| *byte == b'<').unwrap();
    bytes[order] = b'>';
    let start = bytes.len() - 80;
    bytes[start..].chunks_exact_mut(2).for_each(<[u8]>::reverse);
    fs::write(&path, bytes).unwrap();
    assert_eq!(scores(&asked), expected);
}

#[test]
fn scaling_makes_columns_comparable() {
    let place = Place::new();
    let rows = rows();
    let mut stretched = rows.clone();
    stretched.column_mut(1).mapv_inplace(|value| value * 1024.0);
    let (plain, stretched) = (
        place.file("plain.csv", csv(&rows)),
        place.file("stretched.csv", csv(&stretched)),
    );
    let asked = [
        "detect",
        "--detector",
        "iqr",
        "--set",
        "min_scale=100",
        "--input",
    ];
    let of = |input: &str, scale| scores(&[&asked[..], &[input, "--scale", scale]].concat());
    assert_eq!(of(&plain, "minmax"), of(&stretched, "minmax"));
    assert_ne!(of(&plain, "none"), of(&stretched, "none"));
}

#[test]
fn parameters_and_seed_are_used() {
    let place = Place::new();
    let input = place.file("rows.csv", csv(&rows()));
    let forest = [
        "detect",
        "--detector",
        "isolation-forest",
        "--input",
        &input,
    ];
    let of = |more: &[&str]| scores(&[&forest[..], more].concat());
    assert_eq!(of(&["--seed", "7"]), of(&["--set", "seed=7"]));
    assert_ne!(of(&["--seed", "7"]), of(&["--seed", "8"]));
    assert_ne!(of(&[]), of(&["--set", "trees=20"]));
    for (wrong, told) in [
        (&["--set", "tres=3"][..], "column_weights, seed, preset"),
        (
            &["--set", "seed=9", "--seed", "3"],
            "the seed is given twice",
        ),
    ] {
        let refused = backwatch(&[&forest[..], wrong].concat());
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr(&refused).contains(told), "{}", stderr(&refused));
    }
    let z = ["detect", "--detector", "z-score", "--input", &input];
    let output = backwatch(&[&z[..], &["--seed", "7"]].concat());
    assert!(stderr(&output).starts_with("warning: --seed is not used"));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn the_members_of_an_ensemble_are_a_list_of_json() {
    let place = Place::new();
    let input = place.file("rows.csv", csv(&rows()));
    let of = |members: &str| {
        let set = format!("members={members}");
        let asked = ["--detector", "ensemble", "--input", &input, "--set", &set];
        backwatch(&[&["detect"], &asked[..]].concat())
    };
    let members = r#"[{"ecod":{}},{"isolation-forest":{"trees":9,"scoring":"depth"}}]"#;
    let detector: Ensemble = serde_json::from_str(&format!(r#"{{"members":{members}}}"#)).unwrap();
    let fitted = detector.fit(rows().view()).unwrap();
    let expected = fitted.score(rows().view()).unwrap().to_vec();
    let text = stdout(&of(members));
    let scores: Vec<f64> = text.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(scores, expected);

    for (members, message) in [
        ("[]", "`members` is 0: must be a list of 1 to 16 detectors"),
        (
            "ecod",
            "`members` is ecod: must be a list of 1 to 16 detectors, as JSON: [{",
        ),
        (
            r#"[{"magic":{}}]"#,
            "unknown variant `magic`, expected one of `z-score`",
        ),
        (r#"[{"iqr":{"k":-1}}]"#, "`k` is -1: must be 0 to 1000"),
    ] {
        let output = of(members);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
    }
}

#[test]
fn timings_are_one_line_of_json() {
    let place = Place::new();
    let input = place.file("rows.csv", csv(&rows()));
    let asked = [
        "detect",
        "--detector",
        "iqr",
        "--timings",
        "--input",
        &input,
    ];
    let text = stderr(&backwatch(&asked));
    assert_eq!(text.lines().count(), 1, "{text}");
    let timings: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&timings["rows"], &timings["columns"]),
        (&300.into(), &3.into())
    );
    assert!(timings["fit_seconds"].is_f64() && timings["score_seconds"].is_f64());
    if cfg!(target_os = "linux") {
        assert!(timings["peak_bytes"].as_u64() > Some(1 << 20), "{text}");
    }
}

/// One clear error on one line, nothing on standard output, and this status.
#[track_caller]
fn assert_refused(arguments: &[&str], status: i32, message: &str) {
    let output = backwatch(&[&["detect"], arguments].concat());
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(status), "{text}");
    assert!(
        text.starts_with("error: ") && text.contains(message),
        "{text}"
    );
    assert_eq!(stdout(&output), "");
    if status == 4 {
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

#[test]
fn wrong_usage_says_what_is_allowed() {
    let place = Place::new();
    let good = place.file("rows.csv", "a,b\n1,2\n2,3\n3,5\n");
    let z = ["--detector", "z-score", "--input", &good];
    let forest = ["--detector", "isolation-forest", "--input", &good];
    for (base, more, message) in [
        (
            z,
            &["--set", "k=2"][..],
            "no parameter `k`: it has aggregation, min_scale",
        ),
        (
            z,
            &["--set", "aggregation=sum"],
            "`aggregation` is sum: must be max, sum_of_squares or",
        ),
        (
            z,
            &["--set", "min_scale=wide"],
            "`min_scale` is wide: must be finite",
        ),
        (
            forest,
            &["--set", "trees=0"],
            "`trees` is 0: must be 1 to 10000",
        ),
        (
            forest,
            &["--set", "trees=1.5"],
            "`trees` is 1.5: must be 1 to 10000",
        ),
        (forest, &["--set", "trees"], "KEY=VALUE"),
        (forest, &["--threads", "0"], "1..=1024"),
        (
            forest,
            &["--label", "c"],
            "no column `c` for --label: it has a, b",
        ),
        (forest, &["--label", "3"], "no column `3`"),
    ] {
        assert_refused(&[&base[..], more].concat(), 2, message);
    }
    assert_refused(
        &["--detector", "magic", "--input", &good],
        2,
        "z-score, modified-z-score",
    );
    assert_refused(&["--detector", "z-score"], 2, "--input");
    let text = place.file("rows.txt", "1\n2\n");
    assert_refused(
        &["--detector", "iqr", "--input", &text],
        2,
        ".csv, .npy or .npz",
    );
}

#[test]
fn a_csv_that_is_no_table_is_refused() {
    let place = Place::new();
    for (content, label, message) in [
        ("", None, "rows.csv: empty"),
        ("a,b\n", None, "rows.csv: no rows below the header"),
        (
            "a\n1\n",
            None,
            "rows.csv: 1 row of history: z-score needs at least 2",
        ),
        (
            "a,b\n1,2\n1\n",
            None,
            "rows.csv: line 3: 1 columns, but the first line has 2",
        ),
        (
            "a,b\n1,2\n\n\n3,x\n",
            None,
            "line 5, column 2 (b): \"x\" is not a number",
        ),
        (
            "\u{feff}a,b\r\n\r\n1,2\r\n3,x",
            None,
            "line 4, column 2 (b): \"x\"",
        ),
        (
            "1,2\n3,\u{1b}[2J\n",
            None,
            "line 2, column 2: \"\\u{1b}[2J\" is not a number",
        ),
        (
            "a;b\n1;2\n",
            None,
            "is not a number; columns are separated by commas",
        ),
        (
            "a,2\n1,2\n",
            None,
            "line 1, column 1: \"a\" is not a number",
        ),
        ("a\n1\n0\n", Some("a"), "no columns to judge"),
        (
            "a,b\n1,0\n1,2\n",
            Some("b"),
            "line 3, column 2 (b): the label is 2: must be 0 or 1",
        ),
        (
            "a,b\n1,0\n1,\n",
            Some("2"),
            "line 3, column 2 (b): the label is NaN",
        ),
        ("b,b\n1,0\n1,1\n", Some("b"), "2 columns are named b"),
    ] {
        let input = place.file("rows.csv", content);
        let asked = ["--detector", "z-score", "--input", &input];
        let label = label.map_or(vec![], |label| vec!["--label", label]);
        assert_refused(&[&asked[..], &label].concat(), 4, message);
    }
    let missing = place.path("missing.csv");
    assert_refused(
        &["--detector", "iqr", "--input", &missing],
        4,
        "cannot read",
    );
    let latin = place.file("latin.csv", b"a,b\n1,\xe9\n");
    assert_refused(
        &["--detector", "iqr", "--input", &latin],
        4,
        "line 2, column 2: not text",
    );
}

/// A file that claims to hold numbers of this type and shape, and holds one of 8 bytes.
fn npy(kind: &str, shape: &str) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [
        b"\x93NUMPY\x01\x00",
        &length[..],
        header.as_bytes(),
        &[0; 8],
    ]
    .concat()
}

#[test]
fn numpy_files_that_hold_no_table_are_refused() {
    let place = Place::new();
    let path = place.path("rows.npy");
    let refused = |message| assert_refused(&["--detector", "iqr", "--input", &path], 4, message);
    write_npy(&path, &rows()).unwrap();
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 3]).unwrap();
    refused("rows.npy: cut off");
    fs::write(&path, &whole[..9]).unwrap();
    refused("rows.npy: ");
    fs::write(&path, "").unwrap();
    refused("rows.npy: ");
    fs::write(&path, npy("<c8", "(1, 1)")).unwrap();
    refused("'<c8': must be f4, f8");
    // More rows than any memory holds.
    fs::write(&path, npy("<f8", "(300000000000, 3)")).unwrap();
    refused("rows.npy: cut off");
    write_npy(&path, &labels()).unwrap();
    refused("the shape [300]: must be rows and columns");
    write_npy(&path, &Array2::<f64>::zeros((5, 0))).unwrap();
    refused("no columns to judge");

    let path = place.path("rows.npz");
    let write = |rows: &str, labels: &Array1<u8>| {
        let mut archive = NpzWriter::new(File::create(&path).unwrap());
        archive.add_array(rows, &self::rows()).unwrap();
        archive.add_array("y", labels).unwrap();
        archive.finish().unwrap();
    };
    let asked = ["--detector", "iqr", "--input", &path, "--label", "y"];
    write("Z", &labels());
    assert_refused(&asked, 4, "rows.npz: no array X to judge: it has Z, y");
    write("X", &Array1::zeros(299));
    assert_refused(&asked, 4, "array y: the shape [299] does not fit 300 rows");
    write("X", &Array1::from_elem(300, 2));
    assert_refused(&asked, 4, "array y: row 1: the label is 2: must be 0 or 1");
    write("X", &labels());
    let unlabelled = ["--detector", "iqr", "--input", &path, "--label", "w"];
    assert_refused(
        &unlabelled,
        2,
        "no column `w` for --label: it has the arrays X, y",
    );
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert_refused(&asked, 4, "rows.npz: no whole .npz");
}

#[test]
fn labels_that_are_all_the_same_have_no_measure() {
    let place = Place::new();
    let input = place.file("rows.csv", "a,b\n1,0\n2,0\n9,0\n");
    let output = backwatch(&[
        "detect",
        "--detector",
        "iqr",
        "--input",
        &input,
        "--label",
        "2",
    ]);
    assert_eq!(output.status.code(), Some(0));
    let undefined = "undefined: all labels are the same";
    assert_eq!(
        stderr(&output),
        format!("AUROC {undefined}\nAP {undefined}\n")
    );
}
