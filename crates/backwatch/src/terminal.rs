//! What goes to a person's terminal.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;

use crate::exit::{Exit, Failure};

/// What moves the cursor, changes colours, breaks lines or turns the direction of writing.
pub(crate) fn harmful(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
        )
}

/// Text from outside, made harmless: what would move the cursor, change colours or turn the
/// direction of writing is shown escaped.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if harmful(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Says on standard output what was done.
pub(crate) fn told(text: &str) -> Result<Exit, Failure> {
    writeln!(anstream::stdout().lock(), "{}", harmless(text))?;
    Ok(Exit::Quiet)
}

/// Says on standard error what went wrong, with everything behind it.
pub(crate) fn error(error: &dyn Error) {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        // Some errors tell their cause themselves, with all that is behind it.
        if text.contains(&cause) {
            break;
        }
        _ = write!(text, ": {cause}");
        source = error.source();
    }
    note("error", &text);
}

/// Says on standard error what a person may want to check.
pub(crate) fn information(text: &str) {
    note("note", text);
}

/// Says on standard error what a person should know about the result.
pub(crate) fn warning(text: &str) {
    note("warning", text);
}

fn note(level: &str, text: &str) {
    for line in text.lines() {
        // When standard error is closed, there is nobody left to tell.
        _ = writeln!(anstream::stderr(), "{level}: {}", harmless(line));
    }
}
