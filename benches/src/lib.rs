//! What the benchmarks of this workspace share: data that is the same on every run and machine.
//!
//! `cargo bench -p benches --bench detectors` measures fit and score of every detector, one thread,
//! on 1,000 and 200,000 rows by 5 and 20 columns; `--features rayon` uses all threads. A name after
//! `--` measures what has it in its own: `-- score/200000x5`.
//! `cargo bench -p benches --bench observe` measures the way from a job to a verdict,
//! `cargo bench -p benches --bench read` that from the output of a tool to its jobs, and
//! `cargo bench -p benches --bench content` looking into the bytes of files, beside copying them.
//! `cargo bench -p benches --bench fleet` judges a million jobs, and `--bench million` stores them;
//! `cargo run --release -p benches --bin records` prints them.

pub mod failure;
pub mod fleet;

use std::time::{Duration, Instant};

use ndarray::Array2;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Bell-shaped columns of different units that go along with each other; one row in a hundred lies
/// five times as far out.
#[must_use]
pub fn observations(rows: usize, columns: usize) -> Array2<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut bell = || (0..4).map(|_| random.random_range(-1.0..1.0)).sum::<f64>();
    let mut data = Array2::zeros((rows, columns));
    for (index, mut row) in data.rows_mut().into_iter().enumerate() {
        let spread = if index % 100 == 99 { 5.0 } else { 1.0 };
        let common = bell();
        for (column, value) in row.iter_mut().enumerate() {
            let unit = [1.0, 1e9, 1e-3, 60.0][column % 4];
            *value = (10.0 + spread * (common + bell())) * unit;
        }
    }
    data
}

/// Time that this thread had the processor, where the system tells (Linux); else, on the clock.
#[must_use]
pub fn processor_time(begin: Instant) -> Duration {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .map_or_else(|| begin.elapsed(), Duration::from_nanos)
}
