//! Ordinary bytes, and what attackers make of them.

use anomaly_features::content::{BlockStatistics, FileStatistics, Sampling};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Full, strided and head reading.
pub(crate) const SAMPLINGS: [Sampling; 3] = [
    Sampling::Full,
    Sampling::Strided { seed: 7 },
    Sampling::Head,
];

macro_rules! files {
    ($($name:literal),*) => {
        /// Files as ordinary programs write them, made by `files/make.py`.
        pub(crate) const FILES: &[(&str, &[u8])] =
            &[$(($name, include_bytes!(concat!("files/", $name)))),*];
    };
}

files![
    "document.docx",
    "library.rlib",
    "measured.f64",
    "paper.pdf",
    "photo.bmp",
    "photo.gif",
    "photo.jpg",
    "photo.png",
    "photo.webp",
    "sound.wav",
    "source.bz2",
    "source.gz",
    "source.lz4",
    "source.xz",
    "source.zst",
    "source19.zst",
    "store.sqlite",
    "table.csv",
    "table.xlsx"
];

/// One of [`FILES`].
pub(crate) fn file(name: &str) -> &'static [u8] {
    FILES.iter().find(|(file, _)| *file == name).unwrap().1
}

/// Source text of this crate, repeated beyond its length.
pub(crate) fn text(bytes: usize) -> Vec<u8> {
    const SOURCES: [&str; 6] = [
        include_str!("../../src/content/seen.rs"),
        include_str!("../../src/content/observation.rs"),
        include_str!("../../src/content/statistics.rs"),
        include_str!("../../src/content/nature.rs"),
        include_str!("../../src/share.rs"),
        include_str!("../../README.md"),
    ];
    let all = SOURCES.iter().flat_map(|source| source.bytes());
    all.cycle().take(bytes).collect()
}

/// Machine code, repeated beyond its length.
pub(crate) fn program(bytes: usize) -> Vec<u8> {
    file("library.rlib")
        .iter()
        .copied()
        .cycle()
        .take(bytes)
        .collect()
}

/// Random bytes: the key stream of a cipher.
pub(crate) fn random(seed: u64, bytes: usize) -> Vec<u8> {
    let mut stream = vec![0; bytes];
    ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut stream);
    stream
}

/// Bytes, encrypted.
pub(crate) fn encrypted(seed: u64, plain: &[u8]) -> Vec<u8> {
    let stream = random(seed, plain.len());
    plain
        .iter()
        .zip(stream)
        .map(|(byte, key)| byte ^ key)
        .collect()
}

/// Bytes, of which those at the places that `hit` names are encrypted.
pub(crate) fn encrypted_where(seed: u64, plain: &[u8], hit: impl Fn(usize) -> bool) -> Vec<u8> {
    let cipher = encrypted(seed, plain);
    let bytes = plain.iter().zip(cipher).enumerate();
    bytes
        .map(|(at, (plain, cipher))| if hit(at) { cipher } else { *plain })
        .collect()
}

/// Each byte of an alphabet replaced by a random one of the same, as format-preserving encryption
/// does, whatever its key.
pub(crate) fn format_preserved(seed: u64, plain: &[u8], alphabets: &[&[u8]]) -> Vec<u8> {
    let mut stream = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |length: usize| (stream.next_u64() % length as u64) as usize;
    let mut replace = |byte: &u8| {
        let alphabet = alphabets.iter().find(|alphabet| alphabet.contains(byte));
        alphabet.map_or(*byte, |alphabet| alphabet[below(alphabet.len())])
    };
    plain.iter().map(&mut replace).collect()
}

/// Bytes in base 2^`bits`, the highest bits first, in the symbols of `alphabet`.
pub(crate) fn in_base(alphabet: &[u8], bits: u32, plain: &[u8]) -> Vec<u8> {
    let (mut pending, mut width) = (0_u32, 0);
    let mut written = Vec::new();
    for byte in plain {
        pending = pending << 8 | u32::from(*byte);
        width += 8;
        while width >= bits {
            width -= bits;
            written.push(alphabet[(pending >> width & ((1 << bits) - 1)) as usize]);
        }
    }
    written
}

/// Groups of four bytes as five digits of base 85.
pub(crate) fn in_base_85(alphabet: &[u8; 85], plain: &[u8]) -> Vec<u8> {
    let (groups, _) = plain.as_chunks::<4>();
    let digits = groups.iter().flat_map(|group| {
        let number = u32::from_be_bytes(*group);
        [4, 3, 2, 1, 0].map(|place| alphabet[(number / 85_u32.pow(place) % 85) as usize])
    });
    digits.collect()
}

/// With a line break after every so many bytes.
pub(crate) fn in_lines(bytes: &[u8], length: usize) -> Vec<u8> {
    bytes
        .chunks(length)
        .flat_map(|line| [line, b"\r\n"].concat())
        .collect()
}

pub(crate) const BASE_64: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
pub(crate) const BASE_64_URL: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
pub(crate) const BASE_32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
pub(crate) const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";
/// RFC 1924's, which Git and Python use.
pub(crate) const BASE_85: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
pub(crate) const ASCII_85: &[u8; 85] =
    b"!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstu";

/// What is found in these bytes, handed over in pieces, when a reader reads all.
pub(crate) fn examined(bytes: &[u8], sampling: Sampling) -> FileStatistics {
    let mut statistics = BlockStatistics::new(sampling, Some(bytes.len() as u64));
    bytes
        .chunks(30_000)
        .for_each(|piece| statistics.update(piece));
    statistics.finish()
}
