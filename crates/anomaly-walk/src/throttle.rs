//! Reading no faster than allowed.

use std::num::NonZeroU64;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Lets all threads together read so many bytes in a second.
#[derive(Debug)]
pub(crate) struct Throttle {
    bytes_per_second: NonZeroU64,
    /// When all that was granted so far is used up.
    free_at: Mutex<Instant>,
}

impl Throttle {
    pub(crate) fn new(bytes_per_second: NonZeroU64) -> Self {
        Self {
            bytes_per_second,
            free_at: Mutex::new(Instant::now()),
        }
    }

    /// Waits until so many bytes may be read.
    pub(crate) fn wait(&self, bytes: usize) {
        let pause = {
            let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
            granted(&mut free_at, Instant::now(), bytes, self.bytes_per_second)
        };
        if !pause.is_zero() {
            thread::sleep(pause);
        }
    }
}

/// How long to wait before reading so many bytes, where `free_at` moves on by the time that they
/// take. Time that nobody used is lost: there are no bursts.
fn granted(
    free_at: &mut Instant,
    now: Instant,
    bytes: usize,
    bytes_per_second: NonZeroU64,
) -> Duration {
    let start = (*free_at).max(now);
    *free_at = start + Duration::from_secs_f64(bytes as f64 / bytes_per_second.get() as f64);
    start - now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_bytes_take_so_long() {
        let rate = NonZeroU64::new(1_000).unwrap();
        let start = Instant::now();
        let mut free_at = start;
        let after = |milliseconds| start + Duration::from_millis(milliseconds);
        assert_eq!(granted(&mut free_at, start, 500, rate), Duration::ZERO);
        assert_eq!(
            granted(&mut free_at, start, 500, rate),
            Duration::from_millis(500)
        );
        assert_eq!(
            granted(&mut free_at, after(600), 100, rate),
            Duration::from_millis(400)
        );
        // Ten idle seconds give no right to ten thousand bytes at once.
        assert_eq!(
            granted(&mut free_at, after(11_000), 1_000, rate),
            Duration::ZERO
        );
        assert_eq!(
            granted(&mut free_at, after(11_000), 1, rate),
            Duration::from_secs(1)
        );
    }
}
