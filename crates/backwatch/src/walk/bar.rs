//! A progress bar for a walk.

use std::sync::OnceLock;
use std::time::Instant;

use anomaly_features::Unit;
use anomaly_walk::WalkProgress;
use indicatif::{ProgressBar, ProgressStyle};

use crate::progress::PATIENCE;

/// A progress bar on standard error that shows once the walk has taken a second, on a terminal. Its
/// threads share it.
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
