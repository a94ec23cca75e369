//! Names and times as numbers that only this state's key can make.

use siphasher::sip::SipHasher13;

/// The secret of a state file.
///
/// Without it nobody can choose names that collide, or times that look unchanged.
pub(crate) type Key = [u8; 16];

/// The low 48 bits of a hash: what is kept of a file's name.
pub(crate) const NAME_BITS: u32 = 48;

/// What a state makes of names and times.
///
/// Each kind of value has a key of its own, so that none stands for one of another kind.
#[derive(Debug, Clone)]
pub(crate) struct KeyedHash {
    directory: SipHasher13,
    name: SipHasher13,
    modified: SipHasher13,
    changed: SipHasher13,
    seed: u64,
}

impl KeyedHash {
    pub(crate) fn new(key: &Key) -> Self {
        let root = SipHasher13::new_with_key(key);
        let derived = |purpose: u8| {
            SipHasher13::new_with_keys(root.hash(&[purpose, 0]), root.hash(&[purpose, 1]))
        };
        Self {
            directory: derived(1),
            name: derived(2),
            modified: derived(3),
            changed: derived(4),
            seed: root.hash(&[5]),
        }
    }

    /// A directory, by its path below the root; the root's own is empty.
    pub(crate) fn directory(&self, path: &[u8]) -> u64 {
        self.directory.hash(path)
    }

    /// A file, by its name in its directory: 48 bits, so that two of a million files in one
    /// directory share a number in one of 560 states, and are then read more often than needed.
    pub(crate) fn name(&self, name: &[u8]) -> u64 {
        self.name.hash(name) >> (u64::BITS - NAME_BITS)
    }

    /// The time of modification.
    pub(crate) fn modified(&self, time: Time) -> u16 {
        short(self.modified.hash(&time.bytes()))
    }

    /// The time of the last change of content or attributes.
    pub(crate) fn changed(&self, time: Time) -> u16 {
        short(self.changed.hash(&time.bytes()))
    }

    /// Where the sampling of large files starts: nobody without the key knows what is not looked at.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }
}

fn short(hash: u64) -> u16 {
    let [a, b, ..] = hash.to_le_bytes();
    u16::from_le_bytes([a, b])
}

/// A file's time, as the file system keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Time {
    /// Since 1970; may be negative.
    pub(crate) seconds: i64,
    /// Of the second.
    pub(crate) nanoseconds: u32,
}

impl Time {
    fn bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let (seconds, nanoseconds) = bytes.split_at_mut(8);
        seconds.copy_from_slice(&self.seconds.to_le_bytes());
        nanoseconds.copy_from_slice(&self.nanoseconds.to_le_bytes());
        bytes
    }
}
