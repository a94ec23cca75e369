//! When to try again.

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};

/// When to try again after a failure: each time after about twice as long, up to a longest wait,
/// until so much time has been waited in all.
///
/// ```
/// use anomaly_notify::Backoff;
/// # let now = anomaly_model::chrono::DateTime::UNIX_EPOCH;
/// let backoff = Backoff::default();
/// let wait = backoff.next(1, now, 7).ok_or("a first wait")? - now;
/// assert!(wait.num_seconds() >= 5 && wait.num_seconds() <= 10);
/// assert_eq!(backoff.next(10_000, now, 7), None);
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// The wait after the first failure, at most.
    pub first: TimeDelta,
    /// No wait is longer.
    pub longest: TimeDelta,
    /// After waits of so much in all (each at its most) nothing is tried any more. Waiting for quiet
    /// hours to end does not count.
    pub give_up_after: TimeDelta,
}

impl Default for Backoff {
    /// 10 seconds, an hour, three days: a long weekend.
    fn default() -> Self {
        Self {
            first: TimeDelta::seconds(10),
            longest: TimeDelta::hours(1),
            give_up_after: TimeDelta::days(3),
        }
    }
}

impl Backoff {
    /// When to try again after `attempts` failures, the last of them at `now`; `None` to give up.
    ///
    /// The wait lies between half of its length and all of it, by `seed`: so that not all that
    /// failed at once is tried again at once.
    #[must_use]
    pub fn next(&self, attempts: u32, now: DateTime<Utc>, seed: u64) -> Option<DateTime<Utc>> {
        let longest_ms = self.longest.num_milliseconds().max(1);
        let mut wait_ms = self.first.num_milliseconds().clamp(1, longest_ms);
        let mut waited_ms = wait_ms;
        for attempt in 1..attempts {
            if wait_ms == longest_ms {
                let rest = i64::from(attempts - attempt);
                waited_ms = waited_ms.saturating_add(longest_ms.saturating_mul(rest));
                break;
            }
            wait_ms = wait_ms.saturating_mul(2).min(longest_ms);
            waited_ms = waited_ms.saturating_add(wait_ms);
        }
        if waited_ms > self.give_up_after.num_milliseconds() {
            return None;
        }
        let half_ms = wait_ms / 2;
        let more_ms =
            split_mix(seed ^ u64::from(attempts).rotate_left(32)) % (half_ms.unsigned_abs() + 1);
        let wait = TimeDelta::milliseconds(wait_ms - half_ms + i64::try_from(more_ms).ok()?);
        now.checked_add_signed(wait)
    }
}

/// One number of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
fn split_mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
