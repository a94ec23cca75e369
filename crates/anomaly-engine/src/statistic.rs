//! What is looked at in a job, by what it reports.

use anomaly_features::Share;

/// A share of one job, or the smallest share of the last jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Statistic {
    pub(crate) share: Share,
    /// Jobs of which the smallest share counts. A drip puts a floor under *every* job of a week or
    /// two; what goes up and down by itself does not.
    pub(crate) window: usize,
}

/// The most jobs of which the smallest share counts.
pub(crate) const LONGEST_WINDOW: u8 = 14;
const TWO_WEEKS: usize = LONGEST_WINDOW as usize;

const fn of_one_job(share: Share) -> Statistic {
    Statistic { share, window: 1 }
}

const fn sustained(share: Share, window: usize) -> Statistic {
    Statistic { share, window }
}

/// Every statistic, in a fixed order: that of the tables of a population.
pub(crate) const STATISTICS: [Statistic; 24] = [
    of_one_job(Share::Rewritten),
    of_one_job(Share::Touched),
    of_one_job(Share::Overwritten),
    of_one_job(Share::OverwrittenDense),
    of_one_job(Share::Grown),
    of_one_job(Share::GrownDense),
    of_one_job(Share::GrownRandom),
    of_one_job(Share::Duplicated),
    of_one_job(Share::LostBytes),
    of_one_job(Share::Lost),
    of_one_job(Share::Random),
    of_one_job(Share::EntropyRise),
    of_one_job(Share::EntropyFall),
    of_one_job(Share::UnseenKinds),
    sustained(Share::Rewritten, 7),
    sustained(Share::Rewritten, TWO_WEEKS),
    sustained(Share::Overwritten, 7),
    sustained(Share::Overwritten, TWO_WEEKS),
    sustained(Share::OverwrittenDense, 7),
    sustained(Share::OverwrittenDense, TWO_WEEKS),
    sustained(Share::Replaced, 7),
    sustained(Share::Replaced, TWO_WEEKS),
    sustained(Share::Random, 7),
    sustained(Share::Random, TWO_WEEKS),
];

impl Statistic {
    /// The name in stored tables: `rewritten_share` or `rewritten_share/7`.
    pub(crate) fn name(self) -> String {
        match self.window {
            1 => self.share.name().to_owned(),
            window => format!("{}/{window}", self.share.name()),
        }
    }

    /// Whether it takes several jobs.
    pub(crate) fn is_sustained(self) -> bool {
        self.window > 1
    }

    /// How the evidence of this statistic counts.
    pub(crate) fn weighting(self, view: View) -> Weighting {
        let (weight, impact) = match self.share {
            // A sustained share is small by nature: that it lasts is what makes it strange.
            _ if self.is_sustained() => (2.0, 0.0),
            // Ciphertext is rare in any amount: any size of an attack is as likely as another.
            Share::OverwrittenDense | Share::Random | Share::EntropyRise => (1.0, 0.25),
            // Growth by archives has statistics of its own where the tool tells how data compress.
            Share::Grown | Share::GrownDense if view.compression => (0.5, 0.5),
            // Where the files say that they did not change, it may be how the tool sends.
            Share::Rewritten if view.counts => (0.3, 0.5),
            Share::Duplicated => (1.0, 1.0),
            // Data are deleted every day; an attack deletes most of them.
            Share::Lost => (0.5, 1.0),
            // Files are touched without being changed more often than wiped by what needs no transfer.
            Share::Touched if view.transfer => (0.3, 1.0),
            Share::LostBytes => (0.3, 2.0),
            Share::EntropyFall | Share::UnseenKinds => (0.3, 0.5),
            _ => (1.0, 0.5),
        };
        Weighting { weight, impact }
    }
}

/// How the evidence of a statistic counts.
///
/// A share `s` of p-value `p` is evidence `weight * s^impact / p`. The exponent says which sizes an
/// attack of this kind has: 0 says that every magnitude is as likely, 1 that every share is as
/// likely, 1/2 is Jeffreys' prior between the two. It also is what makes an alarm worth a person's
/// time: little was hit, little was lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Weighting {
    pub(crate) weight: f64,
    pub(crate) impact: f64,
}

/// What a job reports beside the size of its image: which statistics judge it, and which
/// calibration holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is reported or not")]
pub(crate) struct View {
    /// How much was sent.
    pub(crate) transfer: bool,
    /// How many files are new, changed and deleted.
    pub(crate) counts: bool,
    /// How much was stored, and how the stream's data usually compress.
    pub(crate) compression: bool,
    /// What was written looks like.
    pub(crate) content: bool,
}

impl View {
    /// Every view that there is.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let flag = [false, true];
        flag.into_iter().flat_map(move |content| {
            let view = |transfer, counts, compression| Self {
                transfer,
                counts,
                compression,
                content,
            };
            [
                view(false, false, false),
                view(true, false, false),
                view(false, true, false),
                view(true, true, false),
                view(true, true, true),
            ]
        })
    }

    /// The name in stored tables.
    pub(crate) fn name(self) -> String {
        let parts = [
            (true, "sizes"),
            (self.transfer, "transfer"),
            (self.counts, "counts"),
            (self.compression, "compression"),
            (self.content, "content"),
        ];
        let parts: Vec<&str> = parts
            .iter()
            .filter(|part| part.0)
            .map(|part| part.1)
            .collect();
        parts.join("+")
    }

    /// Whether a statistic judges in this view. Of statistics that say the same, the best one does.
    pub(crate) fn has(self, statistic: Statistic) -> bool {
        let Self {
            transfer,
            counts,
            compression,
            content,
        } = self;
        match (statistic.share, statistic.is_sustained()) {
            (Share::Grown | Share::LostBytes | Share::Lost, _) => true,
            // A few large files may hold most of the data, and are no share of the files.
            (Share::Duplicated, _) | (Share::Rewritten, false) => transfer,
            (Share::Rewritten, true) => transfer && !counts,
            (Share::Touched, _) => counts && !(transfer && content),
            (Share::Overwritten, false) => transfer && counts,
            // Where contents are seen, files that are merely rewritten every day are no drip.
            (Share::Overwritten, true) => transfer && counts && !content,
            (Share::Replaced, _) => counts,
            (Share::OverwrittenDense | Share::GrownDense, _) => compression,
            _ => content,
        }
    }
}
