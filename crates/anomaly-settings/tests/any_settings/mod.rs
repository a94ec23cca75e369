//! Settings of every allowed kind.

use anomaly_features::FEATURES;
use anomaly_model::chrono::DateTime;
use anomaly_model::{ClientName, FeatureName, PolicyName, PolicyType, ScheduleType, StreamPart};
use anomaly_settings::{
    AcceptLevelShiftAfterJobs, AlarmBudget, AttributeDeviations, AttributeRate, ClientHours,
    DefaultCeiling, DetectionOverrides, DetectorName, DetectorSet, ExcludedFeatures, ExpiryDays,
    Extensions, FleetAlarmsPerWeek, FleetHours, FleetStreams, ForestSamples, ForestTrees,
    GuardDays, HistoryJobs, IqrFactor, LongestExpiryDays, LongestGuardDays, ManyClients,
    RetentionDays, Scope, SensitivityPercent, Settings, StreamParts, SuspiciousExtensionPercent,
    WaitSeconds, WarmUpJobs,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Any settings that are allowed.
pub(crate) fn any_settings() -> impl Strategy<Value = Settings> {
    let key = words(StreamPart::ALL).prop_map(|mut words| {
        if !words.contains(&StreamPart::ScheduleType) {
            words.push(StreamPart::ScheduleType);
        }
        StreamParts::new(words).unwrap()
    });
    let review = (1.0..=2.0, 1_u32..=3660, 1_u32..=3660, any::<bool>());
    let guard = (any::<bool>(), 1_u32..=3660, 1_u32..=3660, any::<bool>());
    let incidents = (1_u32..=8784, 1_u32..=744, 2_u32..=100_000);
    (
        any_overrides(),
        key,
        (
            review,
            incidents,
            guard,
            any::<(bool, bool)>(),
            (0..=36_500_u32, 0..=86_400_u32),
        ),
        vec(any_scope(), 0..4),
    )
        .prop_map(
            |(detection, key, (review, incidents, guard, roles, storage), scopes)| {
                let mut settings = Settings::default();
                detection.apply_to(&mut settings.detection);
                settings.streams.key = key;
                settings.review.ceiling = DefaultCeiling::new(review.0).unwrap();
                settings.review.expires_after_days = ExpiryDays::new(review.1).unwrap();
                settings.review.longest_days = LongestExpiryDays::new(review.2).unwrap();
                settings.review.endless = review.3;
                settings.incidents.client_hours = ClientHours::new(incidents.0).unwrap();
                settings.incidents.fleet_hours = FleetHours::new(incidents.1).unwrap();
                settings.incidents.clients = ManyClients::new(incidents.2).unwrap();
                settings.guard.second_person = guard.0;
                settings.guard.expires_after_days = GuardDays::new(guard.1).unwrap();
                settings.guard.longest_days = LongestGuardDays::new(guard.2).unwrap();
                settings.guard.endless = guard.3;
                (settings.roles.gather, settings.roles.alert) = roles;
                settings.storage.retention_days = RetentionDays::new(storage.0).unwrap();
                settings.storage.wait_seconds = WaitSeconds::new(storage.1).unwrap();
                settings.scopes = scopes;
                settings
            },
        )
}

fn any_scope() -> impl Strategy<Value = Scope> {
    let names = (
        option::of(name().prop_map(|name| PolicyType::new(name).unwrap())),
        option::of(name().prop_map(|name| PolicyName::new(name).unwrap())),
        option::of(name().prop_map(|name| ClientName::new(name).unwrap())),
        option::of(select(ScheduleType::ALL)),
        option::of(0..4_000_000_000_i64),
    );
    (names, any_overrides())
        .prop_map(
            |((policy_type, policy, client, schedule_type, until), detection)| {
                let mut scope = Scope::default();
                scope.policy_type = policy_type;
                scope.policy = policy;
                scope.client = client;
                scope.schedule_type = schedule_type;
                scope.until = until.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
                scope.detection = detection;
                scope
            },
        )
        .prop_filter("a scope names something", |scope| !scope.names_nothing())
}

fn any_overrides() -> impl Strategy<Value = DetectionOverrides> {
    let flag = || option::of(any::<bool>());
    let features = subsequence(FEATURES, 0..4).prop_map(|features| {
        let names: Vec<_> = features
            .iter()
            .map(|f| FeatureName::new(f.name).unwrap())
            .collect();
        ExcludedFeatures::new(names).unwrap()
    });
    let detectors = words(DetectorName::ALL).prop_map(|words| DetectorSet::new(words).unwrap());
    let numbers = (
        option::of((0.01..=36.5).prop_map(|number| AlarmBudget::new(number).unwrap())),
        option::of((5_u32..=365).prop_map(|number| WarmUpJobs::new(number).unwrap())),
        option::of((20_u32..=400).prop_map(|number| HistoryJobs::new(number).unwrap())),
        option::of((0_u32..=365).prop_map(|n| AcceptLevelShiftAfterJobs::new(n).unwrap())),
        option::of((0.5..=10.0).prop_map(|number| IqrFactor::new(number).unwrap())),
        option::of((10_u32..=500).prop_map(|number| ForestTrees::new(number).unwrap())),
        option::of((8_u32..=1024).prop_map(|number| ForestSamples::new(number).unwrap())),
        option::of(any::<u64>()),
    );
    let budgets = (
        option::of((-60.0..=1000.0).prop_map(|number| SensitivityPercent::new(number).unwrap())),
        option::of((0.0..=10_000.0).prop_map(|number| FleetAlarmsPerWeek::new(number).unwrap())),
        option::of((1_u32..=10_000_000).prop_map(|number| FleetStreams::new(number).unwrap())),
    );
    let extensions = || {
        let extensions = proptest::collection::vec("[.]?[a-zA-Z0-9_]{1,9}", 0..4);
        option::of(extensions.prop_map(|names| Extensions::new(names).unwrap()))
    };
    let attributes = (
        option::of((2.0..=1000.0).prop_map(|number| AttributeDeviations::new(number).unwrap())),
        option::of((0.01..=1.0).prop_map(|number| AttributeRate::new(number).unwrap())),
        option::of(
            (10.0..=100.0).prop_map(|number| SuspiciousExtensionPercent::new(number).unwrap()),
        ),
        (extensions(), extensions()),
        (flag(), flag(), flag()),
    );
    let lists = (option::of(detectors), option::of(features));
    let flags = (flag(), flag(), flag(), flag(), flag());
    let more_flags = (flag(), flag(), flag(), flag());
    (numbers, budgets, lists, (flags, more_flags), attributes).prop_map(
        |(numbers, budgets, lists, (flags, more), attributes)| {
            let mut keys = DetectionOverrides::default();
            (
                keys.alarm_budget,
                keys.warm_up_jobs,
                keys.history_jobs,
                keys.accept_level_shift_after_jobs,
                keys.iqr_factor,
                keys.forest_trees,
                keys.forest_samples,
                keys.seed,
            ) = numbers;
            (
                keys.sensitivity_percent,
                keys.fleet_alarms_per_week,
                keys.fleet_streams,
            ) = budgets;
            (
                keys.rules.most_gone,
                keys.rules.all_overwritten,
                keys.rules.slow_loss,
                keys.rules.slow_job,
            ) = more;
            (keys.detectors, keys.excluded_features) = lists;
            (
                keys.attribute_deviations,
                keys.attribute_rate,
                keys.suspicious_extension_percent,
                (keys.include_extensions, keys.exclude_extensions),
                (
                    keys.rules.attribute_shift,
                    keys.rules.suspicious_extension,
                    keys.rules.ransom_note,
                ),
            ) = attributes;
            (
                keys.enabled,
                keys.rules.failed_job,
                keys.rules.empty_image,
                keys.rules.clock,
                keys.rules.missed_backup,
            ) = flags;
            keys
        },
    )
}

/// Some of `all`, at least one, in any order.
fn words<W: Copy + std::fmt::Debug + 'static>(all: &'static [W]) -> impl Strategy<Value = Vec<W>> {
    subsequence(all, 1..=all.len()).prop_shuffle()
}

fn name() -> impl Strategy<Value = String> {
    let blank = |name: &String| !name.trim().is_empty();
    any::<String>().prop_filter("a name is not blank", blank)
}
