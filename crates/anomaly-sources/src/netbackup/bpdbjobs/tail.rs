//! The columns behind the lists of files and tries, whose place depends on what is in the lists.

use crate::netbackup::bpdbjobs::columns::{Columns, number_or_nothing};
use crate::netbackup::column::is_backup_id;
use crate::netbackup::run;

/// How many columns stand before the list of files in every version; the last of them counts it.
const FIXED_COLUMNS: usize = 32;
/// The columns of a try before the list of its messages; the last of them counts it.
const TRY_COLUMNS: usize = 9;
/// Behind the lists: the parent, and 12 columns more since NetBackup 4.5.
const SHORTEST_TAIL: usize = 13;
/// Numbers among them: parent, KB a second, copy, session, tapes to eject, stream.
const NUMBERS: [usize; 6] = [0, 1, 2, 6, 7, 12];
/// The place of the backup id behind the lists, from 0, since NetBackup 5.
const BACKUP_ID: usize = 18;

/// How many columns the known versions print behind the lists. Newer ones print more.
pub(super) const KNOWN_TAILS: [usize; 4] = [13, 21, 28, 35];

/// What stands behind the lists.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Tail {
    /// How many columns there are.
    pub(super) columns: usize,
    /// The parent's number, where there is one.
    pub(super) parent: Option<u64>,
    /// KB of the last try.
    pub(super) try_kilobytes: Option<u64>,
    /// Files of the last try.
    pub(super) try_files: Option<u64>,
    pub(super) rates: Rates,
}

/// What the columns behind the backup id say.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Rates {
    /// The share of the image that needed no transfer, 0 to 1.
    pub(super) dedup_ratio: Option<f64>,
    /// KB that were moved.
    pub(super) kilobytes_moved: Option<u64>,
}

impl Tail {
    /// Finds the tail. `None` if the record ends before it.
    ///
    /// `-all_columns` prints the lists, `-most_columns` their lengths only, and nothing says which
    /// it was. The way of reading that has a backup id where one belongs is right. Without one, as
    /// parents, failed jobs and NetBackup 4.5 are, the lists tell: paths are no numbers, and tries
    /// have started.
    pub(super) fn new(columns: &Columns<'_>, client: &str) -> Option<Self> {
        let counted = Lists::counted(columns);
        let printed = Lists::printed(columns);
        let has_backup_id = |lists: &Lists| is_backup_id(columns.raw(lists.end + BACKUP_ID));
        let lists = ([counted, printed].into_iter().flatten())
            .find(has_backup_id)
            // A comma in a path that is not escaped moves all that follows.
            .or_else(|| Lists::before_backup_id_of(client, columns))
            .or_else(|| printed.filter(|lists| lists.is_certain && lists.has_tail(columns)))
            .or_else(|| counted.filter(|lists| lists.has_tail(columns)))
            .or_else(|| printed.filter(|lists| lists.has_tail(columns)))?;
        let tail = columns.from(lists.end);
        Some(Self {
            columns: tail.len(),
            parent: tail.first().and_then(|parent| parent.trim().parse().ok()),
            try_kilobytes: lists.try_kilobytes,
            try_files: lists.try_files,
            rates: Rates::new(tail),
        })
    }
}

/// Where the lists end, and what the last try wrote.
#[derive(Debug, Clone, Copy)]
struct Lists {
    end: usize,
    try_kilobytes: Option<u64>,
    try_files: Option<u64>,
    /// Whether what is in the lists looks like paths and tries.
    is_certain: bool,
}

impl Lists {
    fn ending_before(end: usize) -> Self {
        Self {
            end,
            try_kilobytes: None,
            try_files: None,
            is_certain: true,
        }
    }

    /// Lists of which only the lengths are printed.
    fn counted(columns: &Columns<'_>) -> Option<Self> {
        let counts = [FIXED_COLUMNS - 1, FIXED_COLUMNS];
        (counts.iter().all(|&at| count(columns.raw(at)).is_some()))
            .then(|| Self::ending_before(FIXED_COLUMNS + 1))
    }

    /// Lists that are printed.
    fn printed(columns: &Columns<'_>) -> Option<Self> {
        let files = count(columns.raw(FIXED_COLUMNS - 1))?;
        let at = FIXED_COLUMNS.checked_add(files)?;
        let tries = columns.from(at).first().and_then(|raw| count(raw))?;
        let mut lists = Self::ending_before(at + 1);
        let paths = &columns.from(FIXED_COLUMNS)[..files];
        lists.is_certain = !paths.iter().any(|path| is_number_or_nothing(path));
        for _ in 0..tries {
            let head = columns.from(lists.end).get(..TRY_COLUMNS)?;
            let [
                _pid,
                _unit,
                _server,
                started,
                elapsed,
                ended,
                status,
                _why,
                messages,
            ] = head
            else {
                return None;
            };
            if ![elapsed, ended, status]
                .into_iter()
                .all(|raw| is_number_or_nothing(raw))
            {
                return None;
            }
            let started: Option<u64> = number_or_nothing(started).ok()?;
            let end = (lists.end + TRY_COLUMNS).checked_add(count(messages)?)?;
            let [kilobytes, files, ..] = columns.from(end) else {
                return None;
            };
            lists = Self {
                end: end + 2,
                try_kilobytes: number_or_nothing(kilobytes).ok()?,
                try_files: number_or_nothing(files).ok()?,
                is_certain: lists.is_certain && started.is_some_and(|started| started > 0),
            };
        }
        Some(lists)
    }

    /// Whether what follows can be a tail.
    fn has_tail(&self, columns: &Columns<'_>) -> bool {
        let tail = columns.from(self.end);
        tail.len() >= SHORTEST_TAIL && NUMBERS.iter().all(|&at| is_number_or_nothing(tail[at]))
    }

    /// Looks for the backup id of this client.
    fn before_backup_id_of(client: &str, columns: &Columns<'_>) -> Option<Self> {
        let searched = columns.from(FIXED_COLUMNS + 1);
        let is_of_client = |raw: &&str| {
            is_backup_id(raw)
                && raw
                    .rsplit_once('_')
                    .is_some_and(|(name, _)| name.eq_ignore_ascii_case(client))
        };
        let at = searched
            .iter()
            .rposition(is_of_client)?
            .checked_sub(BACKUP_ID)?;
        let end = FIXED_COLUMNS + 1 + at;
        number_or_nothing::<u64>(columns.raw(end)).ok()?;
        Some(Self::ending_before(end))
    }
}

impl Rates {
    /// How far behind the backup id the deduplication rate can be: some versions have one column
    /// for the reason that a job waits, others two.
    const OFFSETS: [usize; 2] = [6, 7];

    fn new(tail: &[&str]) -> Self {
        let layouts = Self::OFFSETS.map(|offset| Layout::new(tail, BACKUP_ID + offset));
        let layouts = layouts.iter().flatten();
        let best = layouts.max_by_key(|layout| {
            // Of two that are as good, the first.
            (layout.trust, std::cmp::Reverse(layout.at))
        });
        best.map(|layout| layout.rates).unwrap_or_default()
    }
}

/// How much there is to a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trust {
    /// The rate is a fraction, which no column before it is.
    Fraction,
    /// The record is exactly as long as one of this layout.
    Length,
    /// The parts of the rate add up to it.
    Sum,
}

#[derive(Debug, Clone, Copy)]
struct Layout {
    at: usize,
    trust: Trust,
    rates: Rates,
}

impl Layout {
    /// The tail with the deduplication rate at `at`; `None` if something else stands there.
    ///
    /// From there: rate, accelerator, instance, an empty one, KB moved, four others, the part of
    /// the rate by deduplication, and that by compression. They are known from a record of 2021,
    /// in which the two parts add up to the rate.
    fn new(tail: &[&str], at: usize) -> Option<Self> {
        let number = |index: usize| number_or_nothing::<f64>(tail.get(index)?).ok();
        let is_fraction = |index: usize| {
            let number = number(index).flatten();
            number.is_some() && tail[index].contains('.')
        };
        let (rate, _accelerator) = (number(at)?, number(at + 1)?);
        // The rate is the first fraction behind the backup id.
        if is_fraction(at - 1) {
            return None;
        }
        let found = |trust, kilobytes_moved| Self {
            at,
            trust,
            rates: Rates {
                dedup_ratio: rate.and_then(run::ratio_of_percent),
                kilobytes_moved,
            },
        };
        let by_itself = || is_fraction(at).then(|| found(Trust::Fraction, None));
        let last = at + 10;
        if tail.len() <= last {
            return by_itself();
        }
        let moved = number_or_nothing(tail.get(at + 4)?).ok()?;
        match (rate, number(at + 9)?, number(last)?) {
            (Some(rate), Some(by_dedup), Some(by_compression)) if rate != 0.0 => {
                let is_sum = (by_dedup + by_compression - rate).abs() <= SUM_TOLERANCE_PERCENT;
                is_sum.then(|| found(Trust::Sum, moved))
            }
            // Nothing to add up.
            _ if tail.len() == last + 1 => Some(found(Trust::Length, moved)),
            _ => by_itself(),
        }
    }
}

/// How far the parts of a rate may be from their sum: both are rounded.
const SUM_TOLERANCE_PERCENT: f64 = 0.2;

/// A count of a list; nothing is none.
fn count(raw: &str) -> Option<usize> {
    number_or_nothing(raw).ok().map(Option::unwrap_or_default)
}

fn is_number_or_nothing(raw: &str) -> bool {
    number_or_nothing::<u64>(raw).is_ok()
}
