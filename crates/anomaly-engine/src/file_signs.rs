//! What the written files themselves say, where someone looked into them: names and attributes.

use anomaly_detectors::Divergence;
use anomaly_features::{SuspiciousExtensions, SuspiciousFound, Unit, counted};
use anomaly_model::{
    AnomalyKind, AttributeHistograms, BackupJob, Direction, FeatureName, Finding, PValue, Severity,
};
use anomaly_settings::DetectionSettings;

use crate::alarm::Alarm;
use crate::sentence::listed;
use crate::written_files::{FilesCalled, WrittenFiles};

/// So many files with an extension of ransomware are no accident.
const MANY_FILES: u64 = 10;
/// Fewer may be a download.
const SOME_FILES: u64 = 3;
/// How strange files are that call themselves the work of an attacker, in powers of ten.
const NAMED_SCORE: f64 = 6.0;
/// An attribute that moved less than this part of the one that moved most is not named.
const NAMED_PART: f64 = 0.3;

/// What the written files of a job say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FileSigns<'a> {
    /// How far their attributes lie from the usual ones, if that is strange.
    attributes: Option<Divergence>,
    /// Whether the attributes are as strange as was reported before, and in the same way.
    goes_on: bool,
    /// The files with suspicious extensions that are not known to be usual here.
    suspicious: Option<SuspiciousFound<'a>>,
    notes: u64,
}

impl<'a> FileSigns<'a> {
    /// What the files say that `job` wrote, beside what is remembered; nothing if nobody looked.
    pub(crate) fn of(
        settings: &DetectionSettings,
        job: &'a BackupJob,
        past: &WrittenFiles,
    ) -> Option<Self> {
        let inspection = job.inspection()?;
        let strange = |divergence: &Divergence| {
            let most = settings.attribute_deviations.get();
            divergence
                .deviations
                .is_some_and(|deviations| deviations >= most)
        };
        let attributes = past
            .divergence(job)
            .filter(|divergence| settings.rules.attribute_shift && strange(divergence));
        let goes_on = attributes
            .as_ref()
            .is_some_and(|divergence| past.goes_on(job, most_usual_bits(settings, divergence)));
        let suspicious = || {
            let list = SuspiciousExtensions::new(
                settings.include_extensions.names(),
                settings.exclude_extensions.names(),
            );
            let found = list.found_in(job)?;
            Some(found.without(|extension, files| past.knows(extension, files)))
        };
        let notes = inspection
            .ransom_note_files
            .filter(|_| settings.rules.ransom_note);
        Some(Self {
            attributes,
            goes_on,
            suspicious: settings
                .rules
                .suspicious_extension
                .then(suspicious)
                .flatten(),
            notes: notes.unwrap_or(0),
        })
    }

    /// Whether the attributes are not to be learnt.
    pub(crate) fn are_attributes_strange(&self) -> bool {
        self.attributes.is_some()
    }

    /// Whether the attributes are strange, and that is news.
    pub(crate) fn tells_of_attributes(&self) -> bool {
        self.attributes.is_some() && !self.goes_on
    }

    /// The suspicious extensions.
    pub(crate) fn suspicious_extensions(&self) -> Vec<FilesCalled> {
        let found = self.suspicious.iter().flat_map(|found| &found.extensions);
        let called = found.map(|&(extension, _, files)| FilesCalled {
            extension: extension.to_owned(),
            files,
        });
        called.collect()
    }

    /// Every reason for an alarm.
    pub(crate) fn alarms(&self, settings: &DetectionSettings) -> Vec<Alarm> {
        let alarms = [
            self.suspicious_extension(settings),
            self.ransom_note(),
            self.attribute_shift(settings),
        ];
        alarms.into_iter().flatten().collect()
    }

    fn suspicious_extension(&self, settings: &DetectionSettings) -> Option<Alarm> {
        let found = self.suspicious.as_ref()?;
        if !found.raised(settings.suspicious_extension_percent.get() / 100.0) {
            return None;
        }
        let files = found.files;
        let severity = match files {
            MANY_FILES.. => Severity::High,
            SOME_FILES.. => Severity::Medium,
            _ => Severity::Low,
        };
        let names = found.extensions.iter();
        let names = names.map(|(extension, family, _)| format!(".{extension} ({family})"));
        let summary = format!(
            "{files} of {} have an extension that ransomware gives: {}.",
            counted(found.written_files, "written file"),
            listed(names)
        );
        let kind = AnomalyKind::MassEncryption;
        Some(named(
            Alarm::new(severity, kind, summary),
            "suspicious_extension_files",
            files,
        ))
    }

    fn ransom_note(&self) -> Option<Alarm> {
        let severity = match self.notes {
            0 => return None,
            SOME_FILES.. => Severity::High,
            _ => Severity::Medium,
        };
        let (files, are) = match self.notes {
            1 => ("1 new file".to_owned(), "is"),
            notes => (format!("{notes} new files"), "are"),
        };
        let summary = format!("{files} {are} called like a ransom note.");
        let kind = AnomalyKind::MassEncryption;
        Some(named(
            Alarm::new(severity, kind, summary),
            "ransom_note_files",
            self.notes,
        ))
    }

    fn attribute_shift(&self, settings: &DetectionSettings) -> Option<Alarm> {
        let divergence = self.attributes.as_ref().filter(|_| !self.goes_on)?;
        let summary = format!(
            "The written files are unlike any before, by {}.",
            listed(moved(divergence))
        );
        let mut alarm = Alarm::new(Severity::Low, AnomalyKind::ContentShift, summary);
        let (mean, _) = divergence.usual_bits;
        let usual = (0.0_f64.min(mean), most_usual_bits(settings, divergence));
        let score = divergence
            .p_value
            .map_or(0.0, |p| PValue::clamped(p).score());
        if let Ok(name) = FeatureName::new("attribute_divergence_bits") {
            let finding = Finding::new(name, divergence.total_bits, usual, Direction::Above, score);
            alarm.findings.push(finding);
        }
        Some(alarm)
    }
}

/// The divergence from which on attributes are strange.
fn most_usual_bits(settings: &DetectionSettings, divergence: &Divergence) -> f64 {
    let (mean, deviation) = divergence.usual_bits;
    mean + settings.attribute_deviations.get() * deviation
}

/// An alarm with the one number that it is about, which is usually 0.
fn named(mut alarm: Alarm, feature: &str, files: u64) -> Alarm {
    if let Ok(name) = FeatureName::new(feature) {
        let (files, usual) = (files as f64, (0.0, 0.0));
        let finding = Finding::new(name, files, usual, Direction::Above, NAMED_SCORE);
        alarm.findings.push(finding);
    }
    alarm
}

/// The attributes that moved most, in words.
fn moved(divergence: &Divergence) -> Vec<String> {
    let names = AttributeHistograms::default().all().map(|(name, _)| name);
    let mut moved: Vec<(f64, &str)> = divergence
        .bits
        .iter()
        .zip(names)
        .filter_map(|(bits, name)| Some(((*bits)?, name)))
        .collect();
    moved.sort_by(|a, b| b.0.total_cmp(&a.0));
    let most = moved.first().map_or(0.0, |(bits, _)| *bits);
    moved.retain(|(bits, _)| *bits >= NAMED_PART * most);
    let words = moved.into_iter().map(|(bits, name)| {
        let words = match name {
            "access_age" => "time of access",
            "change_age" => "time of change",
            "modification_age" => "time of modification",
            "permission" => "permissions",
            name => name,
        };
        format!("{words} ({} apart)", Unit::Bits.format(bits))
    });
    words.collect()
}
