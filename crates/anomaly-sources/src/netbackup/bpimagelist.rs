//! `bpimagelist -l`: the images in the catalog.

use crate::lines::{Lines, text as text_of};
use crate::netbackup::column::{Column, is_backup_id, is_whole};
use crate::netbackup::gather::records;
use crate::netbackup::images::Images;
use crate::netbackup::run::{Run, known_moved};
use crate::netbackup::{IMAGES_NEVER_TELL, STREAM_KEY, codes};
use crate::{
    Head, Input, Place, ReadOption, ReadOptions, Record, RecordError, Records, Source, SourceError,
};

/// The format `netbackup-bpimagelist`.
#[derive(Debug)]
pub(crate) struct Bpimagelist;

impl Source for Bpimagelist {
    fn name(&self) -> &'static str {
        "netbackup-bpimagelist"
    }

    fn input(&self) -> &'static str {
        "`bpimagelist -l`"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        let is_image = |line| {
            let line = String::from_utf8_lossy(line);
            let columns: Vec<_> = line.split_ascii_whitespace().collect();
            let has_id = columns
                .get(BACKUP_ID.index)
                .is_some_and(|id| is_backup_id(id));
            let has_time = columns
                .get(BACKUP_TIME.index)
                .is_some_and(|time| is_integer(time));
            columns.first() == Some(&"IMAGE") && has_id && has_time
        };
        head.lines()
            .any(is_image)
            .then_some("it has lines of `IMAGE`, client and backup id")
    }

    fn never_knows(&self) -> &'static [&'static str] {
        IMAGES_NEVER_TELL
    }

    fn stream_key(&self) -> &'static str {
        STREAM_KEY
    }

    fn options(&self) -> &'static [ReadOption] {
        &[]
    }

    fn open<'a>(
        &self,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Result<Records<'a>, SourceError> {
        let max_bytes = options.max_record_bytes;
        let mut lines = Lines::new(input.not_empty()?, options);
        let mut before = None;
        let take = move |images: &mut Images| {
            let Some((place, line)) = lines.next_bytes()? else {
                return Ok(false);
            };
            let read = Line::read(line, place, max_bytes);
            match read {
                Ok(Line::Image(_, columns))
                    if !lines.has_end() && !is_whole(columns, &KNOWN_COLUMNS, before) =>
                {
                    let message = "cut off in the middle of the record";
                    images.cut();
                    images.pass(Record::Bad(RecordError::new(place, message)));
                }
                Ok(Line::Image(run, columns)) => {
                    before = Some(columns);
                    images.add(run);
                }
                Ok(Line::Running(run)) => images.add_running(&run),
                Ok(Line::Other(why)) => images.pass(Record::skipped(place, why)),
                Ok(Line::Part) => {}
                Err(error) => {
                    if !lines.has_end() {
                        images.cut();
                    }
                    images.pass(Record::Bad(error));
                }
            }
            Ok(true)
        };
        Ok(records(Images::default(), take, NO_IMAGES))
    }
}

const NO_IMAGES: SourceError = SourceError::Empty {
    reason: "no line is an image as `bpimagelist -l` prints it",
};

/// What a line is.
#[derive(Debug)]
enum Line {
    /// An image, and how many columns it has.
    Image(Box<Run>, usize),
    /// An image that is being written.
    Running(Box<Run>),
    /// An image that is no backup, and why.
    Other(&'static str),
    /// A fragment of the image above it, or its histogram: nothing that is used.
    Part,
}

const CLIENT: Column = Column::new(1, "client_name");
const BACKUP_ID: Column = Column::new(5, "backupid");
const POLICY: Column = Column::new(6, "policy_name");
const POLICY_TYPE: Column = Column::new(7, "client_type");
const SCHEDULE: Column = Column::new(10, "sched_label");
const SCHEDULE_TYPE: Column = Column::new(11, "sched_type");
const BACKUP_TIME: Column = Column::new(13, "backup_time");
const ELAPSED: Column = Column::new(14, "elapsed");
const KILOBYTES: Column = Column::new(18, "kbytes");
const FILES: Column = Column::new(19, "num_files");
const FRAGMENTS: Column = Column::new(21, "num_fragments");
const IMAGE_TYPE: Column = Column::new(28, "image_type");
const BACKUP_STATUS: Column = Column::new(41, "backup_stat");
const KILOBYTES_MOVED: Column = Column::new(61, "kilobytes_data_transferred");

/// Columns that every version prints.
const FEWEST_COLUMNS: usize = 22;
/// Behind the keywords, which can be several words, stand so many integers ...
const AFTER_KEYWORDS: std::ops::Range<usize> = 32..39;
/// ... and so do behind the description.
const AFTER_DESCRIPTION: std::ops::Range<usize> = 40..43;

/// Where the lines of the known versions end. Newer ones are longer.
const KNOWN_COLUMNS: [usize; 6] = [50, 54, 55, 58, 62, 67];

impl Line {
    fn read(line: &[u8], place: Place, max_bytes: usize) -> Result<Self, RecordError> {
        let bad = |message: String| RecordError::new(place, message);
        if line.len() > max_bytes {
            return Err(bad(format!(
                "longer than {max_bytes} bytes, the most that is read of one record"
            )));
        }
        // Keywords are in whatever encoding the client has.
        let line = text_of(line);
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        match columns.first().copied() {
            Some("IMAGE") => Self::image(&columns, place).map_err(bad),
            Some("FRAG" | "HISTO") => Ok(Self::Part),
            _ => Err(bad(
                "neither IMAGE, FRAG nor HISTO, as `bpimagelist -l` prints them".into(),
            )),
        }
    }

    fn image(columns: &[&str], place: Place) -> Result<Self, String> {
        if columns.len() < FEWEST_COLUMNS {
            return Err(format!(
                "cut off after {} columns, or no image as `bpimagelist -l` prints it",
                columns.len()
            ));
        }
        if number(columns, IMAGE_TYPE)?.is_some_and(|image_type| image_type > 0) {
            return Ok(Self::Other("an imported image"));
        }
        let needed =
            |column: Column| number(columns, column)?.ok_or_else(|| format!("{column} is missing"));
        let (kilobytes, elapsed) = (needed(KILOBYTES)?, needed(ELAPSED)?);
        let is_running = kilobytes == 0 && elapsed == 0 && number(columns, FRAGMENTS)? == Some(0);
        let started_at = BACKUP_TIME.time(needed(BACKUP_TIME)?)?;
        let later = Later::of(columns);
        let exit_code = later.exit_code;
        let moved = known_moved(later.kilobytes_moved, Some(kilobytes));
        let text = |column: Column| text(columns, column).unwrap_or_default().to_owned();
        let schedule = text(SCHEDULE);
        let run = Run {
            place,
            job_id: text(BACKUP_ID),
            client: text(CLIENT),
            policy: text(POLICY),
            policy_type: number(columns, POLICY_TYPE)?.map(codes::policy_type),
            schedule: (!schedule.is_empty()).then_some(schedule),
            schedule_type: number(columns, SCHEDULE_TYPE)?.map(codes::schedule_type),
            started_at,
            ended_at: None,
            duration_seconds: Some(elapsed as f64),
            // There is an image; what is not said of it is that something was wrong.
            status: codes::status_of(exit_code.unwrap_or_default()),
            exit_code,
            image_bytes: Some(KILOBYTES.bytes(kilobytes)?),
            file_count: Some(needed(FILES)?),
            transferred_bytes: moved
                .map(|moved| KILOBYTES_MOVED.bytes(moved))
                .transpose()?,
            dedup_ratio: None,
        };
        let run = Box::new(run);
        Ok(if is_running {
            Self::Running(run)
        } else {
            Self::Image(run, columns.len())
        })
    }
}

/// What stands behind texts of several words.
#[derive(Debug, Default, Clone, Copy)]
struct Later {
    exit_code: Option<u64>,
    kilobytes_moved: Option<u64>,
}

impl Later {
    /// Nothing, where the words hide what is what.
    fn of(columns: &[&str]) -> Self {
        let are_integers = |range: std::ops::Range<usize>, shift: usize| {
            let range = range.start + shift..range.end + shift;
            let found = columns.get(range);
            found.is_some_and(|found| found.iter().all(|column| is_integer(column)))
        };
        let words = 0..columns.len();
        let found = words
            .clone()
            .find(|&shift| are_integers(AFTER_KEYWORDS, shift))
            .and_then(|keywords| {
                let mut shifts = words.skip(keywords);
                shifts.find(|&shift| are_integers(AFTER_DESCRIPTION, shift))
            });
        let Some(shift) = found else {
            return Self::default();
        };
        let number = |column: Column| columns.get(column.index + shift)?.parse().ok();
        // In 2012 a status of 0 to 9 stood where newer versions, whose lines are longer, have KB.
        let is_new = columns.len() - shift > KILOBYTES_MOVED.index + 1;
        Self {
            exit_code: number(BACKUP_STATUS),
            kilobytes_moved: number(KILOBYTES_MOVED).filter(|&moved| is_new && moved > 9),
        }
    }
}

/// A column's text; `None` if it is empty.
fn text<'a>(columns: &[&'a str], column: Column) -> Option<&'a str> {
    let text = columns.get(column.index).copied();
    text.filter(|text| *text != "*NULL*")
}

fn number(columns: &[&str], column: Column) -> Result<Option<u64>, String> {
    let text = text(columns, column);
    text.map(|text| column.number(text)).transpose()
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}
