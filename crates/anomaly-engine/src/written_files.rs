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
    known_extensions: VecDeque<KnownExtension>,
    held: VecDeque<HeldFiles>,
}

/// A suspicious extension that is usual here, because a person said so of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct KnownExtension {
    extension: String,
    by: JobKey,
}

/// What the files of an anomalous job would teach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct HeldFiles {
    job: JobKey,
    attributes: Option<Histograms>,
    suspicious_extensions: Vec<String>,
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

    /// The extensions that a person has said are usual here.
    pub(crate) fn known_extensions(&self) -> impl Iterator<Item = &str> {
        self.known_extensions
            .iter()
            .map(|known| known.extension.as_str())
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
    pub(crate) fn hold(&mut self, job: &BackupJob, suspicious_extensions: Vec<String>) {
        if job.inspection().is_none() {
            return;
        }
        let held = HeldFiles {
            job: job.key(),
            attributes: histograms(job),
            suspicious_extensions,
        };
        push_bounded(&mut self.held, held, HELD);
    }

    /// Learns the files of an anomalous job after all: that such attributes are usual, as much as
    /// all that was before, and such extensions.
    pub(crate) fn accept(&mut self, job: &JobKey) {
        let index = self.held.iter().position(|held| held.job == *job);
        let Some(held) = index.and_then(|index| self.held.remove(index)) else {
            return;
        };
        if let Some(attributes) = &held.attributes {
            self.attributes.learn(&borrowed(attributes), HALF);
        }
        for extension in held.suspicious_extensions {
            if !self.known_extensions().any(|known| known == extension) {
                let by = job.clone();
                let known = KnownExtension { extension, by };
                push_bounded(&mut self.known_extensions, known, KNOWN_EXTENSIONS);
            }
        }
    }

    /// Takes back that the extensions of a job's files are usual. Attributes stay as they are until
    /// the stream's own jobs replace them.
    pub(crate) fn retract(&mut self, job: &JobKey) {
        self.known_extensions.retain(|known| known.by != *job);
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
