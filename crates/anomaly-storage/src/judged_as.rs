//! How a job was judged, in one word.

use anomaly_model::Judgement;

/// How a job was judged, in one word: the `state` of its verdict record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JudgedAs {
    /// Nothing unusual in what could be seen.
    Normal,
    /// An anomaly.
    Anomalous,
    /// Too little history yet.
    WarmingUp,
    /// Not judged.
    NotScored,
}

impl JudgedAs {
    /// The verdict record's word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Anomalous => "anomalous",
            Self::WarmingUp => "warming_up",
            Self::NotScored => "not_scored",
        }
    }
}

impl From<&Judgement> for JudgedAs {
    fn from(judgement: &Judgement) -> Self {
        match judgement {
            Judgement::Normal => Self::Normal,
            Judgement::Anomalous { .. } => Self::Anomalous,
            Judgement::WarmingUp => Self::WarmingUp,
            // Whatever else a job may be, it was not scored.
            _ => Self::NotScored,
        }
    }
}
