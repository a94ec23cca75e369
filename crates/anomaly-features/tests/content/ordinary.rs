//! How often ordinary bytes are taken for random ones, and random ones for ordinary.

use anomaly_features::content::{Nature, Sampling};

use crate::data::{FILES, SAMPLINGS, examined, file, program, random, text};

/// The nature of bytes that begin anywhere in a file: without a magic number.
fn natures(bytes: &[u8], sizes: &[usize]) -> Vec<(usize, Nature)> {
    let mut natures = Vec::new();
    for size in sizes.iter().filter(|size| **size <= bytes.len()) {
        let step = (bytes.len() - size).div_ceil(60).max(1);
        for start in (0..=bytes.len() - size).step_by(step) {
            let found = examined(&bytes[start..start + size], Sampling::Full);
            natures.push((*size, found.nature));
        }
    }
    natures
}

/// Text, tables, machine code, databases, numbers, sound, raw pictures and quick compression are never
/// taken for random, at whatever place and length, nor for an encoding.
#[test]
fn what_is_not_dense_is_never_random() {
    let ordinary = [
        text(300_000),
        program(200_000),
        file("table.csv").to_vec(),
        file("store.sqlite").to_vec(),
        file("measured.f64").to_vec(),
        file("sound.wav").to_vec(),
        file("photo.bmp").to_vec(),
        file("source.lz4").to_vec(),
    ];
    for (number, bytes) in ordinary.iter().enumerate() {
        for (size, nature) in natures(bytes, &[64, 512, 1_000, 4_096, 16_384, 65_536]) {
            let wrong = matches!(nature, Nature::Random | Nature::Encoded(_));
            assert!(!wrong, "{number} {size} {nature:?}");
        }
    }
}

/// Compressed data without their magic number are told from random ones where they are long enough,
/// but for the best compressors, whose output is random; which those are is as documented.
#[test]
fn compressed_data_without_a_beginning() {
    let random_share = |name: &str, size: usize| {
        let natures = natures(file(name), &[size]);
        let random = natures
            .iter()
            .filter(|(_, nature)| *nature == Nature::Random);
        random.count() as f64 / natures.len() as f64
    };
    for (name, enough) in [
        ("photo.jpg", 4_096),
        ("photo.gif", 4_096),
        ("table.xlsx", 8_192),
        ("source.bz2", 16_384),
        ("photo.png", 16_384),
        ("document.docx", 32_768),
        ("source.zst", 32_768),
        ("source19.zst", 32_768),
    ] {
        let share = random_share(name, enough);
        assert!(share <= 0.05, "{name} {enough} {share}");
    }
    // These show where it ends.
    assert!(random_share("source.gz", 32_768) > 0.5);
    assert!(random_share("source.xz", 32_768) > 0.95);
}

/// With their beginning they are what they say they are.
#[test]
fn ordinary_files_are_ordinary() {
    for (name, bytes) in FILES {
        for sampling in SAMPLINGS {
            let found = examined(bytes, sampling);
            let ordinary = match *name {
                "paper.pdf" => matches!(found.nature, Nature::PartlyRandom | Nature::Compressed),
                _ => matches!(found.nature, Nature::Plain | Nature::Compressed),
            };
            assert!(ordinary, "{name} {sampling:?} {found:?}");
            assert!(
                !found.contradicts(name.rsplit_once('.').unwrap().1),
                "{name} {found:?}"
            );
        }
    }
}

/// Random bytes of any length from 512 on are taken for random: in a million files one is not, by the
/// bounds of the tests; of these few thousand, all are.
#[test]
fn random_bytes_are_random() {
    for seed in 0..3_000 {
        let size = 512 + (seed * seed * 7 % 30_000) as usize;
        for sampling in SAMPLINGS {
            let found = examined(&random(seed, size), sampling);
            let weak_magic = found.nature == Nature::Compressed && found.kind.is_some();
            assert!(
                found.nature == Nature::Random || weak_magic,
                "{seed} {size} {found:?}"
            );
        }
    }
}

/// What the test can tell is known from the length alone: bytes that repeat more often than
/// [`least_repeated`] are told from random ones, whatever they are.
#[test]
fn the_power_of_the_test_is_known() {
    for size in [512, 4_096, 65_536] {
        let mut missed = 0;
        for seed in 0..400 {
            // A share of the bytes is one of half of all values only: they repeat twice as often.
            let excess = least_repeated(size);
            let share = excess.sqrt();
            let bytes = random(seed, 2 * size);
            let (bytes, coins) = bytes.split_at(size);
            let biased: Vec<u8> = bytes
                .iter()
                .zip(coins)
                .map(|(byte, coin)| {
                    if f64::from(*coin) < 256.0 * share {
                        byte | 0x80
                    } else {
                        *byte
                    }
                })
                .collect();
            missed += u32::from(examined(&biased, Sampling::Full).nature == Nature::Random);
        }
        assert!(missed <= 8, "{size}: {missed} of 400");
    }
}

/// By how much more often two bytes must be equal than by chance so that `n` bytes are told from random
/// ones 99 times in 100: a chi-square of 255 degrees of freedom and a non-centrality of 200 exceeds five
/// deviations so often, and the non-centrality is `n` times this.
fn least_repeated(n: usize) -> f64 {
    200.0 / n as f64
}
