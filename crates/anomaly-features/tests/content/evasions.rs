//! What attackers do so as not to be seen: each is seen, and its ordinary counterpart is not.

use std::sync::Arc;

use anomaly_features::content::{
    Alphabet, DenseBy, FileObservation, FileStatistics, FilesSeen, Inspected, Inspection, Nature,
    Sampling,
};
use anomaly_model::{FileChange, FileReason};

use crate::data::{
    ASCII_85, BASE_32, BASE_64, BASE_64_URL, BASE_85, FILES, HEXADECIMAL, SAMPLINGS, encrypted,
    encrypted_where, examined, file, format_preserved, in_base, in_base_85, in_lines, program,
    random, text,
};

const BOTH: [Sampling; 2] = [SAMPLINGS[0], SAMPLINGS[1]];

/// What a job finds in which each of these files was changed from `before` to `after`.
fn changed(files: &[(&str, &[u8], &[u8])], sampling: Sampling) -> Inspected {
    let mut seen = FilesSeen::new(Arc::new(Inspection::new()));
    for (path, before, after) in files {
        let (before, after) = (examined(before, sampling), examined(after, sampling));
        seen.observe(&observed(path, &before, &after));
    }
    seen.finish()
}

fn observed<'a>(
    path: &'a str,
    before: &FileStatistics,
    after: &'a FileStatistics,
) -> FileObservation<'a> {
    let mut file = FileObservation::new(path, FileChange::Changed);
    file.size_bytes = Some(after.size_bytes);
    file.size_bytes_before = Some(before.size_bytes);
    file.statistics = Some(after);
    file.before = Some(before.stored());
    file
}

/// The reasons for which the one file of such a job is notable.
fn reasons(path: &str, before: &[u8], after: &[u8], sampling: Sampling) -> Vec<FileReason> {
    let job = changed(&[(path, before, after)], sampling);
    let counted = job.image.content.unwrap().random_files.unwrap();
    let reasons = job
        .files
        .notable_files
        .first()
        .map(|file| file.reasons.clone());
    let reasons = reasons.unwrap_or_default();
    let random = [
        FileReason::LooksRandom,
        FileReason::Encoded,
        FileReason::PartlyRandom,
    ];
    // What the file is named for and what is counted are the same.
    assert_eq!(
        counted > 0,
        reasons.iter().any(|reason| random.contains(reason)),
        "{path} {sampling:?} {reasons:?}"
    );
    reasons
}

/// Ciphertext in the symbols of an encoding is told from text, tables and databases in the same symbols;
/// not so from pictures and compressed data, which are even enough when they are encoded.
#[test]
fn base64_and_other_encodings() {
    type Encode = fn(&[u8]) -> Vec<u8>;
    let encodings: [(Alphabet, Encode); 9] = [
        (Alphabet::Base64, |bytes| {
            in_lines(&in_base(BASE_64, 6, bytes), 76)
        }),
        (Alphabet::Base64, |bytes| {
            [in_base(BASE_64, 6, bytes), b"==".to_vec()].concat()
        }),
        (Alphabet::Base64, |bytes| in_base(BASE_64_URL, 6, bytes)),
        (Alphabet::Base32, |bytes| {
            in_lines(&in_base(BASE_32, 5, bytes), 64)
        }),
        (Alphabet::Base32, |bytes| {
            in_base(BASE_32, 5, bytes).to_ascii_lowercase()
        }),
        (Alphabet::Hexadecimal, |bytes| {
            in_lines(&in_base(HEXADECIMAL, 4, bytes), 32)
        }),
        (Alphabet::Hexadecimal, |bytes| {
            in_base(HEXADECIMAL, 4, bytes).to_ascii_uppercase()
        }),
        (Alphabet::Base85, |bytes| in_base_85(BASE_85, bytes)),
        (Alphabet::Base85, |bytes| {
            in_lines(&in_base_85(ASCII_85, bytes), 72)
        }),
    ];
    for (number, (alphabet, encode)) in encodings.into_iter().enumerate() {
        for size in [600, 5_000, 60_000, 1_000_000] {
            let plain = text(size);
            let attacked = encode(&encrypted(number as u64, &plain));
            for sampling in BOTH {
                let nature = examined(&attacked, sampling).nature;
                assert_eq!(
                    nature,
                    Nature::Encoded(alphabet),
                    "{number} {size} {sampling:?}"
                );
                let found = reasons("notes.txt", &plain, &attacked, sampling);
                assert!(found.contains(&FileReason::Encoded), "{found:?}");
                let was = "d/photo.jpg";
                let found = reasons(was, file("photo.jpg"), &attacked, sampling);
                assert!(found.contains(&FileReason::ContradictsType), "{found:?}");
            }
            for ordinary in [&plain[..], file("store.sqlite"), file("table.csv")] {
                let encoded = encode(&ordinary[..size.min(ordinary.len())]);
                for sampling in BOTH {
                    let found = reasons("notes.txt", ordinary, &encoded, sampling);
                    let wrong = found.contains(&FileReason::Encoded);
                    assert!(!wrong, "{number} {size} {sampling:?}");
                }
            }
        }
    }
}

/// A base that has no name, and one symbol for each two bits of a digit, are seen as well.
#[test]
fn alphabets_without_a_name() {
    let letters: Vec<u8> = (b'a'..=b'z')
        .chain(b'A'..=b'Z')
        .chain(b'0'..=b'9')
        .collect();
    let printable: Vec<u8> = (b'!'..=b'~').collect();
    for alphabet in [&letters[..], &letters[..36], &letters[..52], &printable] {
        let attacked = format_preserved(1, &vec![alphabet[0]; 40_000], &[alphabet]);
        let found = examined(&attacked, Sampling::Full);
        let symbols = alphabet.len() as u8;
        assert_eq!(found.nature, Nature::Encoded(Alphabet::Other(symbols)));
    }
}

/// Letters stay letters and digits stay digits, all else stays: text and tables are never so even.
#[test]
fn format_preserving_alphabets() {
    let small: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
    let capital: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let digits: &[u8] = b"0123456789";
    let classes = [small, capital, digits];
    let numbers = |row: u64| {
        format!(
            "{row:06};{:.3};{}\n",
            row as f64 * 1.37,
            1_700_000_000 + row
        )
    };
    let numbers: Vec<u8> = (0..3_000)
        .flat_map(|row| numbers(row).into_bytes())
        .collect();
    let table = file("table.csv").to_vec();
    for (path, plain, classes) in [
        ("notes.txt", text(3_000), &classes[..]),
        ("notes.txt", text(200_000), &classes[..]),
        ("notes.txt", text(200_000), &classes[..2]),
        ("table.csv", table.clone(), &classes[..]),
        ("numbers.csv", numbers.clone(), &classes[2..]),
    ] {
        let attacked = format_preserved(9, &plain, classes);
        for sampling in BOTH {
            let found = reasons(path, &plain, &attacked, sampling);
            assert!(
                found.contains(&FileReason::Encoded),
                "{path} {sampling:?} {found:?}"
            );
        }
    }
    let uuids = |row: u64| {
        let digits = in_base(HEXADECIMAL, 4, &random(row, 16));
        let hex = String::from_utf8(digits).unwrap();
        format!(
            "{}-{}-4{}-a{}-{}\n",
            &hex[..8],
            &hex[8..12],
            &hex[13..16],
            &hex[17..20],
            &hex[20..]
        )
    };
    let uuids: Vec<u8> = (0..500).flat_map(|row| uuids(row).into_bytes()).collect();
    let counter: Vec<u8> = (0..20_000)
        .flat_map(|row| format!("{row:06}\n").into_bytes())
        .collect();
    for ordinary in [text(3_000), text(200_000), table, numbers, uuids, counter] {
        for sampling in BOTH {
            let found = examined(&ordinary, sampling);
            assert_eq!(found.nature, Nature::Plain, "{sampling:?} {found:?}");
        }
    }
}

/// Three per cent of a file, at its beginning, at its end, or in its middle.
#[test]
fn three_per_cent_of_a_file() {
    for size in [300_000, 2_000_000] {
        let part = size * 3 / 100;
        for (where_from, samplings) in
            [(0, &BOTH[..]), (size - part, &BOTH), (size / 3, &BOTH[..1])]
        {
            let hit = |at: usize| (where_from..where_from + part).contains(&at);
            for plain in [text(size), program(size)] {
                let attacked = encrypted_where(4, &plain, hit);
                for sampling in samplings {
                    let found = reasons("data", &plain, &attacked, *sampling);
                    let seen = found.contains(&FileReason::PartlyRandom);
                    assert!(seen, "{size} {where_from} {sampling:?} {found:?}");
                }
            }
        }
    }
}

/// Ransomware writes before or behind the ciphertext what it needs to take it back: a mark, a key, text.
///
/// Where a little of it falls into a block that is whole, that block looks compressed, and so may the
/// file: one in ten at most, of files of any size.
#[test]
fn something_is_put_before_or_behind() {
    let mut tried = 0;
    let mut missed = Vec::new();
    // 1,000 to 300,000 bytes, each a tenth more than the one before.
    let sizes = std::iter::successors(Some(1_000_usize), |size| Some(size + size / 10));
    for (seed, size) in (1_000..).zip(sizes.take_while(|size| *size < 300_000)) {
        let plain = text(size);
        let cipher = encrypted(seed, &plain);
        let length = (size / 8).min(900);
        let note = in_base(BASE_64, 6, &random(3, length))[..length].to_vec();
        let zeros = vec![0; length];
        for (before, behind) in [
            (&b""[..], &b""[..]),
            (b"Salted__", b""),
            (&note, b""),
            (b"", &note),
            (b"", &zeros),
            (b"LOCKED", &note),
        ] {
            let attacked = [before, &cipher, behind].concat();
            for sampling in BOTH {
                let found = reasons("notes", &plain, &attacked, sampling);
                tried += 1;
                if !found.contains(&FileReason::LooksRandom) {
                    missed.push((size, before.len(), behind.len(), sampling));
                }
            }
        }
    }
    assert!(missed.len() * 10 < tried, "of {tried}: {missed:?}");
}

/// A part that is shorter than a block, in the middle: text shows it by bytes that it never has.
#[test]
fn a_short_part_of_a_text() {
    let plain = text(1_000_000);
    let attacked = encrypted_where(4, &plain, |at| (500_000..502_048).contains(&at));
    let found = reasons("notes", &plain, &attacked, Sampling::Full);
    assert_eq!(found, [FileReason::PartlyRandom]);
}

/// Only the first bytes: enough to make a file useless.
#[test]
fn the_beginning_of_a_file() {
    for part in [1_024, 4_096, 65_536] {
        for sampling in SAMPLINGS {
            for (name, bytes) in FILES.iter().filter(|(_, bytes)| bytes.len() > 4 * part) {
                let attacked = encrypted_where(6, bytes, |at| at < part);
                let found = reasons(name, bytes, &attacked, sampling);
                assert!(!found.is_empty(), "{name} {part} {sampling:?}");
                // Names that promise a beginning show it even if nothing is known of the file before.
                let extension = name.rsplit_once('.').unwrap().1;
                let promises = !["f64", "lz4", "rlib"].contains(&extension);
                let found = examined(&attacked, sampling);
                assert_eq!(
                    found.contradicts(extension),
                    promises,
                    "{name} {part} {found:?}"
                );
            }
        }
    }
}

/// Every other block, of any length, also one that is shorter than what is counted at once.
#[test]
fn every_other_block() {
    let size = 3_000_000;
    let plain = text(size);
    let program = program(size);
    for block in [16, 4_096, 65_536, 1 << 20] {
        let hit = |at: usize| (at / block).is_multiple_of(2);
        for sampling in BOTH {
            let attacked = encrypted_where(5, &plain, hit);
            let found = reasons("log", &plain, &attacked, sampling);
            assert!(
                found.contains(&FileReason::PartlyRandom),
                "{block} {sampling:?} {found:?}"
            );
            if block > 16 {
                let attacked = encrypted_where(5, &program, hit);
                let found = reasons("tool", &program, &attacked, sampling);
                assert!(
                    found.contains(&FileReason::PartlyRandom),
                    "{block} {sampling:?} {found:?}"
                );
            }
        }
    }
    // 64 KiB of each MiB: of 47 blocks that are looked at, 3 are hit.
    let attacked = encrypted_where(5, &plain, |at| at % (1 << 20) < 65_536);
    for sampling in BOTH {
        let found = reasons("log", &plain, &attacked, sampling);
        assert!(found.contains(&FileReason::PartlyRandom), "{sampling:?}");
    }
    // An archive of texts and pictures is random in parts too: of a file that always was so, nothing
    // is said, nor of one of which nothing is known, unless its name is that of text.
    let archive = [text(300_000), file("source.xz").repeat(6), text(40_000)].concat();
    for sampling in BOTH {
        assert_eq!(examined(&archive, sampling).nature, Nature::PartlyRandom);
        assert_eq!(reasons("mail.mbox", &archive, &archive, sampling), []);
    }
    let found = examined(&archive, Sampling::Full);
    assert!(!found.contradicts("mbox") && found.contradicts("txt"));
}

/// A format whose beginning is kept while the rest is encrypted lacks the end that it always has.
#[test]
fn the_beginning_is_kept() {
    for name in [
        "document.docx",
        "table.xlsx",
        "photo.png",
        "paper.pdf",
        "source.xz",
    ] {
        let attacked = encrypted_where(8, file(name), |at| at >= 512);
        let extension = name.rsplit_once('.').unwrap().1;
        for sampling in BOTH {
            assert!(
                examined(&attacked, sampling).contradicts(extension),
                "{name}"
            );
            assert!(
                !examined(file(name), sampling).contradicts(extension),
                "{name}"
            );
            let found = reasons(name, file(name), &attacked, sampling);
            assert!(
                found.contains(&FileReason::ContradictsType),
                "{name} {found:?}"
            );
        }
    }
    // Compressors that end in no way of their own are not told from ciphertext behind their beginning.
    let attacked = encrypted_where(8, file("source.gz"), |at| at >= 100);
    let nature = examined(&attacked, Sampling::Full).nature;
    assert_eq!(nature, Nature::Compressed);
}

/// Size and time of modification are put back: equal bytes have equal statistics, these do not.
#[test]
fn size_and_time_are_kept() {
    let plain = text(50_000);
    let secretly = |after: &[u8], modified: i64| {
        let (before, after) = (
            examined(&plain, Sampling::Strided { seed: 2 }),
            examined(after, Sampling::Strided { seed: 2 }),
        );
        let mut file = observed("a.txt", &before, &after);
        file.modified_seconds = Some(modified);
        file.modified_seconds_before = Some(1_000);
        let mut seen = FilesSeen::new(Arc::new(Inspection::new()));
        seen.observe(&file);
        let files = seen.finish().files.notable_files;
        files
            .iter()
            .any(|file| file.reasons.contains(&FileReason::SecretlyChanged))
    };
    assert!(secretly(&encrypted(1, &plain), 1_000));
    assert!(secretly(
        &encrypted_where(1, &plain, |at| at < 4_096),
        1_000
    ));
    // New permissions, a new owner, another link: not the content.
    assert!(!secretly(&plain, 1_000));
    // Somebody saved it.
    assert!(!secretly(&encrypted(1, &plain), 2_000));
    assert!(!secretly(&text(50_001), 1_000));
}

/// What each of these tiny new files holds, together.
fn tiny(files: impl Iterator<Item = Vec<u8>>) -> (u64, u64) {
    let inspection = Arc::new(Inspection::new());
    // Two threads.
    let mut halves = [(); 2].map(|()| FilesSeen::new(Arc::clone(&inspection)));
    for (number, bytes) in files.enumerate() {
        let found = examined(&bytes, Sampling::Full);
        let path = format!("d/{number}");
        let mut file = FileObservation::new(&path, FileChange::New);
        file.size_bytes = Some(found.size_bytes);
        file.statistics = Some(&found);
        halves[number % 2].observe(&file);
    }
    let [mut all, other] = halves;
    all.merge(other);
    let job = all.finish();
    let random = job.image.content.unwrap().random_files.unwrap();
    (random, job.files.undecided_files.unwrap())
}

/// Files too small to tell alone are told together, or it is said that they are not.
#[test]
fn many_tiny_files() {
    let sizes = |number: u64| 40 + (number * 37 % 200) as usize;
    let source = text(250_000);
    let note = |number: u64| {
        let start = number as usize * 113 % 240_000;
        source[start..start + sizes(number)].to_vec()
    };
    let (hit, undecided) = tiny((0..2_000).map(|number| encrypted(number, &note(number))));
    // Of random files a few are unlike it by chance.
    assert!(hit >= 1_980, "{hit}");
    assert_eq!(undecided, 0);
    assert_eq!(tiny((0..2_000).map(note)), (0, 0));
    // As many bytes as a small file has are too few even together.
    assert_eq!(
        tiny((0..5).map(|number| encrypted(number, &note(number)))),
        (0, 5)
    );

    // Small records with counters, lengths and flags in them.
    let record = |number: u64| {
        let mut bytes = vec![10, 8, 0, 0];
        bytes.extend(number.to_le_bytes());
        bytes.extend(random(number, 24));
        bytes.extend((number as f64).sqrt().to_le_bytes());
        bytes
    };
    let (hit, _) = tiny((0..2_000).map(record));
    assert_eq!(hit, 0);
    // A tenth of the tiny files encrypted, the others text.
    let some = |number: u64| {
        let note = note(number);
        if number.is_multiple_of(10) {
            encrypted(number, &note)
        } else {
            note
        }
    };
    let (hit, _) = tiny((0..5_000).map(some));
    assert!((490..=500).contains(&hit), "{hit}");
}

/// Compressing in place makes bytes as dense as encrypting does. Magic numbers, sizes and chi-square
/// tell them apart, and where they do not, that is said.
#[test]
fn compression_is_no_encryption() {
    let plain = text(400_000);
    let dense_by = |path: &str, before: &[u8], after: &[u8]| {
        let (before, after) = (
            examined(before, Sampling::Full),
            examined(after, Sampling::Full),
        );
        observed(path, &before, &after).dense_by()
    };
    for name in [
        "source.gz",
        "source.bz2",
        "source.xz",
        "source.zst",
        "document.docx",
    ] {
        let by = dense_by(name, &plain, file(name));
        assert_eq!(by, Some(DenseBy::Compression), "{name}");
        for sampling in BOTH {
            let found = reasons(name, &plain, file(name), sampling);
            assert_eq!(found, [FileReason::EntropyRose], "{name} {sampling:?}");
        }
    }
    // Its size says that nothing was compressed, or its name that it should be something else.
    let cipher = encrypted(3, &plain);
    assert_eq!(
        dense_by("a.dat", &plain, &cipher),
        Some(DenseBy::Encryption)
    );
    assert_eq!(
        dense_by("a.txt", &plain, &cipher[..9_000]),
        Some(DenseBy::Encryption)
    );
    assert_eq!(
        dense_by(
            "a.docx",
            file("document.docx"),
            &encrypted(3, file("document.docx"))
        ),
        Some(DenseBy::Encryption)
    );
    // A fifth of the size, and nothing says what it is: xz without its beginning, or a cipher of
    // compressed data.
    let nameless = &file("source.xz")[300..];
    assert_eq!(
        dense_by("a.dat", &plain, nameless),
        Some(DenseBy::CannotTell)
    );
    assert_eq!(
        dense_by("a.dat", &plain, &encrypted(3, nameless)),
        Some(DenseBy::CannotTell)
    );
    // Still text, or dense all along.
    assert_eq!(dense_by("a.txt", &plain, &text(300_000)), None);
    assert_eq!(dense_by("a.xz", file("source.xz"), file("source.xz")), None);
}
