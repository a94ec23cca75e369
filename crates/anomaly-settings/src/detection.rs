//! What judges a job, and how loudly.

use crate::section::section;
use crate::{
    AcceptLevelShiftAfterJobs, AlarmBudget, AttributeDeviations, AttributeRate, DetectorSet,
    ExcludedFeatures, Extensions, FleetAlarmsPerWeek, FleetStreams, ForestSamples, ForestTrees,
    HistoryJobs, IqrFactor, SensitivityPercent, SuspiciousExtensionPercent, WarmUpJobs,
};

section! {
    /// What judges a job, and how loudly.
    ///
    /// ```
    /// use anomaly_settings::{AlarmBudget, Settings};
    ///
    /// let mut settings = Settings::default();
    /// settings.detection.alarm_budget = AlarmBudget::new(4.0)?;
    /// settings.detection.rules.missed_backup = false;
    /// # Ok::<(), anomaly_settings::SettingsError>(())
    /// ```
    pub struct DetectionSettings,
    /// What a scope changes of [`DetectionSettings`]; what is `None` stays as it is.
    pub overrides DetectionOverrides,
    prefix "detection." {
        /// Whether jobs are judged.
        ///
        /// Off, every job's verdict is `not_scored` and says why: not looking never looks like
        /// nothing found. On, because that is what Backwatch is for. NetBackup's counterparts are
        /// `disableAnomalyDetection`, `excludeClients`, `excludeClientPolicy` and
        /// `disablePolicyTypes`, which are scopes here.
        enabled: bool = true,

        /// False alarms to aim at, per stream of ordinary jobs and 365 jobs.
        ///
        /// A job is an anomaly when its p-value is below this number divided by 365. Larger raises
        /// more alarms and misses less. The p-values of `affected_shares` are calibrated on streams
        /// that it had not seen. One false alarm per stream and year of daily backups is few enough
        /// that people still read each. NetBackup's counterpart is `sensitivity`, a percent without a
        /// unit of its own.
        alarm_budget: AlarmBudget = AlarmBudget::default(),

        /// `NetBackup`'s sensitivity, for those who bring it along: another way to set the budget.
        ///
        /// Percent by which usual clusters grow: positive means fewer alarms. It multiplies
        /// `alarm_budget` by `(1 + percent / 100)^-4`: at 0 nothing changes, 100 allows a sixteenth of
        /// the alarms, -50 sixteen times as many (at most 36.5 a year). Use `alarm_budget`: it says what
        /// it does. NetBackup's counterpart is `sensitivity`, whose own unit is not documented.
        sensitivity_percent: SensitivityPercent = SensitivityPercent::default(),

        /// False alarms to aim at in a week over all streams together; 0 for no such limit.
        ///
        /// Of this and `alarm_budget`, the stricter holds. A thousand streams at one false alarm a
        /// year raise twenty a week; a team that reads five sets 5 here and 1000 in `fleet_streams`.
        /// NetBackup has no counterpart.
        fleet_alarms_per_week: FleetAlarmsPerWeek = FleetAlarmsPerWeek::default(),

        /// How many streams share `fleet_alarms_per_week`, each with about one job a day.
        ///
        /// A number to set, not counted, so that a verdict does not depend on which other streams
        /// happen to be known. NetBackup has no counterpart.
        fleet_streams: FleetStreams = FleetStreams::default(),

        /// Jobs that a stream must have before it is judged at the full budget.
        ///
        /// Until then a job is `warming_up`: rules judge it, and only what is ten times rarer than
        /// the budget asks in streams in general is an anomaly. Larger avoids early false alarms and
        /// leaves a new stream less watched for longer. 7 daily jobs hold every weekday once.
        /// Backup Exec, NetBackup's sister product, waits for 30 jobs.
        warm_up_jobs: WarmUpJobs = WarmUpJobs::default(),

        /// Newest learnt jobs that are kept per stream.
        ///
        /// Larger remembers rarer events such as quarter ends; smaller follows a growing client
        /// sooner, and judges and stores faster. 120 daily jobs are four months and hold a few month
        /// ends. It counts as `warm_up_jobs` where it is smaller, or the stream would never be
        /// judged. NetBackup's counterpart is `purgeDataIntervalInMonths`, 12.
        history_jobs: HistoryJobs = HistoryJobs::default(),

        /// Consistent jobs after which a change that lasts becomes the new normal by itself; 0 for never.
        ///
        /// Consistent are jobs that are as strange as what was reported, and no stranger. At 0 the
        /// change is proposed after seven of them and waits for a person, because who can change the
        /// backups could otherwise teach what is usual. 14 suits a fleet in which nobody reviews
        /// anomalies. NetBackup has no counterpart: it learns from every job.
        accept_level_shift_after_jobs: AcceptLevelShiftAfterJobs = AcceptLevelShiftAfterJobs::default(),

        /// The detectors that judge.
        ///
        /// `affected_shares` asks how much of the data each kind of attack could have hit, and how
        /// rare that is for this stream and for streams in general; it is what Backwatch's published
        /// figures are measured with. It compares images that hold everything; where images hold
        /// changes only, `modified_z_score` stands in for it. The others compare each number with its
        /// usual level: `z_score`, `modified_z_score` and `iqr` one at a time, `isolation_forest` all
        /// together. Their p-values are nominal, and each one more dilutes what the others say.
        detectors: DetectorSet = DetectorSet::default(),

        /// Interquartile ranges beyond the quartiles at which the fences of `iqr` stand: Tukey's k.
        ///
        /// Larger puts the fences further out. 1.5 is Tukey's own choice for values that deserve a
        /// look; 3 is his choice for values that are far out.
        iqr_factor: IqrFactor = IqrFactor::default(),

        /// Trees of `isolation_forest`.
        ///
        /// More trees give steadier scores and take proportionally longer. The method's authors use
        /// 100 and see scores settle well before that; 50 halves the time of each job.
        forest_trees: ForestTrees = ForestTrees::default(),

        /// Jobs that each tree of `isolation_forest` is grown from.
        ///
        /// Small samples keep anomalies from hiding each other; larger ones see finer structure and
        /// take longer. The method's authors use 256 for large data; 64 is about half of a full
        /// history, so that trees differ. A shorter history is used whole.
        forest_samples: ForestSamples = ForestSamples::default(),

        /// Seed of every random choice.
        ///
        /// The same jobs with the same settings and seed give the same verdicts. Any number serves
        /// as well as another; change it only to see how much a score owes to chance.
        seed: u64 = 0,

        /// Features that do not judge.
        ///
        /// For a number that a tool reports wrongly, or that is meant to jump. Empty, because a
        /// feature left out is a kind of attack not seen. NetBackup's counterpart is
        /// `featuresToExclude`.
        excluded_features: ExcludedFeatures = ExcludedFeatures::default(),

        /// Standard deviations by which the attributes of written files must leave the usual ones.
        ///
        /// For the rule `attribute_shift`: how far the divergence of a job's six histograms (access,
        /// change and modification time, extension, permissions, size) lies above the mean of past
        /// divergences. Larger means fewer alarms. How seldom that is, the past ones say: with 30 of
        /// them, whatever their distribution, no more than one in 31 lies so far above, and with very
        /// many one in 361 for 19 (Saw, Yang and Mo, 1984). NetBackup's counterpart is
        /// `feedbackThreshold`.
        attribute_deviations: AttributeDeviations = AttributeDeviations::default(),

        /// How far each usual job moves the usual attributes of written files towards its own.
        ///
        /// From 0, not at all, to 1, all the way. Larger follows a client that changes sooner, and
        /// forgets sooner; 0.1 remembers about the last ten jobs. NetBackup's counterpart is
        /// `feedbackRate`.
        attribute_rate: AttributeRate = AttributeRate::default(),

        /// Percent of the written files that must have a suspicious extension to be an anomaly.
        ///
        /// For the rule `suspicious_extension`; of new and changed files. Larger misses smaller
        /// attacks. NetBackup's counterpart is `ransomwareExtDetectionMinPercentage`, with the same
        /// default and range.
        suspicious_extension_percent: SuspiciousExtensionPercent = SuspiciousExtensionPercent::default(),

        /// Extensions that are suspicious beside the shipped ones.
        ///
        /// For the rule `suspicious_extension`. Empty, because the shipped list holds those of known
        /// ransomware. NetBackup's counterpart is `includeExtension`.
        include_extensions: Extensions = Extensions::default(),

        /// Extensions that are not suspicious, though the shipped list or `include_extensions` has them.
        ///
        /// For the rule `suspicious_extension`, where someone's own files are called so. Empty, because
        /// an extension left out is a kind of attack not seen. NetBackup's counterpart is
        /// `excludeExtension`.
        exclude_extensions: Extensions = Extensions::default(),
    }

    /// The rules, which need no history.
    + rules: RuleSettings, overrides RuleOverrides
}

impl DetectionSettings {
    /// The p-value below which a job is an anomaly: by the budget of the stream, or that of the fleet
    /// if it is stricter.
    ///
    /// ```
    /// use anomaly_settings::{AlarmBudget, DetectionSettings, FleetAlarmsPerWeek, FleetStreams};
    ///
    /// let mut detection = DetectionSettings::default();
    /// assert_eq!(detection.p_value_threshold(), 1.0 / 365.0);
    /// detection.fleet_alarms_per_week = FleetAlarmsPerWeek::new(7.0)?;
    /// detection.fleet_streams = FleetStreams::new(1000)?;
    /// assert_eq!(detection.p_value_threshold(), 0.001);
    /// # Ok::<(), anomaly_settings::SettingsError>(())
    /// ```
    #[must_use]
    pub fn p_value_threshold(&self) -> f64 {
        let own = self.alarm_budget.p_value() * self.sensitivity_percent.factor();
        let own = own.min(AlarmBudget::MAX.p_value());
        match self.fleet_alarms_per_week.p_value(self.fleet_streams) {
            Some(fleet) => own.min(fleet),
            None => own,
        }
    }
}

section! {
    /// The rules, which need no history and judge from a stream's first job on.
    pub struct RuleSettings,
    /// What a scope changes of [`RuleSettings`]; what is `None` stays as it is.
    pub overrides RuleOverrides,
    prefix "detection.rules." {
        /// Whether a job that failed, was cancelled or could not read all of its source is an anomaly.
        ///
        /// Off suits a fleet whose backup tool already alerts on failure; a job without an image is
        /// then `not_scored`. On, because a backup that is not there cannot be restored, and
        /// attackers stop backups first.
        failed_job: bool = true,

        /// Whether a job that reported success with an empty image is an anomaly.
        ///
        /// An image that lost nearly all that the one before held counts as empty. Off suits sources
        /// that are emptied on purpose. On, because an emptied source or a wrong path otherwise
        /// looks like a success.
        empty_image: bool = true,

        /// Whether a job that started long before a job that came earlier is an anomaly.
        ///
        /// Off suits tools that report late or in any order. On, because a clock that is moved can
        /// make backups expire early.
        clock: bool = true,

        /// Whether a job that took half of the data and half of the files with it is an anomaly.
        ///
        /// A stream that did so twice before does so at times, and raises none. Off suits sources
        /// that are cleared regularly. On, because it needs no history to be worth a look.
        most_gone: bool = true,

        /// Whether a job that overwrites 90 % of the data of a new stream, or makes half of its files random, is an anomaly.
        ///
        /// New is a stream of fewer than seven images. Off suits database dumps, which raise it once. On, because an attack may come before a
        /// stream has shown what is usual.
        all_overwritten: bool = true,

        /// Whether files and data that go little by little, 15 % of them and more, are an anomaly.
        ///
        /// It is reported again when another tenth is gone. Off suits sources that shrink on purpose.
        /// On, because each single step is too small to be seen.
        slow_loss: bool = true,

        /// Whether a job that took far longer than all of late, and sent no more, is an anomaly.
        ///
        /// Off suits machines that are busy with other work at times. On, because throttled backups
        /// are a way to stop them.
        slow_job: bool = true,

        /// Whether a gap between jobs far longer than the stream's usual ones is an anomaly.
        ///
        /// Off suits clients that are away at times, such as laptops. On, because a backup that
        /// stopped raises no error anywhere.
        missed_backup: bool = true,

        /// Whether written files whose attributes are unlike any before are an anomaly.
        ///
        /// Needs a source that looks into files, and twenty jobs. Off suits streams whose jobs hold
        /// something else each time. On, because it sees what numbers and content do not: other kinds
        /// of files, other owners' permissions, times that were set. NetBackup's counterpart is the
        /// in-line detector of file attributes.
        attribute_shift: bool = true,

        /// Whether written files with the extensions of known ransomware are an anomaly.
        ///
        /// Needs a source that looks at the names of files. Off suits those who collect such files. On,
        /// because it needs no history and names the attacker. NetBackup's counterpart is
        /// `isRansomwareExtDetectionEnable`.
        suspicious_extension: bool = true,

        /// Whether new files that are called like ransom notes are an anomaly.
        ///
        /// Needs a source that looks at the names of files. Off suits those who collect such files. On,
        /// because attackers want to be read. NetBackup has no counterpart.
        ransom_note: bool = true,
    }
}
