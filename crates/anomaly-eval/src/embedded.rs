//! The histories that the program carries.

use include_dir::{Dir, include_dir};

use crate::EvalError;
use crate::history::{History, Text, branch_number};

static DATA: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/data");

/// The histories that this crate carries, in the order of their names: 16 clients, described in
/// `data/README.md` beside its source.
///
/// # Errors
/// [`EvalError`] if they were damaged when the program was built.
pub fn embedded_histories() -> Result<Vec<History>, EvalError> {
    let mut found: Vec<&Dir<'_>> = DATA.dirs().collect();
    found.sort_by_key(|directory| directory.path());
    found.into_iter().map(history).collect()
}

fn history(directory: &Dir<'_>) -> Result<History, EvalError> {
    let text = |path: &std::path::Path| {
        let file = DATA.get_file(path);
        Text {
            file: path.display().to_string(),
            content: file
                .and_then(include_dir::File::contents_utf8)
                .unwrap_or_default(),
        }
    };
    let path = directory.path();
    let branches = DATA
        .get_dir(path.join("branches"))
        .into_iter()
        .flat_map(Dir::files);
    let branches: Vec<_> = branches
        .filter_map(|file| Some((branch_number(file.path())?, text(file.path()))))
        .collect();
    History::parse(
        &path.display().to_string(),
        &text(&path.join("jobs.ndjson")),
        &text(&path.join("labels.ndjson")),
        &branches,
    )
}
