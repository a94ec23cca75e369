//! How the attributes of files are distributed.

use anomaly_model::AttributeHistograms;

use super::extension::{extension_of, hash_of_lower_case};
use super::observation::FileObservation;

/// Ranges of each attribute.
const RANGES: usize = AttributeHistograms::MOST_RANGES;
/// Ranges of ages: the future, less than a second, and one for each doubling; the last is from 2^32
/// seconds on, 136 years.
const AGES: usize = 35;
/// Ranges of sizes: nothing, and one for each doubling from 1 byte on.
const SIZES: usize = RANGES;

/// Counts files by the ranges of their attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attributes([[u64; RANGES]; 6]);

impl Default for Attributes {
    fn default() -> Self {
        Self([[0; RANGES]; 6])
    }
}

impl Attributes {
    pub(super) fn add(&mut self, file: &FileObservation<'_>, started_at_seconds: Option<i64>) {
        let age = |seconds: Option<i64>| Some(age_range(seconds?, started_at_seconds?));
        let ranges = [
            age(file.accessed_seconds),
            age(file.changed_seconds),
            age(file.modified_seconds),
            Some(extension_range(extension_of(file.path))),
            file.permissions.map(permission_range),
            file.size_bytes.map(size_range),
        ];
        for (counts, range) in self.0.iter_mut().zip(ranges) {
            if let Some(range) = range {
                counts[range] += 1;
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        let all = self.0.iter_mut().flatten();
        all.zip(other.0.iter().flatten())
            .for_each(|(mine, other)| *mine += other);
    }

    /// The histograms; attributes of which no file told anything have no ranges.
    pub(super) fn histograms(&self) -> AttributeHistograms {
        let [access, change, modification, extension, permission, size] = &self.0;
        let ranges = |counts: &[u64; RANGES], number: usize| {
            let known = counts.iter().any(|count| *count > 0);
            if known {
                counts[..number].to_vec()
            } else {
                Vec::new()
            }
        };
        let mut histograms = AttributeHistograms::default();
        histograms.access_age = ranges(access, AGES);
        histograms.change_age = ranges(change, AGES);
        histograms.modification_age = ranges(modification, AGES);
        histograms.extension = ranges(extension, RANGES);
        histograms.permission = ranges(permission, RANGES);
        histograms.size = ranges(size, SIZES);
        histograms
    }
}

/// 0 for the future, 1 for less than a second, then one more for each doubling.
fn age_range(seconds: i64, now_seconds: i64) -> usize {
    match now_seconds.checked_sub(seconds) {
        Some(..0) => 0,
        Some(age) => (1 + bits(age.unsigned_abs())).min(AGES - 1),
        // So far apart that the difference is no number.
        None => {
            if seconds > now_seconds {
                0
            } else {
                AGES - 1
            }
        }
    }
}

/// One of 64 by a hash: the same extension is always in the same range, and shares it with others.
fn extension_range(extension: &str) -> usize {
    usize::from(hash_of_lower_case(extension).to_le_bytes()[0]) % RANGES
}

/// Six bits: owner may write, group may read, group may write, others may read, others may write,
/// somebody may execute; those with a special bit (setuid, setgid, sticky) count as executable.
fn permission_range(permissions: u32) -> usize {
    let bit = |mask: u32| usize::from(permissions & mask != 0);
    bit(0o200) << 5
        | bit(0o040) << 4
        | bit(0o020) << 3
        | bit(0o004) << 2
        | bit(0o002) << 1
        | bit(0o7111)
}

/// 0 for nothing, then one more for each doubling.
fn size_range(size_bytes: u64) -> usize {
    bits(size_bytes).min(SIZES - 1)
}

/// How many bits a number takes: 0 for 0.
fn bits(number: u64) -> usize {
    (u64::BITS - number.leading_zeros()) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_as_documented() {
        let ages = [
            (11, 0),
            (10, 1),
            (9, 2),
            (8, 3),
            (7, 3),
            (6, 4),
            (i64::MIN, 34),
        ];
        for (seconds, range) in ages {
            assert_eq!(age_range(seconds, 10), range, "{seconds}");
        }
        assert_eq!(age_range(i64::MAX, i64::MIN), 0);
        let sizes = [(0, 0), (1, 1), (2, 2), (3, 2), (4096, 13), (u64::MAX, 63)];
        for (size, range) in sizes {
            assert_eq!(size_range(size), range, "{size}");
        }
        assert_eq!(permission_range(0o644), 0b11_0100);
        assert_eq!(permission_range(0o4000), 1);
        assert_eq!(permission_range(0o777), 63);
        assert_eq!(extension_range("TXT"), extension_range("txt"));
        // Held for ever: a stored baseline is compared with it.
        assert_eq!(["", "txt", "docx"].map(extension_range), [27, 32, 26]);
    }
}
