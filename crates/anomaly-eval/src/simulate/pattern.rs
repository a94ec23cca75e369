//! How a simulated client lives.

use std::fmt;

use super::content::FileClass;

/// How a simulated client lives from day to day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Pattern {
    /// A file server: every day about as much as the day before.
    Flat,
    /// As flat, growing by 0.3 to 1 % a day.
    Growth,
    /// A full backup on Sundays and incremental ones on other days, all under one schedule. The images
    /// of the others hold what changed only.
    WeeklyFull,
    /// Next to nothing on Saturdays and Sundays.
    WeekendDip,
    /// Five times as much on the last day of each month.
    MonthEnd,
    /// Off at most weekends, at times for days, and now and then for weeks.
    Laptop,
    /// Database dumps, rewritten every night, beside a few files.
    Database,
    /// Logs that are written every day, renamed and compressed every week, and deleted in the end.
    Logs,
    /// An office share: documents that are compressed already, on a weekly rhythm.
    Office,
    /// Changes whose size varies by a factor of two either way from day to day.
    LogNormal,
    /// Source trees: quiet days, and now and then a day on which a tenth of the files changes.
    Developer,
}

/// How much of what a client does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    /// At least and at most so many files.
    pub(super) files: (f64, f64),
    /// Kinds of files, with their weight.
    pub(super) mix: &'static [(FileClass, f64)],
    /// Shares of the files that change, come and go on a usual day.
    pub(super) changed: f64,
    pub(super) new: f64,
    pub(super) deleted: f64,
    /// Standard deviation of the logarithm of a day's activity.
    pub(super) noise: f64,
    /// Activity on a Saturday or Sunday.
    pub(super) weekend: f64,
    /// Activity on the last day of a month.
    pub(super) month_end: f64,
    /// How often a day is a burst, and how much of the files it then changes.
    pub(super) burst: (f64, f64),
    /// How much of a changed file is new data.
    pub(super) edited: f64,
}

const MIXED: &[(FileClass, f64)] = &[
    (FileClass::Text, 0.5),
    (FileClass::Binary, 0.2),
    (FileClass::Packed, 0.3),
];

const FLAT: Habits = Habits {
    files: (400.0, 3000.0),
    mix: MIXED,
    changed: 0.02,
    new: 0.004,
    deleted: 0.003,
    noise: 0.1,
    weekend: 1.0,
    month_end: 1.0,
    burst: (0.0, 0.0),
    edited: 0.4,
};

impl Pattern {
    /// Every pattern.
    pub const ALL: [Self; 11] = [
        Self::Flat,
        Self::Growth,
        Self::WeeklyFull,
        Self::WeekendDip,
        Self::MonthEnd,
        Self::Laptop,
        Self::Database,
        Self::Logs,
        Self::Office,
        Self::LogNormal,
        Self::Developer,
    ];

    /// Its name, as users write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::Growth => "growth",
            Self::WeeklyFull => "weekly-full",
            Self::WeekendDip => "weekend-dip",
            Self::MonthEnd => "month-end",
            Self::Laptop => "laptop",
            Self::Database => "database",
            Self::Logs => "logs",
            Self::Office => "office",
            Self::LogNormal => "log-normal",
            Self::Developer => "developer",
        }
    }

    pub(super) fn habits(self) -> Habits {
        match self {
            Self::Flat | Self::WeeklyFull => FLAT,
            Self::Growth => Habits {
                new: 0.008,
                deleted: 0.001,
                noise: 0.2,
                ..FLAT
            },
            Self::WeekendDip => Habits {
                weekend: 0.1,
                noise: 0.2,
                ..FLAT
            },
            Self::MonthEnd => Habits {
                month_end: 5.0,
                noise: 0.15,
                ..FLAT
            },
            Self::Laptop => Habits {
                files: (300.0, 1500.0),
                noise: 0.5,
                ..FLAT
            },
            Self::Database => Habits {
                files: (40.0, 120.0),
                changed: 0.02,
                new: 0.01,
                deleted: 0.01,
                noise: 0.3,
                ..FLAT
            },
            Self::Logs => Habits {
                files: (60.0, 200.0),
                mix: &[(FileClass::Text, 0.7), (FileClass::Binary, 0.3)],
                changed: 0.01,
                new: 0.002,
                deleted: 0.002,
                noise: 0.2,
                ..FLAT
            },
            Self::Office => Habits {
                mix: &[(FileClass::Packed, 0.95), (FileClass::Text, 0.05)],
                changed: 0.015,
                new: 0.006,
                deleted: 0.002,
                noise: 0.3,
                weekend: 0.05,
                edited: 0.9,
                ..FLAT
            },
            Self::LogNormal => Habits { noise: 0.6, ..FLAT },
            Self::Developer => Habits {
                mix: &[
                    (FileClass::Text, 0.85),
                    (FileClass::Binary, 0.05),
                    (FileClass::Packed, 0.1),
                ],
                changed: 0.008,
                new: 0.003,
                deleted: 0.002,
                noise: 0.9,
                weekend: 0.3,
                burst: (0.03, 0.1),
                ..FLAT
            },
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
