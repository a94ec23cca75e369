//! The pages of the book, and the blocks of code in them.

use std::fs;
use std::path::Path;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use crate::program::root;

/// What stands on the line before a block that no test can run, with the reason behind it.
const NOT_RUN: &str = "<!-- not run:";

/// A page of the book.
pub(crate) struct Page {
    /// Its path below `docs`.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// A block of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) text: String,
    /// Why no test runs it, where none does.
    pub(crate) not_run: Option<String>,
}

impl Block {
    /// The absolute path that its first comment names: the file that it is.
    pub(crate) fn file(&self) -> Option<&str> {
        let mut comments = self.text.lines().take_while(|line| line.starts_with('#'));
        comments.find_map(|line| Some(line.strip_prefix("# ")?).filter(|it| it.starts_with('/')))
    }
}

impl Page {
    pub(crate) fn read(name: &str) -> Self {
        let path = root().join("docs").join(name);
        Self {
            name: name.to_owned(),
            text: fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        }
    }

    pub(crate) fn blocks(&self) -> Vec<Block> {
        blocks(&self.text)
    }
}

/// Every page that the summary names, in its order.
pub(crate) fn all() -> Vec<Page> {
    let summary = Page::read("SUMMARY.md").text;
    let pages: Vec<Page> = Parser::new(&summary)
        .filter_map(|event| match event {
            Event::Start(Tag::Link { dest_url, .. }) => Some(Page::read(&dest_url)),
            _ => None,
        })
        .collect();
    assert!(pages.len() > 30, "{} pages", pages.len());
    pages
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    let mut not_run = None;
    for event in Parser::new(text) {
        match event {
            Event::Html(html) => {
                let reason = html.trim().strip_prefix(NOT_RUN);
                let reason = reason.and_then(|rest| rest.strip_suffix("-->"));
                not_run = reason.map(|reason| reason.trim().to_owned()).or(not_run);
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                is_open = true;
                blocks.push(Block {
                    language: language.to_string(),
                    text: String::new(),
                    not_run: not_run.take(),
                });
            }
            Event::End(TagEnd::CodeBlock) => is_open = false,
            Event::Text(part) if is_open => {
                if let Some(block) = blocks.last_mut() {
                    block.text += &part;
                }
            }
            // The mark is for the very next block.
            Event::Start(Tag::Paragraph | Tag::Heading { .. }) => not_run = None,
            _ => {}
        }
    }
    blocks
}

#[test]
fn blocks_have_their_language_their_file_and_their_mark() {
    let page = "a\n\n```sh\n#!/bin/sh\n# /usr/bin/x\necho\n```\n\n<!-- not run: why -->\n```sh\ny\n```\n\n\
                <!-- not run: lost -->\n\nb\n\n```text\nz\n```\n";
    let blocks = blocks(page);
    let told: Vec<_> = blocks
        .iter()
        .map(|block| (&*block.language, block.file(), block.not_run.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("sh", Some("/usr/bin/x"), None),
            ("sh", None, Some("why")),
            ("text", None, None)
        ]
    );
    assert!(Path::new(blocks[0].file().unwrap()).is_absolute());
}
