//! Rule: what a page of Markdown points to is there, and the book is whole in itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use crate::workspace::{files, read, root, shown};

/// Where the pages of the book are; every page there is one, but those of [`NOT_IN_THE_BOOK`].
const BOOK: &str = "docs/";
const SUMMARY: &str = "docs/SUMMARY.md";
/// What belongs to the sources, and links into them.
const NOT_IN_THE_BOOK: &[&str] = &[SUMMARY, "docs/ARCHITECTURE.md", "docs/decisions/"];
/// What a path of the sources, or of the page's own directory, begins with in backquotes.
const PLACES: &[&str] = &[
    "benches/",
    "crates/",
    "docs/",
    "examples/",
    "fuzz/",
    "packaging/",
];

/// What a page points to, and what can be pointed to in it.
#[derive(Debug, Default)]
struct Page {
    links: Vec<String>,
    anchors: BTreeSet<String>,
    /// What stands in backquotes.
    words: Vec<String>,
}

impl Page {
    fn of(text: &str) -> Self {
        let mut page = Self::default();
        let mut heading: Option<String> = None;
        for event in Parser::new(text) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.to_string());
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => page.add_anchor(&heading.take().unwrap()),
                Event::Text(part) => {
                    if let Some(heading) = &mut heading {
                        *heading += &part;
                    }
                }
                Event::Code(part) => {
                    if let Some(heading) = &mut heading {
                        *heading += &part;
                    }
                    page.words.push(part.to_string());
                }
                _ => {}
            }
        }
        page
    }

    /// As mdBook and the forges make them of headings.
    fn add_anchor(&mut self, heading: &str) {
        let anchor: String = heading
            .trim()
            .chars()
            .filter_map(|c| match c {
                c if c.is_whitespace() => Some('-'),
                c if c.is_alphanumeric() || c == '-' || c == '_' => c.to_lowercase().next(),
                _ => None,
            })
            .collect();
        let numbered = (1..).map(|number| format!("{anchor}-{number}"));
        let mut all = std::iter::once(anchor.clone()).chain(numbered);
        let free = all.find(|anchor| !self.anchors.contains(anchor));
        self.anchors.extend(free);
    }
}

/// `path`, which stands in a page of `directory`, from the root of the checkout; `None` if it leaves
/// that.
fn resolved(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Whether an address elsewhere is one that a reader can follow.
fn is_address(link: &str) -> bool {
    let host = link
        .strip_prefix("https://")
        .or_else(|| link.strip_prefix("http://127.0.0.1"));
    let is_local = link.starts_with("http://127.0.0.1");
    host.is_some_and(|rest| {
        let name = rest.split(['/', '#', '?']).next().unwrap_or_default();
        is_local || (name.contains('.') && !name.starts_with('.') && !name.ends_with('.'))
    }) && !link.chars().any(char::is_whitespace)
}

fn is_in_the_book(path: &str) -> bool {
    path.starts_with(BOOK) && !NOT_IN_THE_BOOK.iter().any(|other| path.starts_with(other))
}

/// What is wrong with the pages, by their paths, where `is_there` tells which other files there are.
fn offences(pages: &BTreeMap<String, Page>, is_there: impl Fn(&str) -> bool) -> Vec<String> {
    let mut offences = Vec::new();
    for (path, page) in pages {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        for link in &page.links {
            let wrong = if link.contains("://") {
                (!is_address(link)).then_some("is no address")
            } else if link.contains("::") {
                // An item, which rustdoc looks for.
                None
            } else {
                wrong_with(link, path, directory, pages, &is_there)
            };
            offences.extend(wrong.map(|wrong| format!("{path}: {link}: {wrong}")));
        }
        let is_path = |word: &&String| {
            PLACES.iter().any(|place| word.starts_with(place))
                && word
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
        };
        let here = |word: &str| is_there(&format!("{directory}/{word}"));
        let is_lost = |word: &&String| !is_there(word) && !here(word);
        let missing = page.words.iter().filter(is_path).filter(is_lost);
        offences.extend(missing.map(|word| format!("{path}: there is no {word}")));
    }
    let Some(summary) = pages.get(SUMMARY) else {
        return vec![format!("there is no {SUMMARY}")];
    };
    let named: BTreeSet<String> = summary
        .links
        .iter()
        .map(|link| format!("{BOOK}{link}"))
        .collect();
    let outside = pages
        .keys()
        .filter(|path| is_in_the_book(path) && !named.contains(*path));
    offences.extend(outside.map(|path| format!("{SUMMARY}: does not name {path}")));
    offences
}

fn wrong_with(
    link: &str,
    path: &str,
    directory: &str,
    pages: &BTreeMap<String, Page>,
    is_there: impl Fn(&str) -> bool,
) -> Option<&'static str> {
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() {
        path.to_owned()
    } else {
        match resolved(directory, file) {
            Some(target) => target,
            None => return Some("leaves the checkout"),
        }
    };
    if is_in_the_book(path) && target != path {
        let is_page = Path::new(&target).extension().is_some_and(|it| it == "md");
        let other = is_page && !is_in_the_book(&target);
        if other || !target.starts_with(BOOK) {
            return Some("leaves the book: name the file by its path");
        }
    }
    match pages.get(&target) {
        Some(page) if !anchor.is_empty() => {
            (!page.anchors.contains(anchor)).then_some("has no such heading")
        }
        Some(_) => None,
        None => (!is_there(&target)).then_some("is not there"),
    }
}

#[test]
fn what_is_pointed_to_is_there() {
    let pages: BTreeMap<String, Page> = files("md")
        .iter()
        .map(|path| (shown(path), Page::of(&read(path))))
        .collect();
    assert!(pages.len() > 80, "{} pages", pages.len());
    let links: usize = pages.values().map(|page| page.links.len()).sum();
    assert!(links > 300, "{links} links");
    crate::assert_none(&offences(&pages, |path| root().join(path).exists()));
}

#[test]
fn what_points_nowhere_is_caught() {
    let page = |text: &str| {
        let of = |name: &str, text: &str| (name.to_owned(), Page::of(text));
        let pages = BTreeMap::from([
            of(SUMMARY, "[A](a.md) [B](b/README.md)"),
            of("docs/a.md", text),
            of("docs/b/README.md", "# Two `words`, and more\n## x\n## x\n"),
            of("docs/decisions/1.md", "[up](../../crates/c.rs)"),
        ]);
        offences(&pages, |path| {
            path == "crates/c.rs" || path == "docs/p.webp"
        })
    };
    for good in [
        "[x](b/README.md#two-words-and-more) [x](b/README.md#x-1) ![x](p.webp)",
        "# Here\n[x](#here) [x](https://example.org/a#b) `crates/c.rs` `crates/*/c.rs`",
    ] {
        assert_eq!(page(good), [""; 0], "{good}");
    }
    for (bad, wrong) in [
        ("[x](b/none.md)", "is not there"),
        ("[x](b/README.md#two-words)", "has no such heading"),
        ("[x](#here)", "has no such heading"),
        (
            "[x](decisions/1.md)",
            "leaves the book: name the file by its path",
        ),
        (
            "[x](../crates/c.rs)",
            "leaves the book: name the file by its path",
        ),
        ("[x](../../c.rs)", "leaves the checkout"),
        ("[x](https://here/a)", "is no address"),
        ("![x](q.webp)", "is not there"),
    ] {
        let found = page(bad);
        assert!(
            found.len() == 1 && found[0].ends_with(wrong),
            "{bad}: {found:?}"
        );
    }
    assert_eq!(
        page("`crates/d.rs`"),
        ["docs/a.md: there is no crates/d.rs"]
    );
    let lost = BTreeMap::from([
        (SUMMARY.to_owned(), Page::default()),
        ("docs/a.md".to_owned(), Page::default()),
    ]);
    assert_eq!(
        offences(&lost, |_| true),
        ["docs/SUMMARY.md: does not name docs/a.md"]
    );
}
