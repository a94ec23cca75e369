//! What stands for a policy, of which restic has none.

/// The longest text that is shown in full, in bytes.
const SHOWN_BYTES: usize = 200;

/// The sorted paths, then the sorted tags in brackets: `/etc, /home [daily]`. `None` without both.
///
/// restic groups snapshots by host, paths and tags in the same way. A text longer than 200 bytes
/// is cut and ends in a hash of all of it: `/data/a, /data/b... #09e1f2a37bc84d56`.
pub(super) fn policy(mut paths: Vec<String>, mut tags: Vec<String>) -> Option<String> {
    paths.sort_unstable();
    paths.dedup();
    tags.sort_unstable();
    tags.dedup();
    let mut text = paths.join(", ");
    if !tags.is_empty() {
        let separator = if text.is_empty() { "" } else { " " };
        text = format!("{text}{separator}[{}]", tags.join(", "));
    }
    if text.len() > SHOWN_BYTES {
        let hash = fnv1a(text.as_bytes());
        text.truncate(text.floor_char_boundary(SHOWN_BYTES));
        text = format!("{text}... #{hash:016x}");
    }
    (!text.is_empty()).then_some(text)
}

/// FNV-1a, 64 bits: a hash that is the same in every release.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::{fnv1a, policy};

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn the_order_of_paths_and_tags_does_not_matter() {
        let sorted = policy(texts(&["/etc", "/home"]), texts(&["daily", "db"]));
        assert_eq!(sorted.as_deref(), Some("/etc, /home [daily, db]"));
        assert_eq!(
            sorted,
            policy(texts(&["/home", "/etc", "/etc"]), texts(&["db", "daily"]))
        );
        assert_eq!(policy(Vec::new(), texts(&["db"])).as_deref(), Some("[db]"));
        assert_eq!(policy(Vec::new(), Vec::new()), None);
    }

    #[test]
    fn long_lists_that_differ_in_the_last_byte_differ() {
        let of = |last: &str| policy(vec!["ü".repeat(300), last.to_owned()], Vec::new()).unwrap();
        assert_ne!(of("a"), of("b"));
        assert!(of("a").len() < 230);
    }

    #[test]
    fn the_hash_is_the_published_one() {
        // From the test vectors of the FNV reference code.
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
