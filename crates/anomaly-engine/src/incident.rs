//! What was reported and still goes on.

use anomaly_features::Share;
use serde::{Deserialize, Serialize};

use crate::statistic::LONGEST_WINDOW;
use crate::surprise::Surprise;

/// After so many jobs in which it could have shown, and did not, it is over.
const LASTING_JOBS: u8 = 7;
/// Evidence that grew this many powers of ten is news.
const NEWS: f64 = 0.5;
/// So is a share of this many times what was reported.
const WORSE: f64 = 1.5;

/// What was reported and still goes on, or comes again within a week: a stream that drips or has
/// changed for good strikes every day anew, and a person wants to hear of it once, and again when it
/// gets worse.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Incident {
    symptom: Symptom,
    /// The evidence when it was last reported, in powers of ten.
    strength: f64,
    /// The largest share that stood out when it was last reported.
    share: f64,
    /// Jobs since it last showed.
    quiet_jobs: u8,
    /// Jobs since it was last reported.
    pub(crate) age_jobs: u32,
}

/// By what an incident is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Symptom {
    /// A share of one job, by its place among all.
    Share(u8),
    /// A share of every job of late, whichever.
    Sustained,
}

impl Symptom {
    fn of(surprise: &Surprise) -> Option<Self> {
        let leading = surprise.leading()?.statistic;
        if leading.is_sustained() {
            return Some(Self::Sustained);
        }
        let place = Share::ALL
            .iter()
            .position(|share| *share == leading.share)?;
        u8::try_from(place).ok().map(Self::Share)
    }

    /// After so many jobs without it, it is over. One job without a change hides it from the smallest
    /// of each window that the job is in, however long it goes on.
    fn lasting_jobs(self) -> u8 {
        match self {
            Self::Share(_) => LASTING_JOBS,
            Self::Sustained => LASTING_JOBS + LONGEST_WINDOW,
        }
    }
}

impl Incident {
    /// Whether it showed in the last job.
    pub(crate) fn shows(&self) -> bool {
        self.quiet_jobs == 0
    }

    /// Whether what is seen now is the same again, and no worse. What every job of late shows, the
    /// single one shows too.
    pub(crate) fn covers(&self, surprise: &Surprise) -> bool {
        let now = Symptom::of(surprise);
        let same = now == Some(self.symptom) || now.is_some() && self.symptom == Symptom::Sustained;
        same && surprise.strength <= self.strength + NEWS
            && surprise.largest_share() <= self.share * WORSE
    }

    /// What goes on after a job: `surprise` if it was strange, `told` if that was reported.
    pub(crate) fn after(
        before: Option<Self>,
        surprise: Option<&Surprise>,
        told: bool,
    ) -> Option<Self> {
        let Some((symptom, surprise)) = surprise.and_then(|now| Some((Symptom::of(now)?, now)))
        else {
            let quiet = before.map(|before| Self {
                quiet_jobs: before.quiet_jobs.saturating_add(1),
                age_jobs: before.age_jobs.saturating_add(1),
                ..before
            });
            return quiet.filter(|incident| incident.quiet_jobs < incident.symptom.lasting_jobs());
        };
        // What it is compared with moves only when a person hears of it: small steps add up to news.
        let same = before.filter(|before| !told && before.covers(surprise));
        Some(Self {
            symptom,
            strength: same.map_or(surprise.strength, |same| same.strength),
            share: same.map_or(surprise.largest_share(), |same| same.share),
            quiet_jobs: 0,
            age_jobs: same.map_or(0, |same| same.age_jobs.saturating_add(1)),
        })
    }
}
