//! A sink that fails is left alone for a while, however much waits for it.

use std::collections::BTreeSet;
use std::time::Duration;

use anomaly_model::chrono::{DateTime, TimeDelta};
use anomaly_notify::Backoff;
use tokio::time::Instant;

/// No wait is longer: what waits is told soon after the sink works again.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(5);

/// How often a sink has failed since it last worked, and when it is tried again.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    failures: u32,
    until: Option<Instant>,
    /// Messages that it was tried with.
    tried: BTreeSet<u64>,
}

impl Outage {
    /// Whether the last try has failed.
    pub(crate) fn is_on(&self) -> bool {
        self.failures > 0
    }

    /// Whether it is too early to try again.
    pub(crate) fn is_left_alone(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }

    /// The sink was tried with these messages, and failed; it asks to be left alone for `least`.
    pub(crate) fn failed(&mut self, messages: impl IntoIterator<Item = u64>, least: Duration) {
        self.failures = self.failures.saturating_add(1);
        self.tried.extend(messages);
        let mut backoff = Backoff::default();
        backoff.longest = LONGEST_WAIT;
        backoff.give_up_after = TimeDelta::MAX;
        let seed = self.tried.first().copied().unwrap_or_default();
        let begin = DateTime::UNIX_EPOCH;
        let wait = backoff.next(self.failures, begin, seed);
        let wait = wait.and_then(|until| (until - begin).to_std().ok());
        self.until = Instant::now().checked_add(wait.unwrap_or_default().max(least));
    }

    /// Which of these groups of messages to try first: one that it was not tried with, so that a
    /// message that it never takes does not stand before all others.
    pub(crate) fn first_to_try(&mut self, groups: &[Vec<u64>]) -> usize {
        let is_new = |group: &Vec<u64>| group.iter().all(|number| !self.tried.contains(number));
        groups.iter().position(is_new).unwrap_or_else(|| {
            self.tried.clear();
            0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One try for each wait, which grows to five minutes and no further; what the receiver asks for
    /// counts when it is more.
    #[tokio::test(start_paused = true)]
    async fn a_sink_that_fails_is_tried_once_for_each_wait() {
        let mut outage = Outage::default();
        let mut tries = Vec::new();
        for second in 0..3_600 {
            if !outage.is_left_alone() {
                tries.push(second);
                outage.failed([1], Duration::ZERO);
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let waits: Vec<u32> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!((5..=10).contains(&waits[0]), "{waits:?}");
        assert!((12..=30).contains(&waits.len()), "{waits:?}");
        assert!(waits.iter().all(|wait| *wait <= 300), "{waits:?}");

        outage.failed([1], Duration::from_mins(20));
        tokio::time::advance(Duration::from_mins(19)).await;
        assert!(outage.is_left_alone());
        tokio::time::advance(Duration::from_mins(1)).await;
        assert!(!outage.is_left_alone() && outage.is_on());
    }

    #[tokio::test]
    async fn messages_take_turns() {
        let mut outage = Outage::default();
        let groups = [vec![1, 2], vec![3], vec![4]];
        for place in [0, 1, 2, 0, 1] {
            assert_eq!(outage.first_to_try(&groups), place);
            outage.failed(groups[place].iter().copied(), Duration::ZERO);
        }
    }
}
