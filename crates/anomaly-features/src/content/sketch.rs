//! A map of bounded size whose content does not depend on the order in which it was filled.

use std::collections::BTreeMap;

/// Values by a hash of their key, of at most `MOST` keys: those with the smallest hashes.
///
/// A hash that was let go never comes back among the smallest, so the values that are kept have seen
/// everything that belongs to them. Beyond `MOST` keys those that are kept are a random sample of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sketch<V, const MOST: usize> {
    values: BTreeMap<u64, V>,
    /// Hashes from here on are not kept.
    limit: Option<u64>,
}

impl<V, const MOST: usize> Default for Sketch<V, MOST> {
    fn default() -> Self {
        Self {
            values: BTreeMap::new(),
            limit: None,
        }
    }
}

impl<V, const MOST: usize> Sketch<V, MOST> {
    /// Whether a key of this hash is kept if it comes.
    pub(super) fn keeps(&self, hash: u64) -> bool {
        self.limit.is_none_or(|limit| hash < limit)
    }

    pub(super) fn get(&self, hash: u64) -> Option<&V> {
        self.values.get(&hash)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &V)> {
        self.values.iter().map(|(hash, value)| (*hash, value))
    }

    /// The value of this hash, made by `first` if it is new; `None` if it is not kept.
    pub(super) fn entry(&mut self, hash: u64, first: impl FnOnce() -> V) -> Option<&mut V> {
        if self.values.len() >= MOST && !self.values.contains_key(&hash) {
            self.make_room_for(hash);
        }
        self.keeps(hash)
            .then(|| self.values.entry(hash).or_insert_with(first))
    }

    /// Lets the largest hash go, or this new one if it is larger.
    fn make_room_for(&mut self, hash: u64) {
        let last = self.values.last_key_value().map(|(last, _)| *last);
        self.lower_limit(last.map_or(hash, |last| last.max(hash)));
    }

    /// Takes in another one; `add` adds the other's value of a hash that both have.
    pub(super) fn merge(&mut self, other: Self, mut add: impl FnMut(&mut V, V)) {
        if let Some(limit) = other.limit {
            self.lower_limit(limit);
        }
        for (hash, value) in other.values {
            if !self.keeps(hash) {
                break;
            }
            match self.values.get_mut(&hash) {
                Some(mine) => add(mine, value),
                None => {
                    self.values.insert(hash, value);
                }
            }
        }
        self.shrink();
    }

    fn lower_limit(&mut self, limit: u64) {
        if self.keeps(limit) {
            self.limit = Some(limit);
            self.values.split_off(&limit);
        }
    }

    fn shrink(&mut self) {
        while self.values.len() > MOST {
            self.limit = self.values.pop_last().map(|(hash, _)| hash);
        }
    }

    /// Takes in ascending hashes as keys that came once and have nothing, as long as there is room:
    /// no other is let go for them.
    pub(super) fn fill(&mut self, hashes: impl Iterator<Item = u64>)
    where
        V: Default,
    {
        for hash in hashes {
            if self.values.len() >= MOST || !self.keeps(hash) {
                break;
            }
            self.values.entry(hash).or_default();
        }
    }

    /// From values and a limit that were read; cut to what may be kept.
    pub(super) fn from_parts(limit: Option<u64>, values: BTreeMap<u64, V>) -> Self {
        let mut sketch = Self {
            values,
            limit: None,
        };
        if let Some(limit) = limit {
            sketch.lower_limit(limit);
        }
        sketch.shrink();
        sketch
    }

    pub(super) fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// What a count over the kept keys is over all that came: hashes lie evenly.
    pub(super) fn of_all(&self, kept: u64) -> u64 {
        match self.limit {
            Some(limit) => {
                let all = (u128::from(kept) << 64) / u128::from(limit.max(1));
                u64::try_from(all).unwrap_or(u64::MAX)
            }
            None => kept,
        }
    }
}

/// A hash that is the same on every machine and in every version: FNV-1a, then the finishing steps of
/// `SplitMix64`, so that all its bits are good.
pub(super) fn stable_hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
    let hash = bytes
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    mixed(hash)
}

/// The finishing steps of `SplitMix64`: a permutation of the numbers that leaves no pattern.
pub(super) fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
