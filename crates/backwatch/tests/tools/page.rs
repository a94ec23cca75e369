//! The pages of `docs/how-to`: what they tell to paste, put where they say.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Where the pages are.
pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/how-to")
}

/// The names and texts of all pages.
pub(crate) fn all() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for entry in directory().read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        pages.push((name, fs::read_to_string(path).unwrap()));
    }
    pages.sort();
    pages
}

/// A block of a page between two lines of three backquotes.
pub(crate) struct Block {
    language: String,
    text: String,
}

/// The blocks of a page.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => {
                let (language, text) = (language.to_owned(), String::new());
                open = Some(Block { language, text });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => {
                block.text += line;
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// The text of the only block in a language that a page has.
pub(crate) fn block(name: &str, language: &str) -> String {
    let page = fs::read_to_string(directory().join(name)).unwrap();
    let mut blocks = blocks(&page);
    blocks.retain(|block| block.language == language);
    assert_eq!(blocks.len(), 1, "{name}: {language}");
    blocks.remove(0).text
}

/// Every file that a page names in the first comment of a block, below `root` in place of `/`; paths
/// in it are below `root`, too. Scripts can be run.
pub(crate) fn install(name: &str, root: &Path) -> Vec<PathBuf> {
    let page = fs::read_to_string(directory().join(name)).unwrap();
    let mut files = Vec::new();
    for block in blocks(&page) {
        let comments = block.text.lines().take_while(|line| line.starts_with('#'));
        let paths = comments.filter_map(|line| line.strip_prefix("# /"));
        let Some(path) = paths.map(|path| root.join(path)).next() else {
            continue;
        };
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, below(&block.text, root)).unwrap();
        if block.text.starts_with("#!") {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        files.push(path);
    }
    assert!(!files.is_empty(), "{name} names no file");
    files
}

/// Every block of shell in a page, files and lines.
pub(crate) fn shell(page: &str) -> Vec<String> {
    let mut blocks = blocks(page);
    blocks.retain(|block| block.language == "sh");
    blocks.into_iter().map(|block| block.text).collect()
}

/// The lines of shell that a page shows and that are in no file, below `root`.
pub(crate) fn shell_lines(name: &str, root: &Path) -> Vec<String> {
    let page = fs::read_to_string(directory().join(name)).unwrap();
    blocks(&page)
        .into_iter()
        .filter(|block| block.language == "sh" && !block.text.starts_with('#'))
        .map(|block| below(&block.text, root))
        .collect()
}

/// Checks that a page shows what is there to be seen: the line with the stream, and the sentence.
pub(crate) fn shows(name: &str, printed: &str) {
    let page = fs::read_to_string(directory().join(name)).unwrap();
    let lines = printed
        .lines()
        .take_while(|line| !line.contains("    usual "));
    for line in lines {
        assert!(page.contains(line), "{name} does not show: {line}");
    }
}

/// The same text with its absolute paths below `root`.
fn below(text: &str, root: &Path) -> String {
    let root = root.to_str().unwrap();
    let mut text = text.to_owned();
    for directory in [
        "/etc/",
        "/run/",
        "/srv/",
        "/usr/local/",
        "/usr/openv/",
        "/var/",
    ] {
        text = text.replace(directory, &format!("{root}{directory}"));
    }
    text
}

#[test]
fn paths_are_below_the_root() {
    let page = "text\n\n```sh\n#!/bin/sh\n# /usr/local/bin/x\necho /srv/a\n```\n";
    let blocks = blocks(page);
    assert_eq!(blocks.len(), 1);
    let text = below(&blocks[0].text, Path::new("/r"));
    assert_eq!(text, "#!/bin/sh\n# /r/usr/local/bin/x\necho /r/srv/a\n");
}
