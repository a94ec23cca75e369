//! Names of strangers, made harmless.

use std::borrow::Cow;

/// Whether a character would not stand in its place, but do something: end a line, move the cursor,
/// turn the direction of the text around.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// `text` in one line that does nothing to what shows it, of no more than `most` characters.
///
/// What acts is written as its number, `\u{a}`, so that two names never look the same by it.
pub(crate) fn one_line(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most && !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut line = String::new();
    for character in text.chars() {
        if acts(character) {
            line.extend(character.escape_unicode());
        } else {
            line.push(character);
        }
    }
    if let Some((end, _)) = line.char_indices().nth(most)
        && let Some((last, _)) = line[..end].char_indices().next_back()
    {
        line.truncate(last);
        line.push('…');
    }
    Cow::Owned(line)
}
