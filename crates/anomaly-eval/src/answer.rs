//! What a judge says about a job.

use anomaly_model::{AnomalyKind, Judgement, Severity, Verdict};
use serde::Serialize;

/// What a judge says about a job.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Answer {
    /// The conclusion.
    pub state: State,
    /// How strange the job is, if the judge can say: larger is stranger.
    pub score: Option<f64>,
    /// What it looks like, if the judge tells kinds apart.
    pub kind: Option<AnomalyKind>,
    /// How much it matters, if the judge says.
    pub severity: Option<Severity>,
    /// In words; may be empty.
    pub summary: String,
}

/// The conclusion about a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing unusual.
    Normal,
    /// Unusual: an alarm.
    Anomalous,
    /// Too little history.
    WarmingUp,
    /// Not judged.
    NotScored,
}

impl State {
    /// Its name, as in the verdict record.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Anomalous => "anomalous",
            Self::WarmingUp => "warming_up",
            Self::NotScored => "not_scored",
        }
    }
}

impl Answer {
    /// An answer that says no more than this.
    #[must_use]
    pub fn new(state: State, score: Option<f64>) -> Self {
        Self {
            state,
            score,
            kind: None,
            severity: None,
            summary: String::new(),
        }
    }

    /// Whether it is an alarm.
    #[must_use]
    pub fn is_alarm(&self) -> bool {
        self.state == State::Anomalous
    }

    /// The score by which jobs are put in order: an alarm without a score is above all scores, a
    /// quiet answer without one below.
    #[must_use]
    pub fn level(&self) -> f64 {
        match self.score {
            Some(score) => score,
            None if self.is_alarm() => f64::INFINITY,
            None => f64::NEG_INFINITY,
        }
    }
}

impl From<Verdict> for Answer {
    fn from(verdict: Verdict) -> Self {
        let state = match verdict.judgement {
            Judgement::Normal => State::Normal,
            Judgement::Anomalous { .. } => State::Anomalous,
            Judgement::WarmingUp => State::WarmingUp,
            _ => State::NotScored,
        };
        Self {
            state,
            score: verdict.score(),
            kind: verdict.kind(),
            severity: verdict.severity(),
            summary: verdict.summary,
        }
    }
}
