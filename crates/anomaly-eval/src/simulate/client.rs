//! A simulated client: its files, its days, and the jobs that it reports.

use anomaly_model::chrono::{DateTime, Datelike as _, TimeDelta, Utc, Weekday};
use anomaly_model::{BackupJob, JobStatus, ModelError, ScheduleType};

use super::content::{Content, FileClass};
use super::pattern::{Habits, Pattern};
use super::random::{Random, bytes, whole};
use super::record;
use super::tree::Tree;

/// Part of a database that a night changes, and how much it grows.
const DUMP_FRESH: f64 = 0.35;
const DUMP_GROWTH: f64 = 0.002;
/// Extensions of the current log, of the newest compressed one, and of the oldest.
const LOG: u32 = 70;
const COMPRESSED_LOG: u32 = 80;
const OLDEST_LOG: u32 = 86;

/// A simulated client.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) name: String,
    pub(super) pattern: Pattern,
    pub(super) tree: Tree,
    pub(super) random: Random,
    habits: Habits,
    /// Midnight of the next day that is lived.
    day: DateTime<Utc>,
}

/// What is done to a job itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tamper {
    pub(super) status: JobStatus,
    pub(super) slower: f64,
    pub(super) clock: TimeDelta,
}

impl Tamper {
    pub(super) const NONE: Self = Self {
        status: JobStatus::Succeeded,
        slower: 1.0,
        clock: TimeDelta::zero(),
    };
}

impl Client {
    pub(super) fn new(name: String, pattern: Pattern, mut random: Random) -> Self {
        let habits = pattern.habits();
        // A Monday.
        let first = DateTime::UNIX_EPOCH + TimeDelta::days(19_723);
        let offset = i64::try_from(random.below(364)).unwrap_or(0);
        let (low, high) = habits.files;
        let files = whole(low * libm::pow(high / low, random.unit()));
        let mut client = Self {
            name,
            pattern,
            tree: Tree::default(),
            random,
            habits,
            day: first + TimeDelta::days(offset),
        };
        for _ in 0..files {
            client.add_file();
        }
        match pattern {
            Pattern::Database => {
                for _ in 0..3 + client.random.below(5) {
                    client.add(FileClass::Database);
                }
            }
            Pattern::Logs => {
                for _ in 0..8 + client.random.below(12) {
                    for _ in 0..2 {
                        client.add(FileClass::Log);
                    }
                }
            }
            _ => {}
        }
        client
    }

    /// Lives until the next job.
    pub(super) fn live(&mut self) {
        let mut days = 1;
        if self.pattern == Pattern::Laptop {
            let is_off = |client: &mut Self| {
                let weekend = client.is_weekend() && client.random.chance(0.7);
                weekend || client.random.chance(0.1)
            };
            while is_off(self) && days < 10 {
                self.day += TimeDelta::days(1);
                days += 1;
            }
            if self.random.chance(0.015) {
                // Holidays: nobody works.
                let away = 7 + self.random.below(14);
                self.day += TimeDelta::days(i64::try_from(away).unwrap_or(7));
            }
        }
        self.live_day(f64::from(days));
        self.day += TimeDelta::days(1);
    }

    /// The report of a job that ran after the last day lived.
    pub(super) fn report(&mut self, job_id: &str, tamper: Tamper) -> Result<BackupJob, ModelError> {
        let minutes = i64::try_from(self.random.below(10)).unwrap_or(0);
        let night = self.day - TimeDelta::hours(2) + TimeDelta::minutes(minutes);
        let is_full = night.weekday() == Weekday::Sun;
        if tamper.status == JobStatus::Failed {
            return record::failed(self, job_id, night + tamper.clock);
        }
        let total_bytes = self.tree.total_bytes();
        let seen = self.tree.back_up();
        let holds_changes = self.pattern == Pattern::WeeklyFull && !is_full;
        let sent_bytes = if self.pattern == Pattern::WeeklyFull && is_full {
            total_bytes
        } else {
            seen.fresh_bytes
        };
        let job = record::Run {
            job_id,
            started_at: night + tamper.clock,
            status: tamper.status,
            slower: tamper.slower * self.random.log_normal(0.12),
            sent_bytes,
            holds_changes,
        };
        record::succeeded(self, &job, &seen)
    }

    /// Which policy, as jobs name it.
    pub(super) fn policy(&self) -> &'static str {
        self.pattern.as_str()
    }

    pub(super) fn schedule_type(&self) -> ScheduleType {
        match self.pattern {
            Pattern::WeeklyFull => ScheduleType::Other,
            _ => ScheduleType::Incremental,
        }
    }

    fn live_day(&mut self, days: f64) {
        let Habits { burst, noise, .. } = self.habits;
        let mut activity = libm::pow(days, 0.8) * self.random.log_normal(noise);
        if self.is_weekend() && self.pattern != Pattern::Laptop {
            activity *= self.habits.weekend;
        }
        if (self.day + TimeDelta::days(1)).day() == 1 {
            activity *= self.habits.month_end;
        }
        let files = self.tree.files.len() as f64;
        let mut changed = self.habits.changed * activity;
        if self.random.chance(burst.0) {
            changed += burst.1 * self.random.between(0.3, 2.0);
        }
        for _ in 0..self.random.about(files * self.habits.deleted * activity) {
            let place = self.random.below(self.tree.files.len());
            if !self.is_managed(place) {
                self.tree.remove(place);
            }
        }
        for _ in 0..self.random.about(files * changed.min(0.5)) {
            let place = self.some_file();
            if !self.is_managed(place) {
                self.edit(place, self.habits.edited);
            }
        }
        for _ in 0..self.random.about(files * self.habits.new * activity) {
            self.add_file();
        }
        match self.pattern {
            Pattern::Database => self.dump(),
            Pattern::Logs => self.log(),
            _ => {}
        }
    }

    fn is_weekend(&self) -> bool {
        matches!(self.day.weekday(), Weekday::Sat | Weekday::Sun)
    }

    /// Whether a program keeps the file, not a person.
    fn is_managed(&self, place: usize) -> bool {
        let extension = self.tree.files.get(place).map_or(0, |file| file.extension);
        (60..=OLDEST_LOG).contains(&extension)
    }

    /// People mostly work on the same tenth of their files.
    fn some_file(&mut self) -> usize {
        let files = self.tree.files.len();
        if self.random.chance(0.6) {
            files - files.min(1 + self.random.below(files / 10 + 1))
        } else {
            self.random.below(files)
        }
    }

    fn edit(&mut self, place: usize, edited: f64) {
        let Some(file) = self.tree.files.get(place).cloned() else {
            return;
        };
        let size = bytes(file.bytes as f64 * self.random.log_normal(0.05));
        let fresh = bytes(size as f64 * (edited * self.random.log_normal(0.4)).min(1.0));
        let content = Content {
            entropy_bits: (file.content.entropy_bits + 0.02 * self.random.normal())
                .clamp(0.0, 7.995),
            ..file.content
        };
        self.tree.rewrite(place, size, content, fresh);
    }

    /// Adds a file of a kind that this client has.
    fn add_file(&mut self) {
        let mut weight = self.random.unit();
        let mut class = FileClass::Text;
        for (one, share) in self.habits.mix {
            class = *one;
            weight -= share;
            if weight <= 0.0 {
                break;
            }
        }
        self.add(class);
    }

    fn add(&mut self, class: FileClass) {
        let (median, sd) = class.size();
        let size = bytes(median * self.random.log_normal(sd)).max(1);
        let content = class.content(&mut self.random);
        let extension = class.extension(&mut self.random);
        self.tree.add(size, content, extension, size);
    }

    fn dump(&mut self) {
        for place in 0..self.tree.files.len() {
            let file = &self.tree.files[place];
            if (60..70).contains(&file.extension) {
                let (was, content) = (file.bytes as f64, file.content);
                let size = bytes(was * (1.0 + DUMP_GROWTH * self.random.log_normal(0.5)));
                let fresh = size as f64 * (DUMP_FRESH * self.random.log_normal(0.15)).min(1.0);
                self.tree.rewrite(place, size, content, bytes(fresh));
            }
        }
    }

    /// Every log is appended to; on Mondays each is renamed, compressed, and the oldest deleted.
    fn log(&mut self) {
        let rotates = self.day.weekday() == Weekday::Mon;
        for place in (0..self.tree.files.len()).rev() {
            let extension = self.tree.files[place].extension;
            if (LOG..COMPRESSED_LOG).contains(&extension) {
                self.append(place);
                if rotates {
                    self.compress(place);
                }
            } else if rotates && extension == OLDEST_LOG {
                self.tree.remove(place);
            } else if rotates && (COMPRESSED_LOG..OLDEST_LOG).contains(&extension) {
                self.tree.rename(place, extension + 1);
            }
        }
    }

    fn append(&mut self, place: usize) {
        let Some(file) = self.tree.files.get(place).cloned() else {
            return;
        };
        let (daily, _) = FileClass::Log.size();
        let more = bytes(daily / 5.0 * self.random.log_normal(0.3));
        self.tree
            .rewrite(place, file.bytes + more, file.content, more);
    }

    fn compress(&mut self, place: usize) {
        if let Some(log) = self.tree.remove(place) {
            let size = log.bytes / 8 + 1;
            self.tree.add(size, Content::ARCHIVE, COMPRESSED_LOG, size);
            let fresh = 1000;
            self.tree.add(fresh, log.content, log.extension, fresh);
        }
    }
}
