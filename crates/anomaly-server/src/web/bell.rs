//! What a person is told, in the head of every page and on a page of its own.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;

use super::chrome::{Chrome, PageResult, is_own, see, show};
use super::words::{When, shape, when};
use crate::app::App;
use crate::bell::Notice;
use crate::guard::Caller;

/// Notices in the head of a page.
const SHOWN: usize = 8;

/// What a person is told.
#[derive(Debug, Clone)]
pub(crate) struct BellView {
    /// How many are unread.
    pub(crate) unread: usize,
    pub(crate) rows: Vec<NoticeRow>,
}

#[derive(Debug, Clone)]
pub(crate) struct NoticeRow {
    pub(crate) number: u64,
    pub(crate) at: When,
    pub(crate) severity: anomaly_model::Severity,
    pub(crate) shape: &'static str,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) link: String,
    pub(crate) is_read: bool,
}

impl BellView {
    /// The newest ones, for the head of a page.
    pub(super) fn of(app: &App, name: &str) -> Self {
        let mut all = Self::all(app, name);
        all.rows.truncate(SHOWN);
        all
    }

    fn all(app: &App, name: &str) -> Self {
        let notices = app.bell.of(name);
        Self {
            unread: notices.iter().filter(|(_, is_read)| !is_read).count(),
            rows: notices.into_iter().map(NoticeRow::from).collect(),
        }
    }
}

impl From<(Notice, bool)> for NoticeRow {
    fn from((notice, is_read): (Notice, bool)) -> Self {
        Self {
            number: notice.number,
            at: when(notice.at),
            severity: notice.severity,
            shape: shape(notice.severity),
            title: notice.title,
            text: notice.text,
            link: notice.link,
            is_read,
        }
    }
}

#[derive(Template)]
#[template(path = "bell.html")]
struct Page {
    chrome: Chrome,
    all: BellView,
}

/// All that a person is told.
pub(crate) async fn page(State(app): State<App>, chrome: Chrome) -> PageResult {
    let all = BellView::all(&app, &chrome.name);
    Ok(show(&Page { chrome, all })?)
}

#[derive(Template)]
#[template(path = "bell_menu.html")]
struct Menu {
    bell: BellView,
}

/// What is in the head of a page, for one that is open.
pub(crate) async fn menu(State(app): State<App>, caller: Caller) -> PageResult {
    let bell = BellView::of(&app, &caller.name);
    Ok(show(&Menu { bell })?)
}

/// Marks all as read.
pub(crate) async fn read_all(State(app): State<App>, caller: Caller, body: Bytes) -> PageResult {
    app.mark_read(&caller.name, None).await?;
    Ok(back(&body))
}

/// Marks one as read.
pub(crate) async fn read_one(
    State(app): State<App>,
    caller: Caller,
    Path(number): Path<u64>,
    body: Bytes,
) -> PageResult {
    app.mark_read(&caller.name, Some(number)).await?;
    Ok(back(&body))
}

/// To where the form was.
fn back(body: &[u8]) -> Response {
    let sent: Vec<(String, String)> = serde_urlencoded::from_bytes(body).unwrap_or_default();
    let back = sent.iter().find(|(name, _)| name == "back");
    let back = back.map(|(_, back)| back.as_str());
    see(back.filter(|back| is_own(back)).unwrap_or("/bell"))
}
