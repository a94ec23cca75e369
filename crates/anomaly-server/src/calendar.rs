//! What each client's days were like, kept in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anomaly_model::chrono::{Days, NaiveDate};
use anomaly_model::{AnomalyKind, Judgement, Severity, Verdict};

/// Days that are shown.
pub(crate) const DAYS: u16 = 90;

/// The worst of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Day {
    /// No job came.
    #[default]
    Nothing,
    /// Jobs came, and none could be judged.
    NotJudged,
    /// A stream was warming up: its jobs were judged by rules, and by what is strange in any stream.
    WarmingUp,
    /// All that was judged was normal.
    Normal,
    /// A job that was due did not come.
    Missed,
    Low,
    Medium,
    High,
}

impl Day {
    fn of(verdict: &Verdict) -> Self {
        match verdict.judgement {
            Judgement::Normal => Self::Normal,
            Judgement::WarmingUp => Self::WarmingUp,
            Judgement::Anomalous {
                kind: AnomalyKind::MissedBackup,
                ..
            } => Self::Missed,
            Judgement::Anomalous { severity, .. } => match severity {
                Severity::High => Self::High,
                Severity::Medium => Self::Medium,
                _ => Self::Low,
            },
            _ => Self::NotJudged,
        }
    }

    pub(crate) fn is_strange(self) -> bool {
        self >= Self::Missed
    }

    /// The class of its colour.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::NotJudged => "not-judged",
            Self::WarmingUp => "warming-up",
            Self::Normal => "normal",
            Self::Missed => "missed",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Nothing => "no job",
            Self::NotJudged => "not judged",
            Self::WarmingUp => "warming up",
            Self::Normal => "normal",
            Self::Missed => "a job was missed",
            Self::Low => "anomaly, low",
            Self::Medium => "anomaly, medium",
            Self::High => "anomaly, high",
        }
    }
}

/// Anomalies of one day, by severity: low, medium, high.
pub(crate) type Counts = [u32; 3];

/// What each client's days were like; filled from the store at the start, then job by job.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    clients: BTreeMap<String, BTreeMap<NaiveDate, Day>>,
    counts: BTreeMap<NaiveDate, Counts>,
    /// The day before which nothing is kept.
    first: NaiveDate,
    is_complete: bool,
}

impl Inner {
    /// Drops the days before the first one that is shown, and clients of which no day is left.
    fn forget_before(&mut self, first: NaiveDate) {
        if first == self.first {
            return;
        }
        self.first = first;
        self.clients.retain(|_, days| {
            days.retain(|date, _| *date >= first);
            !days.is_empty()
        });
        self.counts.retain(|date, _| *date >= first);
    }
}

/// A client's days, the oldest first.
pub(crate) type ClientDays = (String, Vec<Day>);

impl Calendar {
    /// Takes down a verdict. Days that are not shown any more go, counted from `today`.
    pub(crate) fn note(&self, verdict: &Verdict, today: NaiveDate) {
        let date = verdict.started_at.date_naive();
        let first = first_of(today);
        if date < first || date > today + Days::new(1) {
            return;
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.forget_before(first);
        let client = inner.clients.entry(verdict.client.to_string()).or_default();
        let day = client.entry(date).or_default();
        *day = (*day).max(Day::of(verdict));
        if let Some(severity) = verdict.severity() {
            let place = match severity {
                Severity::High => 2,
                Severity::Medium => 1,
                _ => 0,
            };
            inner.counts.entry(date).or_default()[place] += 1;
        }
    }

    /// Forgets all: it is filled anew.
    pub(crate) fn clear(&self) {
        *self.inner.lock().unwrap_or_else(PoisonError::into_inner) = Inner::default();
    }

    /// From now on, all of the past is in it.
    pub(crate) fn complete(&self) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.is_complete = true;
    }

    /// Whether all of the past is in it.
    pub(crate) fn is_complete(&self) -> bool {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.is_complete
    }

    /// The days of at most `most` clients up to `today`: those with the worst and newest anomalies
    /// first; and how many clients there are.
    pub(crate) fn clients(&self, today: NaiveDate, most: usize) -> (Vec<ClientDays>, usize) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.forget_before(first_of(today));
        let mut ranked: Vec<_> = inner
            .clients
            .iter()
            .map(|(name, days)| {
                let strange = days.iter().rev().find(|(_, day)| day.is_strange());
                (strange.map(|(date, day)| (*date, *day)), name, days)
            })
            .collect();
        ranked.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        let all = ranked.len();
        let shown = ranked.into_iter().take(most).map(|(_, name, days)| {
            let of = |date: NaiveDate| days.get(&date).copied().unwrap_or_default();
            (name.clone(), dates(today).map(of).collect())
        });
        (shown.collect(), all)
    }

    /// Anomalies of each day up to `today`, the oldest first.
    pub(crate) fn counts(&self, today: NaiveDate) -> Vec<(NaiveDate, Counts)> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |date| (date, inner.counts.get(&date).copied().unwrap_or_default());
        dates(today).map(of).collect()
    }
}

fn first_of(today: NaiveDate) -> NaiveDate {
    let back = Days::new(u64::from(DAYS) - 1);
    today.checked_sub_days(back).unwrap_or(NaiveDate::MIN)
}

fn dates(today: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    first_of(today).iter_days().take(DAYS.into())
}

#[cfg(test)]
mod tests {
    use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
    use anomaly_model::{BackupJob, Judgement};

    use super::*;

    fn noted(calendar: &Calendar, client: &str, at: DateTime<Utc>, today: NaiveDate) {
        let job = BackupJob::builder("restic", "1", client, "daily", at);
        let judgement = Judgement::Anomalous {
            severity: Severity::High,
            kind: AnomalyKind::MassDeletion,
        };
        let verdict = Verdict::new(&job.build().unwrap(), judgement, "As the test says.");
        calendar.note(&verdict, today);
    }

    /// While a stream warms up its jobs are judged by what needs no history; one that is not scored nobody
    /// has judged.
    #[test]
    fn warming_up_is_told_from_not_judged() {
        let at: DateTime<Utc> = "2026-01-01T22:00:00Z".parse().unwrap();
        let job = BackupJob::builder("restic", "1", "mail01", "daily", at);
        let job = job.build().unwrap();
        let reason = "detection is switched off".to_owned();
        for (judgement, words) in [
            (Judgement::WarmingUp, "warming up"),
            (Judgement::NotScored { reason }, "not judged"),
        ] {
            let calendar = Calendar::default();
            let verdict = Verdict::new(&job, judgement, "As the test says.");
            calendar.note(&verdict, at.date_naive());
            let (clients, _) = calendar.clients(at.date_naive(), 1);
            assert_eq!(clients[0].1.last().map(|day| day.words()), Some(words));
        }
    }

    /// A client is there for as long as it has a day that is shown, whether or not others send jobs.
    #[test]
    fn who_is_gone_is_forgotten() {
        let calendar = Calendar::default();
        let start: DateTime<Utc> = "2026-01-01T22:00:00Z".parse().unwrap();
        let day = |number: i64| start + TimeDelta::days(number);
        let shown = |today: i64| {
            let (clients, all) = calendar.clients(day(today).date_naive(), 30);
            let names: Vec<String> = clients.into_iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), all);
            names
        };
        noted(&calendar, "gone01", day(0), day(0).date_naive());
        noted(&calendar, "mail01", day(50), day(50).date_naive());
        assert_eq!(shown(89), ["mail01", "gone01"]);
        assert_eq!(shown(90), ["mail01"]);
        noted(&calendar, "web02", day(140), day(140).date_naive());
        assert_eq!(shown(140), ["web02"]);
        // A clock that was set back and is right again brings nobody back.
        noted(&calendar, "gone01", day(0), day(0).date_naive());
        assert_eq!(shown(140), ["web02"]);
    }
}
