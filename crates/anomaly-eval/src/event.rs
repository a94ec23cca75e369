//! What happened in a branch, and what the judge said to it.

use serde::Serialize;

use crate::naming::naming;
use crate::{Answer, Branch, Label};

/// What happened in a branch (an attack, a fault, a legitimate mass change), and what the judge
/// said to the jobs that it touched.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Event {
    /// The history it is in.
    pub history: String,
    /// The branch.
    pub branch: u32,
    /// The family: `ransomware`, `destruction`, `exfil`, `ops`, `benign`, ...
    pub family: String,
    /// The kind, such as `enc_full_inplace`.
    pub kind: String,
    /// The share of the files that the first affected job has touched.
    pub share_touched: f64,
    /// The answer to each affected job.
    pub answers: Vec<Option<Answer>>,
    /// Of a slow attack, where it is known: the share of the files that was touched up to each
    /// affected job.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub touched_in_all: Vec<f64>,
}

impl Event {
    pub(crate) fn new(history: &str, branch: &Branch, answers: Vec<Option<Answer>>) -> Self {
        Self {
            history: history.to_owned(),
            branch: branch.number,
            family: branch.family().to_owned(),
            kind: branch.kind().to_owned(),
            share_touched: branch.share_touched(),
            answers,
            touched_in_all: branch
                .affected()
                .filter_map(|job| in_all(&branch.labels[job]))
                .collect(),
        }
    }

    /// Whether a slow attack was flagged before this share of the files was touched; `None` if it
    /// is not slow, or it is not known how far it had come.
    #[must_use]
    pub(crate) fn is_flagged_before(&self, share: f64) -> Option<bool> {
        if self.touched_in_all.is_empty() {
            return None;
        }
        let touched = self
            .first_alarm()
            .and_then(|(job, _)| self.touched_in_all.get(job));
        Some(touched.is_some_and(|touched| *touched < share))
    }

    /// Whether it is neither a fault nor legitimate.
    #[must_use]
    pub fn is_attack(&self) -> bool {
        !matches!(self.family.as_str(), "benign" | "ops")
    }

    /// The answer to the first affected job.
    #[must_use]
    pub fn first(&self) -> Option<&Answer> {
        self.answers.first()?.as_ref()
    }

    /// The first alarm, and the place of its job among the affected ones, from 0.
    #[must_use]
    pub fn first_alarm(&self) -> Option<(usize, &Answer)> {
        let answers = self.answers.iter().enumerate();
        answers
            .filter_map(|(place, answer)| Some((place, answer.as_ref()?)))
            .find(|(_, answer)| answer.is_alarm())
    }

    /// Whether the first alarm says what it is, by [`naming`]; `None` without an alarm, and where
    /// there is no right name.
    #[must_use]
    pub fn is_named(&self) -> Option<bool> {
        let (_, alarm) = self.first_alarm()?;
        Some(naming(&self.family, &self.kind)?.accepts(alarm))
    }

    /// The groups that it is counted in.
    pub(crate) fn groups(&self) -> Vec<String> {
        let mut groups = vec![
            self.family.clone(),
            format!("{}/{}", self.family, self.kind),
        ];
        if self.family == "ransomware" {
            let size = if self.kind.starts_with("drip") {
                "drip"
            } else if self.share_touched >= 0.15 {
                "fast"
            } else {
                "small"
            };
            groups.push(format!("ransomware: {size}"));
        }
        if self.is_attack() {
            groups.push("ALL ATTACKS".to_owned());
        }
        groups
    }
}

/// The share of the files that an event has touched up to this job, which the labels of slow
/// attacks hold.
fn in_all(label: &Label) -> Option<f64> {
    label.severity.as_ref()?.more.get("frac_total")?.as_f64()
}
