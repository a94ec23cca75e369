//! What other settings would have said.

use std::ops::ControlFlow;

use super::AnomalyService;
use crate::{Backtest, BacktestReport, ServiceError};

impl AnomalyService {
    /// Replays what is stored under other settings, on this thread, and changes nothing. For several
    /// threads, progress and breaking off, see [`Backtest::run`].
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn backtest(&self, backtest: &Backtest) -> Result<BacktestReport, ServiceError> {
        backtest.run_on(&*self.store, |_| ControlFlow::Continue(()))
    }
}
