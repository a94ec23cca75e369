//! What judges a job, and how loudly.

use crate::section::section;
use crate::{
    AlarmBudget, DetectorSet, ExcludedFeatures, ForestSamples, ForestTrees, HistoryJobs, IqrFactor,
    WarmUpJobs,
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
        /// more alarms and misses less. It is nominal: streams with heavier tails than Student's t
        /// with four degrees of freedom raise more, most raise fewer. One false alarm per stream and
        /// year of daily backups is few enough that people still read each. NetBackup's counterpart
        /// is `sensitivity`, a percent without a unit of its own, where a positive number means
        /// fewer alarms.
        alarm_budget: AlarmBudget = AlarmBudget::default(),

        /// Jobs that a stream must have before its history judges.
        ///
        /// Until then a job is `warming_up` and only the rules judge it. Larger avoids early false
        /// alarms and leaves a new stream unwatched for longer. 14 daily jobs hold every weekday
        /// twice. Backup Exec, NetBackup's sister product, waits for 30 jobs.
        warm_up_jobs: WarmUpJobs = WarmUpJobs::default(),

        /// Newest learnt jobs that are kept per stream.
        ///
        /// Larger remembers rarer events such as quarter ends; smaller follows a growing client
        /// sooner, and judges and stores faster. 120 daily jobs are four months and hold a few month
        /// ends. It counts as `warm_up_jobs` where it is smaller, or the stream would never be
        /// judged. NetBackup's counterpart is `purgeDataIntervalInMonths`, 12.
        history_jobs: HistoryJobs = HistoryJobs::default(),

        /// The detectors that judge.
        ///
        /// Fewer are faster and see fewer kinds of anomaly. The first three look at one feature at a
        /// time with different resistance to past outliers. The isolation forest looks at all
        /// features together, at eight times the cost of the others; it ranks a job among the learnt
        /// ones, so it cannot judge alone, and it is off because on real histories it silenced
        /// alarms and raised none.
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
    }

    /// The rules, which need no history.
    + rules: RuleSettings, overrides RuleOverrides
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

        /// Whether a gap between jobs far longer than the stream's usual ones is an anomaly.
        ///
        /// Off suits clients that are away at times, such as laptops. On, because a backup that
        /// stopped raises no error anywhere.
        missed_backup: bool = true,
    }
}
