//! A progress bar, for a person who waits.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Nobody needs a bar for less.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// A progress bar on standard error that shows once the work has taken a second, on a terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    since: Instant,
    done: u64,
    total: u64,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new(total: usize) -> Self {
        Self {
            since: Instant::now(),
            done: 0,
            total: total as u64,
            bar: None,
        }
    }

    /// One more is done.
    pub(crate) fn advance(&mut self) {
        self.reach(self.done + 1);
    }

    /// So much is done.
    pub(crate) fn reach(&mut self, done: u64) {
        self.done = self.done.max(done);
        if self.bar.is_none() && self.since.elapsed() >= PATIENCE {
            let bar = ProgressBar::new(self.total);
            if let Ok(style) = ProgressStyle::with_template(
                "{wide_bar} {human_pos} of {human_len} jobs, {eta} left",
            ) {
                bar.set_style(style);
            }
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
