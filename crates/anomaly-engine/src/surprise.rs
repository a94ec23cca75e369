//! How surprising what a job did to the data is.

use anomaly_features::{AffectedShares, Share};

use crate::memory::{Comparison, Memory};
use crate::population::Population;
use crate::statistic::{STATISTICS, Statistic, View};

/// A statistic stands out when its own p-value is below this.
pub(crate) const OUTSTANDING: f64 = 0.01;
/// Shares below this count as this much impact.
const LEAST_IMPACT: f64 = 0.001;

/// How surprising what a job did to the data is, for this stream and for streams in general.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Surprise {
    /// How often a usual job is at least this surprising.
    pub(crate) p_value: f64,
    /// The evidence, in powers of ten, before it is calibrated.
    pub(crate) strength: f64,
    /// Strongest first; at least one.
    terms: Vec<Term>,
}

/// What one statistic says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    pub(crate) statistic: Statistic,
    /// How often it is at least this large, by the stream's past and by past streams.
    pub(crate) p_value: f64,
    pub(crate) comparison: Comparison,
    /// Its part in the evidence.
    amount: f64,
}

impl Term {
    /// The share that it found.
    pub(crate) fn share(&self) -> f64 {
        self.comparison.now.share()
    }
}

impl Surprise {
    /// Of a job's shares, by all that it reports. `None` if it reports no share, or the population
    /// never saw jobs that report the same.
    pub(crate) fn of(
        population: &Population,
        memory: &Memory,
        shares: &AffectedShares,
    ) -> Option<Self> {
        let view = view_of(shares);
        let (strength, terms) = evidence(population, view, memory, shares)?;
        let p_value = population.calibration(view)?.p_value(strength);
        Some(Self {
            p_value,
            strength,
            terms,
        })
    }

    /// The strongest statistic.
    pub(crate) fn leading(&self) -> Option<&Term> {
        self.terms.first()
    }

    /// The statistics that stand out, the strongest whatever its p-value.
    pub(crate) fn outstanding(&self) -> impl Iterator<Item = &Term> {
        let terms = self.terms.iter().enumerate();
        let outstanding = terms.filter(|(place, term)| *place == 0 || term.p_value < OUTSTANDING);
        outstanding.map(|(_, term)| term)
    }

    /// The largest share among those that stand out.
    pub(crate) fn largest_share(&self) -> f64 {
        self.terms
            .iter()
            .filter(|term| term.p_value < OUTSTANDING)
            .map(Term::share)
            .fold(self.leading().map_or(0.0, Term::share), f64::max)
    }

    /// Whether more files than ever look random, few as they may be: of small files, and of those
    /// that were encrypted in part, many cannot be told.
    pub(crate) fn is_random(&self) -> bool {
        self.terms.iter().any(|term| {
            term.statistic.share == Share::Random
                && !term.statistic.is_sustained()
                && term.p_value < OUTSTANDING
                && term.share() >= LEAST_IMPACT
        })
    }
}

/// The best view that the shares allow.
fn view_of(shares: &AffectedShares) -> View {
    let has = |share| shares.get(share).is_some();
    let (transfer, counts) = (has(Share::Rewritten), has(Share::Touched));
    View {
        transfer,
        counts,
        compression: transfer && counts && has(Share::OverwrittenDense),
        content: has(Share::Random) || has(Share::EntropyRise),
    }
}

/// The evidence of a job in powers of ten, and the statistics that give it, strongest first.
///
/// The weighted mean of `share^impact / p_value`: a harmonic mean of p-values, which holds for
/// dependent ones (Wilson, PNAS 116 (2019), 1195-1200) and is as large as its largest term, so that
/// one clear sign is not talked down by many dull ones.
pub(crate) fn evidence(
    population: &Population,
    view: View,
    memory: &Memory,
    shares: &AffectedShares,
) -> Option<(f64, Vec<Term>)> {
    let mut terms = Vec::new();
    let (mut sum, mut weights) = (0.0, 0.0);
    for (index, &statistic) in STATISTICS.iter().enumerate() {
        if !view.has(statistic) {
            continue;
        }
        let Some(comparison) = memory.compare(statistic, shares) else {
            continue;
        };
        let p_value = population.p_value(index, comparison.now, &comparison.past);
        let weighting = statistic.weighting(view);
        let impact = libm::pow(comparison.now.share().max(LEAST_IMPACT), weighting.impact);
        let amount = weighting.weight * impact / p_value;
        sum += amount;
        weights += weighting.weight;
        terms.push(Term {
            statistic,
            p_value,
            comparison,
            amount,
        });
    }
    terms.sort_by(|a, b| b.amount.total_cmp(&a.amount));
    (!terms.is_empty()).then(|| (libm::log10(sum / weights), terms))
}
