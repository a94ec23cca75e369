//! What stands for a policy, where the tool has none.

/// The longest text that is shown in full, in bytes.
const SHOWN_BYTES: usize = 200;

/// The sorted paths, then the sorted tags in brackets: `/etc, /home [daily]`. `None` without both.
///
/// restic groups snapshots by host, paths and tags in the same way.
pub(crate) fn paths_and_tags(mut paths: Vec<String>, mut tags: Vec<String>) -> Option<String> {
    paths.sort_unstable();
    paths.dedup();
    tags.sort_unstable();
    tags.dedup();
    let mut text = paths.join(", ");
    if !tags.is_empty() {
        let separator = if text.is_empty() { "" } else { " " };
        text = format!("{text}{separator}[{}]", tags.join(", "));
    }
    (!text.is_empty()).then_some(text)
}

/// A text longer than 200 bytes is cut and ends in a hash of all of it:
/// `/data/a, /data/b... #09e1f2a37bc84d56`.
pub(crate) fn shortened(mut text: String) -> String {
    if text.len() > SHOWN_BYTES {
        let hash = fnv1a(text.as_bytes());
        text.truncate(text.floor_char_boundary(SHOWN_BYTES));
        text = format!("{text}... #{hash:016x}");
    }
    text
}

/// FNV-1a, 64 bits: a hash that is the same in every release.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::{fnv1a, paths_and_tags, shortened};

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn the_order_of_paths_and_tags_does_not_matter() {
        let sorted = paths_and_tags(texts(&["/etc", "/home"]), texts(&["daily", "db"]));
        assert_eq!(sorted.as_deref(), Some("/etc, /home [daily, db]"));
        assert_eq!(
            sorted,
            paths_and_tags(texts(&["/home", "/etc", "/etc"]), texts(&["db", "daily"]))
        );
        let tags_only = paths_and_tags(Vec::new(), texts(&["db"]));
        assert_eq!(tags_only.as_deref(), Some("[db]"));
        assert_eq!(paths_and_tags(Vec::new(), Vec::new()), None);
    }

    #[test]
    fn long_texts_that_differ_in_the_last_byte_differ() {
        let of = |last: &str| shortened("ü".repeat(300) + last);
        assert_ne!(of("a"), of("b"));
        assert!(of("a").len() < 230);
        assert_eq!(shortened("ü".repeat(100)), "ü".repeat(100));
    }

    #[test]
    fn the_hash_is_the_published_one() {
        // From the test vectors of the FNV reference code.
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
