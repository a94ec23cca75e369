//! A progress bar, for a person who waits.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anomaly_features::Unit;
use anomaly_walk::WalkProgress;
use indicatif::{ProgressBar, ProgressStyle};

/// Nobody needs a bar for less.
const PATIENCE: Duration = Duration::from_secs(1);

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
        self.done += 1;
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

/// How far a walk has come; shows like [`Progress`]. Threads share it.
#[derive(Debug)]
pub(crate) struct WalkBar {
    since: Instant,
    expected_files: Option<u64>,
    bar: OnceLock<ProgressBar>,
}

impl WalkBar {
    pub(crate) fn new(expected_files: Option<u64>) -> Self {
        Self {
            since: Instant::now(),
            expected_files,
            bar: OnceLock::new(),
        }
    }

    pub(crate) fn tell(&self, progress: WalkProgress) {
        if self.bar.get().is_none() && self.since.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_init(|| {
            let (bar, template) = match self.expected_files {
                Some(files) => (
                    ProgressBar::new(files),
                    "{wide_bar} {human_pos} of about {human_len} files, {msg} read",
                ),
                None => (
                    ProgressBar::new_spinner(),
                    "{spinner} {human_pos} files, {msg} read",
                ),
            };
            match ProgressStyle::with_template(template) {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        bar.set_position(progress.files);
        bar.set_message(Unit::Bytes.format(progress.read_bytes as f64));
    }
}

impl Drop for WalkBar {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}
