//! What is remembered of the written files of a stream, where someone looked into them.

use std::collections::VecDeque;

use anomaly_detectors::{Divergence, HistogramDivergence};
use anomaly_model::{BackupJob, JobKey};
use serde::{Deserialize, Serialize};

use crate::history::push_bounded;

/// Anomalous jobs whose files wait for a person.
const HELD: usize = 8;
/// Extensions that a person has said are usual here.
const KNOWN_EXTENSIONS: usize = 64;

/// What is remembered of the written files of a stream.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct WrittenFiles {
    attributes: HistogramDivergence,
    /// Those of the last job that was reported for them: what goes on from there is no news.
    reported: Option<Histograms>,
    known_extensions: VecDeque<FilesCalled>,
    held: VecDeque<HeldFiles>,
    /// The attributes before a person last accepted some, so that this can be taken back.
    before_accepted: Option<BeforeAccepted>,
}

/// Files with a suspicious extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FilesCalled {
    pub(crate) extension: String,
    pub(crate) files: u64,
}

/// What the files of an anomalous job would teach, and whether a person says that they do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct HeldFiles {
    job: JobKey,
    attributes: Option<Histograms>,
    suspicious: Vec<FilesCalled>,
    accepted: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct BeforeAccepted {
    job: JobKey,
    attributes: HistogramDivergence,
}

impl WrittenFiles {
    /// Whether nobody ever looked into the stream's files.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How far the attributes of the files that `job` wrote lie from the usual ones.
    pub(crate) fn divergence(&self, job: &BackupJob) -> Option<Divergence> {
        Some(self.attributes.of(&borrowed(&histograms(job)?)))
    }

    /// Whether the attributes of the files that `job` wrote are those that were reported last, as
    /// far as `most_bits` apart.
    pub(crate) fn goes_on(&self, job: &BackupJob, most_bits: f64) -> bool {
        let Some((reported, now)) = self.reported.as_ref().zip(histograms(job)) else {
            return false;
        };
        let mut usual = HistogramDivergence::default();
        usual.learn(&borrowed(reported), 1.0);
        usual.of(&borrowed(&now)).total_bits <= most_bits
    }

    /// Whether a person has said that so many files with this extension are usual here.
    pub(crate) fn knows(&self, extension: &str, files: u64) -> bool {
        let accepted = self.held.iter().filter(|held| held.accepted);
        let accepted = accepted.flat_map(|held| &held.suspicious);
        self.known_extensions
            .iter()
            .chain(accepted)
            .any(|known| known.extension == extension && files <= known.files)
    }

    /// Takes in the files of a usual job.
    pub(crate) fn learn(&mut self, job: &BackupJob, rate: f64) {
        if let Some(histograms) = histograms(job) {
            self.attributes.learn(&borrowed(&histograms), rate);
            self.reported = None;
        }
    }

    /// Notes that the attributes of the files of `job` were reported.
    pub(crate) fn note_reported(&mut self, job: &BackupJob) {
        self.reported = histograms(job);
    }

    /// Keeps what the files of an anomalous job would teach, until a person decides.
    pub(crate) fn hold(&mut self, job: &BackupJob, suspicious: Vec<FilesCalled>) {
        if job.inspection().is_none() {
            return;
        }
        if self.held.len() >= HELD
            && let Some(gone) = self.held.pop_front().filter(|gone| gone.accepted)
        {
            for known in gone.suspicious {
                push_bounded(&mut self.known_extensions, known, KNOWN_EXTENSIONS);
            }
        }
        self.held.push_back(HeldFiles {
            job: job.key(),
            attributes: histograms(job),
            suspicious,
            accepted: false,
        });
    }

    /// Learns the files of an anomalous job after all: that such attributes are usual, as much as
    /// all that was before, and as many files with such extensions.
    pub(crate) fn accept(&mut self, job: &JobKey) {
        let held = self.held.iter_mut().find(|held| held.job == *job);
        let Some(held) = held.filter(|held| !held.accepted) else {
            return;
        };
        held.accepted = true;
        if let Some(attributes) = &held.attributes {
            self.before_accepted = Some(BeforeAccepted {
                job: job.clone(),
                attributes: self.attributes.clone(),
            });
            self.attributes.learn(&borrowed(attributes), HALF);
        }
    }

    /// Takes back that the files of a job are usual. Attributes stay as they are when others were
    /// learnt since, until the stream's own jobs replace them.
    pub(crate) fn retract(&mut self, job: &JobKey) {
        let held = self.held.iter_mut().find(|held| held.job == *job);
        let Some(held) = held.filter(|held| held.accepted) else {
            return;
        };
        held.accepted = false;
        let before = self.before_accepted.take_if(|before| before.job == *job);
        if let Some((before, accepted)) = before.zip(held.attributes.as_ref()) {
            let mut then = before.attributes.clone();
            then.learn(&borrowed(accepted), HALF);
            if then == self.attributes {
                self.attributes = before.attributes;
            }
        }
    }
}

/// What a person accepts counts as much as all that was before.
const HALF: f64 = 0.5;

/// The attributes of written files, in the order of [`AttributeHistograms::all`].
///
/// [`AttributeHistograms::all`]: anomaly_model::AttributeHistograms::all
type Histograms = [Vec<u64>; 6];

fn histograms(job: &BackupJob) -> Option<Histograms> {
    let attributes = job.inspection()?.attributes.as_ref()?;
    Some(attributes.all().map(|(_, ranges)| ranges.to_vec()))
}

fn borrowed(histograms: &Histograms) -> [&[u64]; 6] {
    histograms.each_ref().map(Vec::as_slice)
}
