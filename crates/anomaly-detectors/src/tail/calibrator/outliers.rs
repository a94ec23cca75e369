//! Which scores of a history are too far from the others to be of their kind.

/// The shape of the heaviest tail that is still usual: that of Student's t with three degrees of
/// freedom. A gap that such a tail explains makes nobody an outlier.
const HEAVIEST_USUAL: f64 = 1.0 / 3.0;
/// How likely a history without outliers may lose some.
const CHANCE: f64 = 0.1;

/// How many of the largest of at least four ascending scores are outliers: at most the share
/// `largest_share` of all, and a quarter.
///
/// In the upper half of the scores, the logarithm of a Pareto distributed excess is exponential. Then
/// the gap above the `j`-th largest, times `j`, is exponential too, with the same mean for every `j`
/// (Rényi, Acta Mathematica Hungarica 4 (1953), 191-231), and its ratio to the mean of those below
/// has an F distribution. The set of largest scores with the least likely gap below it is taken,
/// if that is less likely than [`CHANCE`] over the number of gaps looked at (Bonferroni).
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn count(sorted: &[f64], largest_share: f64) -> usize {
    let scores = sorted.len();
    let most = ((largest_share * scores as f64).ceil() as usize).min(scores / 4);
    let (below, upper) = sorted.split_at(scores / 2);
    let Some(&start) = below.last() else { return 0 };
    let median = upper
        .get((upper.len() - 1) / 2)
        .map_or(0.0, |score| score - start);
    if median <= 0.0 {
        // Half of the scores or more are equal: nothing says what is far.
        return 0;
    }
    let scale = median * HEAVIEST_USUAL / (libm::exp2(HEAVIEST_USUAL) - 1.0);
    let logs: Vec<f64> = upper
        .iter()
        .map(|score| libm::log1p((HEAVIEST_USUAL * (score - start) / scale).min(f64::MAX)))
        .collect();

    let mut outliers = 0;
    let mut least = CHANCE / most as f64;
    for candidates in 1..=most {
        let rest = logs.len() - candidates;
        let (usual, strange) = logs.split_at(rest);
        let (Some(highest), Some(next)) = (usual.last(), strange.first()) else {
            break;
        };
        let gap = candidates as f64 * (next - highest);
        // The sum of the gaps below, each times its number.
        let others = usual.iter().sum::<f64>() + candidates as f64 * highest;
        let chance = libm::pow(1.0 + gap / others, -(rest as f64));
        if chance < least {
            (outliers, least) = (candidates, chance);
        }
    }
    outliers
}
