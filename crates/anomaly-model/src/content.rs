//! Statistics of what a job wrote.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::numbers::numbers;
use crate::raw::{Key, Raw};

numbers! {
    /// Statistics of the new and changed files of a job: what the written bytes look like.
    ///
    /// Entropy is Shannon's, in bits per byte, 0 to 8. "Random" means that the bytes pass a test
    /// for randomness, as ciphertext does.
    pub struct ContentStatistics, unchecked ContentRecord {
        /// Mean entropy over new and changed files, 0 to 8 bits.
        mean_entropy_bits: bits,
        /// Mean entropy over new files, 0 to 8 bits.
        mean_entropy_bits_new: bits,
        /// Mean entropy over changed files, 0 to 8 bits.
        mean_entropy_bits_changed: bits,
        /// Mean change of entropy of changed files against their previous version, -8 to 8 bits.
        entropy_delta_bits_changed: bits_change,
        /// Standard deviation of entropy over new and changed files, 0 to 8 bits.
        entropy_sd_bits: bits,
        /// Share of the written bytes that are printable, 0 to 1.
        printable_share: share,
        /// New and changed files whose bytes look random, in whatever symbols, or in parts where
        /// ordinary ones do not.
        random_files: whole,
        /// Share of the new files with an entropy above 7.9 bits, 0 to 1.
        high_entropy_share_new: share,
        /// Share of the changed files with an entropy above 7.9 bits, 0 to 1.
        high_entropy_share_changed: share,
        /// New files whose extension this client never had.
        unseen_extension_files: whole,
        /// Share of the new files whose extension this client never had, 0 to 1.
        unseen_extension_share_new: share,
        /// Different extensions in the image.
        extension_count: whole,
        /// Total variation distance between the old and the new mix of extensions, 0 to 1.
        extension_shift: share,
        /// Files with the size of one that vanished, under another name.
        renamed_files: whole,
        /// New and changed files of length 0, whatever they held before.
        emptied_files: whole,
        /// Bytes of the new and changed files.
        written_bytes: whole,
        /// Bytes of the deleted files, and of the versions that changed and renamed files replaced.
        deleted_bytes: whole,
    }
}

impl<'de> Deserialize<'de> for ContentRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = ContentRecord;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`content` to be an object of content statistics")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ContentRecord, A::Error> {
                let mut record = ContentRecord::default();
                while let Some(Key(key)) = map.next_key()? {
                    record.set(&key, map.next_value::<Option<Raw>>()?);
                }
                Ok(record)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

impl<'de> Deserialize<'de> for ContentStatistics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ContentRecord::deserialize(deserializer)?
            .check()
            .map_err(serde::de::Error::custom)
    }
}
