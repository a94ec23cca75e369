//! What holds for the statistics of any bytes.

use anomaly_features::content::{BlockStatistics, FileStatistics, Sampling, StoredStatistics};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::data::{encrypted_where, examined, random, text};

fn sampling() -> impl Strategy<Value = Sampling> {
    prop_oneof![
        Just(Sampling::Full),
        Just(Sampling::Head),
        any::<u64>().prop_map(|seed| Sampling::Strided { seed }),
    ]
}

/// Text with a random part: blocks of every kind.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    (
        prop_oneof![0..600_usize, 0..20_000_usize, 0..400_000_usize],
        any::<u64>(),
        0..7_u64,
    )
        .prop_map(|(size, seed, period)| {
            encrypted_where(seed, &text(size), |at| at as u64 / 5_000 % 7 >= period)
        })
}

/// Places at which the bytes are cut.
fn cuts() -> impl Strategy<Value = Vec<usize>> {
    vec(
        prop_oneof![0..10_usize, 0..10_000_usize, 0..100_000_usize],
        0..40,
    )
}

fn pieces<'a>(mut bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for cut in cuts {
        let (piece, rest) = bytes.split_at((*cut).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces.push(bytes);
    pieces
}

fn fed(mut statistics: BlockStatistics, pieces: &[&[u8]]) -> FileStatistics {
    for piece in pieces {
        statistics.update(piece);
    }
    statistics.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Wherever the bytes are cut, and whether the size is known from the start, the same bytes give
    /// the same statistics; after another file, too, and in a copy.
    #[test]
    fn cuts_change_nothing(bytes in bytes(), cuts in cuts(), sampling in sampling(), known: bool) {
        let size = known.then_some(bytes.len() as u64);
        let whole = fed(BlockStatistics::new(sampling, size), &[&bytes]);
        let pieces = pieces(&bytes, &cuts);
        let new = BlockStatistics::new(sampling, size);
        prop_assert_eq!(&fed(new.clone(), &pieces), &whole);
        prop_assert_eq!(&fed(new, &pieces), &whole);
        let mut used = BlockStatistics::new(sampling, Some(70_000));
        used.update(&random(1, 9_000));
        used.restart(size);
        prop_assert_eq!(&fed(used, &pieces), &whole);
        prop_assert_eq!(whole.size_bytes, bytes.len() as u64);
    }

    /// A reader that jumps finds what one finds that reads everything.
    #[test]
    fn what_is_not_looked_at_may_be_skipped(bytes in bytes(), sampling in sampling()) {
        let size = bytes.len() as u64;
        let mut jumping = BlockStatistics::new(sampling, Some(size));
        let mut read = 0;
        let mut at = 0;
        for range in sampling.ranges(size) {
            jumping.skip(range.start - at);
            jumping.update(&bytes[range.start as usize..range.end as usize]);
            read += range.end - range.start;
            at = range.end;
        }
        jumping.skip(size - at);
        let found = jumping.finish();
        prop_assert_eq!(found.examined_bytes, read);
        prop_assert_eq!(found, examined(&bytes, sampling));
    }

    /// The numbers are those of their definitions, over the bytes that are looked at.
    #[test]
    fn numbers_are_those_of_a_naive_count(bytes in bytes(), sampling in sampling()) {
        let found = examined(&bytes, sampling);
        let read: Vec<u8> = sampling
            .ranges(bytes.len() as u64)
            .flat_map(|range| &bytes[range.start as usize..range.end as usize])
            .copied()
            .collect();
        let n = read.len() as f64;
        prop_assert_eq!(found.examined_bytes, read.len() as u64);
        if read.is_empty() {
            return Ok(());
        }
        let mut counts = [0.0; 256];
        for byte in &read {
            counts[usize::from(*byte)] += 1.0;
        }
        let seen = counts.iter().filter(|count| **count > 0.0);
        let shannon: f64 = seen.clone().map(|count| -count / n * (count / n).log2()).sum();
        let bias = (seen.count() as f64 - 1.0) / (2.0 * n * std::f64::consts::LN_2);
        prop_assert!((found.entropy_bits - (shannon + bias).min(8.0)).abs() < 1e-9);
        let chi_square: f64 = counts.iter().map(|count| (count - n / 256.0).powi(2) * 256.0 / n).sum();
        match found.chi_square_per_degree {
            Some(per_degree) => prop_assert!((per_degree * 255.0 / chi_square - 1.0).abs() < 1e-9),
            None => prop_assert!(n < 512.0),
        }
        let printable = |byte: &&u8| matches!(**byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
        let share = read.iter().filter(printable).count() as f64 / n;
        prop_assert!((found.printable_share - share).abs() < 1e-12);
    }

    /// Ranges ascend, do not overlap, lie in the file, hold its first and its last bytes, and are few.
    #[test]
    fn ranges_lie_in_the_file(size in prop_oneof![0..200_000_u64, any::<u64>()], seed: u64) {
        let sampling = Sampling::Strided { seed };
        let mut end = 0;
        let mut blocks = 0;
        // Of the largest files the middle is taken on trust.
        for range in sampling.ranges(size).take(20_000) {
            prop_assert!(range.start >= end && range.start < range.end && range.end <= size);
            prop_assert!(range.end - range.start <= 3 * Sampling::BLOCK_BYTES);
            prop_assert!(blocks > 0 || range.start == 0);
            end = range.end;
            blocks += 1;
        }
        prop_assert_eq!(end, size);
        prop_assert!(blocks <= Sampling::MOST_BLOCKS);
        let stretches = size / Sampling::STRETCH_BYTES;
        prop_assert!(blocks >= stretches.min(Sampling::MOST_BLOCKS / 2), "{blocks}");
    }

    /// No bytes, sizes or skips are too strange.
    #[test]
    fn nothing_is_too_strange(
        steps in vec(
            (any::<bool>(), prop_oneof![0..200_000_u64, any::<u64>()], 0..9_000_usize),
            0..20,
        ),
        size in proptest::option::of(any::<u64>()),
        sampling in sampling(),
        extension in ".{0,5}",
    ) {
        let mut statistics = BlockStatistics::new(sampling, size);
        for (skip, number, length) in steps {
            if skip {
                statistics.skip(number);
            } else {
                statistics.update(&random(number, length));
            }
        }
        let found = statistics.finish();
        prop_assert!((0.0..=8.0).contains(&found.entropy_bits));
        prop_assert!((0.0..=1.0).contains(&found.printable_share));
        prop_assert!(found.serial_correlation.is_none_or(|r| (-1.0..=1.0).contains(&r)));
        prop_assert!(found.chi_square_p.is_none_or(|p| (0.0..=1.0).contains(&p)));
        let _ = found.contradicts(&extension);
        let stored = found.stored();
        prop_assert_eq!(StoredStatistics::from_bytes(stored.to_bytes()), Some(stored));
        prop_assert!((stored.entropy_bits() - found.entropy_bits).abs() <= 1.0 / 256.0);
    }

    /// Every three bytes are read, or are nothing.
    #[test]
    fn three_bytes_are_read_or_nothing(bytes: [u8; 3]) {
        if let Some(stored) = StoredStatistics::from_bytes(bytes) {
            prop_assert_eq!(stored.to_bytes(), bytes);
        }
    }
}

/// Without a size, the tail is looked at all the same, and so is the head.
#[test]
fn a_stream_of_unknown_size_is_looked_at_up_to_its_end() {
    for size in [3_000, 40_000, 300_000, 1 << 20] {
        let bytes = encrypted_where(3, &text(size), |at| at + 4_096 >= size);
        let mut statistics = BlockStatistics::new(Sampling::Strided { seed: 1 }, None);
        bytes.chunks(777).for_each(|piece| statistics.update(piece));
        let found = statistics.finish();
        assert_eq!(found.tail_random, Some(true), "{size}");
        assert_eq!(found.head_random, Some(size < 4_096), "{size}");
        assert!(found.examined_bytes >= 4_096.min(size as u64));
    }
}

/// Whoever does not know the seed can spare no block of a file, of whatever size.
#[test]
fn every_block_is_looked_at_by_some_seed() {
    let parts = |size: usize| (0..size).step_by(2_000).map(move |start| (size, start));
    for (size, start) in [15_000, 100_000, 200_000].into_iter().flat_map(parts) {
        let mut bytes = vec![0; size];
        bytes[start..size.min(start + 2_000)].fill(u8::MAX);
        for known in [Some(bytes.len() as u64), None] {
            let mut seeds = 0..2_000;
            let is_seen = seeds.any(|seed| {
                let mut statistics = BlockStatistics::new(Sampling::Strided { seed }, known);
                statistics.update(&bytes);
                statistics.finish().entropy_bits > 0.1
            });
            assert!(is_seen, "{start} of {size}, {known:?}");
        }
    }
}

/// A file of a terabyte is as many blocks as one of a gigabyte; nobody has to read it.
#[test]
fn a_terabyte_is_few_blocks() {
    let sampling = Sampling::Strided { seed: 5 };
    let terabyte = 1_u64 << 40;
    let mut statistics = BlockStatistics::new(sampling, Some(terabyte));
    let zeros = [0; 4_096];
    let mut at = 0;
    for range in sampling.ranges(terabyte) {
        statistics.skip(range.start - at);
        statistics.update(&zeros[..(range.end - range.start) as usize]);
        at = range.end;
    }
    statistics.skip(terabyte - at);
    let found = statistics.finish();
    assert_eq!(found.size_bytes, terabyte);
    assert_eq!(found.examined_bytes, 64 << 20);
    assert!(found.entropy_bits < 1e-9);
}

/// Blocks do not keep step with any period: of each of 16 places in a stretch, some are looked at.
#[test]
fn blocks_are_spread_over_stretches() {
    let mut places = [0_u32; 16];
    for range in (Sampling::Strided { seed: 0 }).ranges(1 << 30) {
        places[(range.start / 4_096 % 16) as usize] += 1;
    }
    // 16,384 blocks, 1,024 to each place, give or take four deviations.
    assert!(
        places.iter().all(|count| (900..1_150).contains(count)),
        "{places:?}"
    );
}
