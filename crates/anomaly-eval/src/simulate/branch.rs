//! One branch of a simulated history: what happens instead.

use anomaly_model::chrono::TimeDelta;
use anomaly_model::{BackupJob, JobStatus, ModelError};
use serde_json::{Map, Value};

use super::client::{Client, Tamper};
use super::deed::do_to;
use super::scenario::{Deed, Fault, Scenario};
use crate::{AttackSize, JobLabel, Label, Phase};

/// Jobs after the event.
const AFTER_JOBS: usize = 4;
pub(super) const MISSED_JOBS: u64 = 5;
pub(super) const THROTTLE: f64 = 5.0;
pub(super) const CLOCK_BACK: TimeDelta = TimeDelta::days(-40);

/// Writes one branch.
pub(super) struct Writer<'a> {
    pub(super) client: Client,
    pub(super) scenario: &'a Scenario,
    pub(super) number: u32,
    pub(super) base_step: u64,
    pub(super) step: u64,
    pub(super) jobs: Vec<BackupJob>,
    pub(super) labels: Vec<Label>,
}

impl Writer<'_> {
    pub(super) fn write(mut self) -> Result<(Vec<BackupJob>, Vec<Label>), ModelError> {
        let Scenario {
            family, deed, pace, ..
        } = *self.scenario;
        let (label, phase) = match family {
            "benign" => (JobLabel::Benign, Phase::Benign),
            "ops" => (JobLabel::Ops, Phase::Attack),
            _ => (JobLabel::Attack, Phase::Attack),
        };
        if deed == Deed::Fault(Fault::Missed) {
            for _ in 0..MISSED_JOBS {
                self.client.live();
                self.step += 1;
            }
        }
        let files = self.client.tree.files.len() as f64;
        let mut earlier = self.client.tree.clone();
        let (mut owed, mut touched_before) = (0.0, 0);
        for job in 0..pace.jobs() {
            self.client.live();
            if job == 0 {
                // What a restore brings back: the files as they were on the evening of the attack.
                earlier = self.client.tree.clone();
            }
            owed += pace.share(job) * files;
            let count = self.client.random.about(owed - touched_before as f64);
            let touched = do_to(&mut self.client, deed, count);
            touched_before += touched;
            let size = self.size(touched, touched_before, files);
            self.report(label, phase, tamper(deed), Some(size))?;
        }
        match family {
            "benign" => {}
            "ops" if !touches_files(deed) => {}
            _ if pace.is_slow() => return Ok((self.jobs, self.labels)),
            _ => {
                if family != "ops" {
                    self.report(JobLabel::Post, Phase::Post, Tamper::NONE, None)?;
                }
                self.client.tree.restore(&earlier);
                self.report(JobLabel::Recovery, Phase::Recovery, Tamper::NONE, None)?;
            }
        }
        for _ in 0..AFTER_JOBS {
            self.client.live();
            self.report(JobLabel::Normal, Phase::After, Tamper::NONE, None)?;
        }
        Ok((self.jobs, self.labels))
    }

    fn size(&self, touched: usize, in_all: usize, files: f64) -> AttackSize {
        // A file that gets another name is one new and one deleted file.
        let twice = match self.scenario.deed {
            Deed::Encrypt { renames: true, .. } | Deed::Rename | Deed::Compress => 2,
            _ => 1,
        };
        let share = |count: usize| (count as f64 / files.max(1.0) * 1e4).round() / 1e4;
        let mut more = Map::new();
        if self.scenario.pace.is_slow() {
            more.insert("frac_total".to_owned(), Value::from(share(in_all)));
        }
        AttackSize {
            n_touched: Some((twice * touched) as u64),
            frac_touched: Some(share(twice * touched)),
            note: None,
            more,
        }
    }

    fn report(
        &mut self,
        label: JobLabel,
        phase: Phase,
        tamper: Tamper,
        severity: Option<AttackSize>,
    ) -> Result<(), ModelError> {
        let (name, step, number) = (&self.client.name, self.step, self.number);
        let job_id = format!("{name}-{step:04}-b{number:02}");
        let kind = &self.scenario.kind;
        let attack_id = format!("{name}:{kind}:{}", self.base_step);
        let churn_frac = (self.client.tree.churn() * 1e4).round() / 1e4;
        let legitimate = matches!(label, JobLabel::Benign | JobLabel::Normal);
        self.jobs.push(self.client.report(&job_id, tamper)?);
        self.labels.push(Label {
            branch: Some(number),
            base_step: Some(self.base_step),
            step,
            job_id,
            label,
            attack_phase: Some(phase),
            attack_kind: Some(kind.clone()),
            attack_family: Some(self.scenario.family.to_owned()),
            attack_id: Some(attack_id),
            severity,
            churn_frac,
            benign_event: legitimate && churn_frac > 0.3,
            initial: false,
        });
        self.step += 1;
        Ok(())
    }
}

fn touches_files(deed: Deed) -> bool {
    !matches!(
        deed,
        Deed::Fault(Fault::Killed | Fault::Missed | Fault::Throttled | Fault::ClockBack)
    )
}

fn tamper(deed: Deed) -> Tamper {
    let none = Tamper::NONE;
    let Deed::Fault(fault) = deed else {
        return none;
    };
    match fault {
        Fault::Killed => Tamper {
            status: JobStatus::Failed,
            ..none
        },
        Fault::ReadErrors => Tamper {
            status: JobStatus::Partial,
            ..none
        },
        Fault::Throttled => Tamper {
            slower: THROTTLE,
            ..none
        },
        Fault::ClockBack => Tamper {
            clock: CLOCK_BACK,
            ..none
        },
        Fault::Shrunk | Fault::Emptied | Fault::Missed => none,
    }
}
