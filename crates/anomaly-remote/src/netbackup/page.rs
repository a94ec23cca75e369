//! One page of a list.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::RemoteError;

/// A page, and where the next one begins.
pub(super) struct Page {
    pub(super) text: Vec<u8>,
    /// `None` on the last page.
    pub(super) next: Option<Next>,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    First,
    /// After a cursor: how the jobs have gone on since version 9.0 of the interface.
    After(String),
    /// So many records on: how the images do, and the jobs of older versions.
    Offset(u64),
}

#[derive(Deserialize)]
struct Document {
    data: Option<Vec<IgnoredAny>>,
    meta: Option<Meta>,
    links: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Meta {
    pagination: Option<Pagination>,
}

#[derive(Deserialize)]
struct Pagination {
    next: Option<Cursor>,
    #[serde(rename = "hasNext")]
    has_next: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Cursor {
    Offset(u64),
    After(String),
}

impl Page {
    /// Looks for the next page in the text of this one, which began at `place`.
    pub(super) fn new(text: Vec<u8>, place: &Next) -> Result<Self, RemoteError> {
        let not_a_page = |reason: String| RemoteError::NotAPage { reason };
        let document: Document =
            serde_json::from_slice(&text).map_err(|error| not_a_page(error.to_string()))?;
        let pagination = document.meta.and_then(|meta| meta.pagination);
        // "No data is returned if no jobs are found", says the manual.
        let is_page = document.data.is_some() || pagination.is_some() || document.links.is_some();
        if !is_page {
            return Err(not_a_page("it has no `data`".to_owned()));
        }
        let is_last = document.data.is_none_or(|data| data.is_empty())
            || pagination.as_ref().and_then(|page| page.has_next) == Some(false);
        let next = match pagination.and_then(|pagination| pagination.next) {
            Some(Cursor::After(cursor)) if !cursor.is_empty() => Some(Next::After(cursor)),
            // The list of old versions names the last page as the one after itself.
            Some(Cursor::Offset(offset)) if offset > offset_of(place) => Some(Next::Offset(offset)),
            _ => None,
        };
        Ok(Self {
            text,
            next: next.filter(|_| !is_last),
        })
    }
}

fn offset_of(place: &Next) -> u64 {
    match place {
        Next::Offset(offset) => *offset,
        Next::First | Next::After(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Next, Page};

    fn next(text: &str, place: &Next) -> Result<Option<Next>, String> {
        let page = Page::new(text.as_bytes().to_vec(), place);
        page.map(|page| page.next)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_page_says_where_the_next_one_begins() {
        let page =
            |pagination: &str| format!(r#"{{"data":[{{}}],"meta":{{"pagination":{pagination}}}}}"#);
        let first = |pagination| next(&page(pagination), &Next::First);
        assert_eq!(
            first(r#"{"next":"4711","limit":100}"#),
            Ok(Some(Next::After("4711".to_owned())))
        );
        assert_eq!(
            first(r#"{"next":100,"hasNext":true}"#),
            Ok(Some(Next::Offset(100)))
        );
        for last in [
            r#"{"prev":"1"}"#,
            r#"{"next":null}"#,
            r#"{"next":""}"#,
            r#"{"next":100,"hasNext":false}"#,
            r#"{"next":0}"#,
        ] {
            assert_eq!(first(last), Ok(None), "{last}");
        }
        let again = next(&page(r#"{"next":100}"#), &Next::Offset(100));
        assert_eq!(again, Ok(None));
        let empty = r#"{"data":[],"meta":{"pagination":{"next":"4711"}}}"#;
        assert_eq!(next(empty, &Next::First), Ok(None));
        for none in [
            r#"{"data":[{}]}"#,
            r#"{"links":{}}"#,
            r#"{"meta":{"pagination":{"next":"1"}}}"#,
        ] {
            assert_eq!(next(none, &Next::First), Ok(None), "{none}");
        }
    }

    #[test]
    fn something_else_is_not_a_page() {
        for text in ["", "<html>", "{}", r#"{"data":{}}"#, r#"{"data":[{}"#, "[]"] {
            let refused = next(text, &Next::First).unwrap_err();
            assert!(refused.starts_with("the answer is not a page"), "{refused}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_page_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            _ = Page::new(bytes, &Next::First);
        }
    }
}
