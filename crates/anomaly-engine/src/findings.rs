//! What is unusual about a job, with what would have been usual.

use anomaly_model::{Direction, FeatureName, Finding, PValue};
use anomaly_settings::{DetectionSettings, DetectorName};

use crate::StreamModel;
use crate::judge::Seen;
use crate::level::Level;
use crate::levels::{quantile, rounded, weigh};
use crate::surprise::{Surprise, Term};

/// More findings than this explain nothing better.
const MOST_FINDINGS: usize = 8;
/// Fewer past values do not say what is usual.
const FEWEST_PAST: usize = 3;
/// This part of the past jobs lies beyond the usual range, on each side.
const BEYOND_USUAL: f64 = 0.025;

/// The shares that stand out, the leading one whatever its p-value, and the features whose level
/// does; strongest first.
pub(crate) fn of(
    settings: &DetectionSettings,
    model: &StreamModel,
    seen: &Seen,
    surprise: Option<&Surprise>,
) -> Vec<Finding> {
    let outstanding = surprise.into_iter().flat_map(Surprise::outstanding);
    let shares = outstanding.filter_map(of_share);
    let levels = weigh(
        settings,
        &[DetectorName::ModifiedZScore],
        &model.lessons(),
        &seen.features,
        &seen.row,
    );
    let mut findings: Vec<Finding> = Vec::new();
    for finding in shares.chain(levels.into_iter().flat_map(|levels| levels.findings)) {
        if findings.iter().all(|told| told.feature != finding.feature) {
            findings.push(finding);
        }
    }
    findings.sort_by(|a, b| b.score.total_cmp(&a.score));
    findings.truncate(MOST_FINDINGS);
    findings
}

/// A share, and those of past jobs; nothing where these are too few to say what is usual.
fn of_share(term: &Term) -> Option<Finding> {
    let mut past = term.comparison.past.clone();
    if past.len() < FEWEST_PAST {
        return None;
    }
    past.sort_unstable();
    let at = |part: f64| quantile(&past, part).map_or(0.0, Level::share);
    let usual = (rounded(at(BEYOND_USUAL)), rounded(at(1.0 - BEYOND_USUAL)));
    let name = FeatureName::new(term.statistic.share.name()).ok()?;
    let score = PValue::clamped(term.p_value).score();
    Some(Finding::new(
        name,
        rounded(term.share()),
        usual,
        Direction::Above,
        score,
    ))
}
