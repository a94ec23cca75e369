//! Names that ransom notes have.

use super::extension::{extension_of, name_of};
use crate::listed::entries;

const SHIPPED: &str = include_str!("data/ransom-notes.txt");

/// What notes are written in: text, pages, pictures; or nothing.
const NOTE_EXTENSIONS: [&str; 13] = [
    "", "bmp", "gif", "hta", "htm", "html", "jpeg", "jpg", "png", "rtf", "txt", "url", "vbs",
];

/// Names that ransom notes have, compared with a file's without regard to case and punctuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RansomNotes(Vec<(Vec<&'static str>, &'static str)>);

impl Default for RansomNotes {
    /// The shipped list.
    fn default() -> Self {
        let patterns = entries(SHIPPED);
        Self(
            patterns
                .map(|(pattern, family)| (pattern.split('*').collect(), family))
                .collect(),
        )
    }
}

impl RansomNotes {
    /// The family whose notes are named like this file.
    pub(super) fn family_of(&self, path: &str) -> Option<&'static str> {
        let extension = extension_of(path);
        let may_be_note = NOTE_EXTENSIONS
            .iter()
            .any(|note| note.eq_ignore_ascii_case(extension));
        if !may_be_note {
            return None;
        }
        let name = plain(name_of(path));
        let found = self.0.iter().find(|(pattern, _)| matches(pattern, &name));
        found.map(|(_, family)| *family)
    }
}

/// A name in lower case, with one `_` for each run of what is neither letter nor digit.
fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for letter in name.chars().flat_map(char::to_lowercase) {
        if letter.is_alphanumeric() {
            plain.push(letter);
        } else if !plain.is_empty() && !plain.ends_with('_') {
            plain.push('_');
        }
    }
    plain.truncate(plain.trim_end_matches('_').len());
    plain
}

/// Whether the name is the pattern's parts with anything between them.
fn matches(parts: &[&str], name: &str) -> bool {
    let [first, middle @ .., last] = parts else {
        return parts.first().is_some_and(|whole| *whole == name);
    };
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_known_notes_are_found() {
        let notes = RansomNotes::default();
        assert_eq!(
            notes.family_of("srv/!!! HOW_TO_DECRYPT !!!.txt"),
            Some("several")
        );
        assert_eq!(notes.family_of("srv/akira_readme.txt"), Some("Akira"));
        for name in [
            "README_FOR_DECRYPT.txt",
            "HOW_TO_RESTORE_FILES.html",
            "How To Restore Your Files.txt",
            "HOW_TO_RECOVER_FILES.txt",
            "DECRYPT_INSTRUCTION.HTML",
            "HELP_DECRYPT.TXT",
            "# DECRYPT MY FILES #.html",
            "!!!READ_ME_MEDUSA!!!.txt",
            "@Please_Read_Me@.txt",
            "RyukReadMe.html",
            "RECOVER-sykffle-FILES.txt",
            "Restore-My-Files.txt",
            "cAcTuS.readme.txt",
            "YOUR_FILES_ARE_ENCRYPTED.HTML",
            "C:\\Users\\a\\info.hta",
        ] {
            assert!(notes.family_of(name).is_some(), "{name}");
        }
    }

    #[test]
    fn ordinary_names_are_not() {
        let notes = RansomNotes::default();
        for name in [
            "README",
            "README.txt",
            "readme.md",
            "Read Me First.txt",
            "how_to_install.txt",
            "How to restore from a backup.txt",
            "restore.txt",
            "recovery.html",
            "recovery.txt",
            "disaster recovery instructions.txt",
            "instructions.html",
            "decrypt.py",
            "how_to_decrypt.md",
            "encryption.html",
            "info.txt",
            "help.html",
            "files.txt",
            "restore_files.sh",
            "license.txt",
            "",
        ] {
            assert_eq!(notes.family_of(name), None, "{name}");
        }
    }

    #[test]
    fn patterns_match_with_anything_between_their_parts() {
        let is = |pattern: &str, name: &str| matches(&pattern.split('*').collect::<Vec<_>>(), name);
        assert!(is("a", "a") && !is("a", "ab") && !is("a", "ba"));
        assert!(is("a*", "a") && is("a*", "ab") && !is("a*", "ba"));
        assert!(is("a*b*c", "abc") && is("a*b*c", "a_b_c") && !is("a*b*c", "acb"));
        // Each part has bytes of its own.
        assert!(!is("ab*bc", "abc"));
        assert_eq!(plain("!!! HOW--to__Decrypt!!!.TXT!"), "how_to_decrypt_txt");
    }

    #[test]
    fn the_shipped_patterns_are_sorted_as_names_are_made_plain() {
        let patterns: Vec<_> = entries(SHIPPED).collect();
        assert!(patterns.is_sorted_by(|one, next| one < next));
        for (pattern, family) in patterns {
            let filled = pattern.replace('*', "x");
            assert_eq!(plain(&filled), filled, "{pattern}");
            assert!(!family.is_empty());
        }
    }
}
