//! Names of strangers, made harmless.

use std::borrow::Cow;

/// Whether a character would not stand in its place, but do something: end a line, move the cursor,
/// turn the direction of the text around, or be there without being seen.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// `text` in one line that does nothing to what shows it, of no more than `most` characters.
///
/// What acts is written as its number, `\u{a}`, so that it is seen. A name in which that is written out
/// looks the same: a backslash stays what it is.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters of all scripts stay; of what Unicode calls ignorable by default nothing does.
    #[test]
    fn what_is_not_seen_is_written_as_its_number() {
        for name in ["mail01", "Größe äöü", "日本語", "עברית", "a\\u{a}", "🖥"] {
            assert_eq!(one_line(name, 100), name);
        }
        let ignorable = [
            0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x180b, 0x180e, 0x200b, 0x200d, 0x202e,
            0x2060, 0x206f, 0x3164, 0xfe00, 0xfe0f, 0xfeff, 0xffa0, 0xfff0, 0x1_bca0, 0x1_d173,
            0xe_0001, 0xe_0100, 0xe_01ef, 0xe_0fff,
        ];
        for number in ignorable {
            let name = format!("ma{}il", char::from_u32(number).unwrap());
            assert_eq!(one_line(&name, 100), format!("ma\\u{{{number:x}}}il"));
        }
    }
}
