//! What is remembered of one file, and of the files of one directory.

use anomaly_model::FileChange;

use crate::state::key::NAME_BITS;

/// What is remembered of one file.
///
/// It is ordered by name, then by the rest. In memory it takes 24 bytes; on disk 15, and 2 to 4 for
/// the size of most files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// The name's hash, and below it the 16 bits of the time of modification.
    name_and_modified: u64,
    /// The size in bytes, and below it the flags.
    size_and_flags: u64,
    /// The time of the last change of content or attributes.
    pub(crate) changed: u16,
    /// What was seen of the bytes; of use only if `SEEN` is set.
    pub(crate) content: u16,
    /// What the bytes were like.
    pub(crate) statistics: [u8; 3],
}

/// Bytes were read: `content` and `statistics` mean something.
pub(crate) const SEEN: u64 = 1;
/// The file was written about when the walk saw it, or could not be read: times that are as before
/// do not show that it is as before.
pub(crate) const UNSETTLED: u64 = 2;
/// How the bytes were sampled: what was seen by one sampling says nothing about another.
const SAMPLING_SHIFT: u32 = 2;
const SAMPLING: u64 = 3 << SAMPLING_SHIFT;
/// Bits below the size.
const FLAG_BITS: u32 = 4;
/// Larger files are kept as this large: 2^60 bytes.
const MOST_BYTES: u64 = u64::MAX >> FLAG_BITS;

impl Entry {
    /// A file of which no bytes were seen.
    pub(crate) fn unseen(name: u64, size_bytes: u64, modified: u16, changed: u16) -> Self {
        Self {
            name_and_modified: name << (u64::BITS - NAME_BITS) | u64::from(modified),
            size_and_flags: size_bytes.min(MOST_BYTES) << FLAG_BITS,
            changed,
            content: 0,
            statistics: [0; 3],
        }
    }

    /// With what was seen of its bytes.
    pub(crate) fn seen(mut self, sampling: u8, fingerprint: u64, statistics: [u8; 3]) -> Self {
        let sampling = u64::from(sampling) << SAMPLING_SHIFT & SAMPLING;
        self.size_and_flags = self.size_and_flags & !SAMPLING | sampling | SEEN;
        let [low, high, ..] = fingerprint.to_le_bytes();
        self.content = u16::from_le_bytes([low, high]);
        self.statistics = statistics;
        self
    }

    /// With nothing of what was seen of its bytes.
    pub(crate) fn forgotten(mut self) -> Self {
        self.size_and_flags &= !SEEN;
        self
    }

    /// With what was seen of the bytes of `other`.
    pub(crate) fn seen_as(mut self, other: &Self) -> Self {
        const SEEN_HOW: u64 = SAMPLING | SEEN;
        self.size_and_flags = self.size_and_flags & !SEEN_HOW | other.size_and_flags & SEEN_HOW;
        self.content = other.content;
        self.statistics = other.statistics;
        self
    }

    /// To be read at the next walk, whatever its times say.
    pub(crate) fn unsettled(mut self) -> Self {
        self.size_and_flags |= UNSETTLED;
        self
    }

    pub(crate) fn name(&self) -> u64 {
        self.name_and_modified >> (u64::BITS - NAME_BITS)
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_and_flags >> FLAG_BITS
    }

    fn is_unsettled(&self) -> bool {
        self.size_and_flags & UNSETTLED != 0
    }

    /// What the bytes were like, if some were read.
    pub(crate) fn statistics(&self) -> Option<[u8; 3]> {
        (self.size_and_flags & SEEN != 0).then_some(self.statistics)
    }

    /// Whether name, size and time of modification are those of `other`.
    pub(crate) fn looks_like(&self, other: &Self) -> bool {
        self.name_and_modified == other.name_and_modified && self.size_bytes() == other.size_bytes()
    }

    /// Whether nothing says that it was touched since `before`, and that would have left a trace.
    pub(crate) fn looks_untouched(&self, before: &Self) -> bool {
        self.looks_like(before) && self.changed == before.changed && !before.is_unsettled()
    }

    /// Whether the time of modification is that of `other`.
    pub(crate) fn modified_with(&self, other: &Self) -> bool {
        (self.name_and_modified ^ other.name_and_modified).trailing_zeros() >= u64::BITS - NAME_BITS
    }

    /// What happened to a file since `before`.
    ///
    /// Size and time of modification decide. Where they are the same, it has changed only if bytes
    /// that were read are others: a change of attributes alone is none.
    pub(crate) fn change_since(&self, before: &Self) -> FileChange {
        if self.looks_like(before) && self.same_content(before) != Some(false) {
            FileChange::Unmodified
        } else {
            FileChange::Changed
        }
    }

    /// Whether the bytes that were seen are those seen of `other`; `None` where that cannot be said.
    fn same_content(&self, other: &Self) -> Option<bool> {
        const COMPARED: u64 = SAMPLING | SEEN;
        let comparable = (self.size_and_flags ^ other.size_and_flags) & COMPARED == 0
            && self.size_and_flags & SEEN != 0;
        comparable.then_some(self.content == other.content)
    }
}

/// The longest that a block's head is: two numbers.
const MOST_HEAD_BYTES: usize = 2 * MOST_NUMBER_BYTES;
/// The longest that a number is.
const MOST_NUMBER_BYTES: usize = 10;
/// An entry without its size.
const FIXED_BYTES: usize = 15;

/// Where the entries of a block begin, how many bytes they take, and how many they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) start: usize,
    pub(crate) bytes: usize,
    entries: usize,
}

/// Appends the files of a directory: how many, how many bytes they take, and they themselves.
pub(crate) fn write_block(entries: &[Entry], block: &mut Vec<u8>) {
    let start = block.len();
    write_number(entries.len() as u64, block);
    let mut body = Vec::with_capacity(entries.len() * (FIXED_BYTES + 4));
    for entry in entries {
        body.extend_from_slice(&entry.name_and_modified.to_le_bytes());
        body.extend_from_slice(&entry.changed.to_le_bytes());
        body.extend_from_slice(&entry.content.to_le_bytes());
        body.extend_from_slice(&entry.statistics);
        write_number(entry.size_and_flags, &mut body);
    }
    write_number(body.len() as u64, block);
    debug_assert!(block.len() - start <= MOST_HEAD_BYTES, "two numbers");
    block.extend_from_slice(&body);
}

/// Reads the head of a block from its first bytes; `None` if they are none.
pub(crate) fn read_head(block: &[u8]) -> Option<Head> {
    let mut rest = block;
    let entries = usize::try_from(read_number(&mut rest)?).ok()?;
    let bytes = usize::try_from(read_number(&mut rest)?).ok()?;
    let start = block.len() - rest.len();
    (entries <= bytes / (FIXED_BYTES + 1)).then_some(Head {
        start,
        bytes,
        entries,
    })
}

/// Reads the entries of a block behind its head; `None` if they are none, or not in order.
pub(crate) fn read_entries(head: Head, mut body: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::with_capacity(head.entries);
    for _ in 0..head.entries {
        entries.push(Entry {
            name_and_modified: u64::from_le_bytes(first(&mut body)?),
            changed: u16::from_le_bytes(first(&mut body)?),
            content: u16::from_le_bytes(first(&mut body)?),
            statistics: first(&mut body)?,
            size_and_flags: read_number(&mut body)?,
        });
    }
    (body.is_empty() && entries.is_sorted()).then_some(entries)
}

/// The first bytes, which are taken off.
fn first<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

/// A number in groups of 7 bits, the lowest first; the last one has the eighth bit clear (LEB128).
fn write_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for group in 0..MOST_NUMBER_BYTES {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        // The tenth group has room for one bit.
        if group == MOST_NUMBER_BYTES - 1 && bits > 1 {
            return None;
        }
        number |= bits << (7 * group);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry() -> impl Strategy<Value = Entry> {
        let size = prop_oneof![0..5_000_u64, any::<u64>()];
        let seen = proptest::option::of((0..4_u8, any::<u64>(), any::<[u8; 3]>()));
        let head = (0..1_u64 << NAME_BITS, size, any::<u16>(), any::<u16>());
        (head, seen, any::<bool>()).prop_map(
            |((name, size, modified, changed), seen, unsettled)| {
                let mut entry = Entry::unseen(name, size, modified, changed);
                if let Some((sampling, content, statistics)) = seen {
                    entry = entry.seen(sampling, content, statistics);
                }
                if unsettled { entry.unsettled() } else { entry }
            },
        )
    }

    proptest! {
        #[test]
        fn a_block_reads_back(mut entries in proptest::collection::vec(entry(), 0..50)) {
            entries.sort_unstable();
            let mut block = Vec::new();
            write_block(&entries, &mut block);
            let head = read_head(&block).unwrap();
            prop_assert_eq!(block.len(), head.start + head.bytes);
            prop_assert_eq!(read_entries(head, &block[head.start..]), Some(entries));
        }

        #[test]
        fn any_bytes_are_a_block_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(head) = read_head(&bytes) {
                let body = bytes.get(head.start..head.start.saturating_add(head.bytes));
                if let Some(entries) = body.and_then(|body| read_entries(head, body)) {
                    prop_assert_eq!(entries.len(), head.entries);
                }
            }
        }

        #[test]
        fn parts_are_kept_apart(name in 0..1_u64 << NAME_BITS, size in 0..1_u64 << 60) {
            let entry = Entry::unseen(name, size, u16::MAX, u16::MAX);
            let full = entry.seen(3, u64::MAX, [u8::MAX; 3]).unsettled();
            for entry in [entry, full] {
                prop_assert_eq!((entry.name(), entry.size_bytes()), (name, size));
            }
            prop_assert_eq!((entry.statistics(), entry.is_unsettled()), (None, false));
            prop_assert_eq!((full.statistics(), full.is_unsettled()), (Some([u8::MAX; 3]), true));
        }
    }

    #[test]
    fn most_files_take_nineteen_bytes_or_less() {
        for (size, most) in [
            (0, 16),
            (7, 16),
            (1_000, 17),
            (100_000, 18),
            (16_000_000, 19),
        ] {
            let mut block = Vec::new();
            let seen = Entry::unseen(1, size, 2, 3).seen(2, 4, [5; 3]);
            write_block(&[seen], &mut block);
            let bytes = read_head(&block).unwrap().bytes;
            assert!(bytes <= most, "{size} bytes take {bytes}");
        }
    }

    #[test]
    fn what_was_seen_is_compared_with_its_like_only() {
        let unseen = Entry::unseen(1, 2, 3, 4);
        let seen = unseen.seen(1, 7, [0; 3]);
        assert_eq!(seen.same_content(&seen.unsettled()), Some(true));
        assert_eq!(seen.same_content(&unseen.seen(1, 8, [0; 3])), Some(false));
        assert_eq!(seen.same_content(&unseen.seen(2, 7, [0; 3])), None);
        assert_eq!(seen.same_content(&unseen), None);
        assert_eq!(unseen.same_content(&unseen), None);
        assert_eq!(seen.forgotten().same_content(&seen), None);
        assert_eq!(
            (seen.statistics(), seen.forgotten().statistics()),
            (Some([0; 3]), None)
        );
        assert!(seen.looks_like(&unseen));
        assert!(!seen.looks_like(&Entry::unseen(1, 3, 3, 4)));
        assert!(!seen.looks_like(&Entry::unseen(1, 2, 4, 4)));
    }
}
