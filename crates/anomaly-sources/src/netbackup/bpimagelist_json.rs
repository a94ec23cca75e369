//! `bpimagelist -json` and `-json_compact`: the images in the catalog, as JSON.
//!
//! The manual names the options and not the keys. So every name by which NetBackup calls a column
//! elsewhere is one: those of `bpimagelist -l` and those of the REST interface, in any case, with
//! underscores or without.

use anomaly_model::chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::input::shown;
use crate::moment::Moment;
use crate::netbackup::gather::records;
use crate::netbackup::images::Images;
use crate::netbackup::run::{Run, known_moved};
use crate::netbackup::{IMAGES_NEVER_TELL, STREAM_KEY, codes, column};
use crate::values::{ELEMENT, Path, Values};
use crate::{
    Format, Head, Input, Place, ReadOption, ReadOptions, Record, RecordError, Records, Source,
    SourceError, json,
};

/// The format `netbackup-bpimagelist-json`.
#[derive(Debug)]
pub(crate) struct BpimagelistJson;

/// Images one after another, in a list, or in a list that an object holds.
const WANTED: &[Path] = &[&[], &[ELEMENT], &["images", ELEMENT], &["image", ELEMENT]];
/// The same, as [`Head`] writes them.
const PLACES: [&str; 4] = ["", "[]", "images[]", "image[]"];

impl Source for BpimagelistJson {
    fn name(&self) -> &'static str {
        "netbackup-bpimagelist-json"
    }

    fn input(&self) -> &'static str {
        "`bpimagelist -json`"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        let is = |within: &&str| {
            [BACKUP_ID, BACKUP_TIME]
                .iter()
                .all(|names| head.has_key_below(within, |key| is_one_of(key, names)))
        };
        (PLACES.iter().any(is)).then_some("it has objects with `backupid` and `backup_time`")
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
        let input = input.not_empty()?;
        // Text may stand before the list, but not for it.
        if input.surely_lacks(b"{[") {
            return Err(SourceError::WrongFormat {
                format: Format::NetBackupBpimagelistJson,
                expected: "JSON, as `bpimagelist -json` prints it",
                found: shown(&input.head),
            });
        }
        let mut values = Values::new(input, WANTED, options);
        let mut ends_badly = false;
        let take = move |images: &mut Images| {
            let Some(value) = values.next()? else {
                // The last record is bad because there is no more of it.
                if ends_badly {
                    images.cut();
                }
                return Ok(false);
            };
            let place = value.raw.place;
            let image = value.raw.text.and_then(|text| Image::parse(text, place));
            let found = image.and_then(|image| image.read());
            ends_badly = found.is_err();
            match found {
                Ok(Found::Image(run)) => images.add(run),
                Ok(Found::Running(run)) => images.add_running(&run),
                Ok(Found::Other(why)) => images.pass(Record::skipped(place, why)),
                Err(error) => images.pass(Record::Bad(error)),
            }
            Ok(true)
        };
        Ok(records(Images::default(), take, NO_IMAGES))
    }
}

const NO_IMAGES: SourceError = SourceError::Empty {
    reason: "no object is an image as `bpimagelist -json` prints it",
};

// The names of a column: of `bpimagelist -l` first, then of the REST interface, in lower case and
// without underscores.
const CLIENT: &[&str] = &["clientname"];
const BACKUP_ID: &[&str] = &["backupid"];
const POLICY: &[&str] = &["policyname"];
const POLICY_TYPE: &[&str] = &["clienttype", "policytype"];
const SCHEDULE: &[&str] = &["schedlabel", "schedulename"];
const SCHEDULE_TYPE: &[&str] = &["schedtype", "scheduletype"];
const BACKUP_TIME: &[&str] = &["backuptime"];
const ELAPSED: &[&str] = &["elapsed", "elapsedtimeseconds"];
const KILOBYTES: &[&str] = &["kbytes"];
const FILES: &[&str] = &["numfiles"];
const FRAGMENTS: &[&str] = &["numfragments", "numberfragments"];
const IMAGE_TYPE: &[&str] = &["imagetype"];
const BACKUP_STATUS: &[&str] = &["backupstat", "backupstatus"];
const KILOBYTES_MOVED: &[&str] = &["kilobytesdatatransferred", "kbytesdatatransferred"];

fn is_one_of(key: &str, names: &[&str]) -> bool {
    let letters = || key.bytes().filter(|byte| *byte != b'_');
    let is = |name: &&str| {
        letters()
            .map(|byte| byte.to_ascii_lowercase())
            .eq(name.bytes())
    };
    names.iter().any(is)
}

/// What an object is.
enum Found {
    Image(Box<Run>),
    /// An image that is being written.
    Running(Box<Run>),
    /// No backup, and why.
    Other(&'static str),
}

/// The object of one image.
struct Image {
    keys: Map<String, Value>,
    place: Place,
}

impl Image {
    fn parse(text: &str, place: Place) -> Result<Self, RecordError> {
        let keys = json::parse_by_path(text, place)?;
        Ok(Self { keys, place })
    }

    fn read(&self) -> Result<Found, RecordError> {
        let image_type = self.text(IMAGE_TYPE);
        if image_type.is_some_and(|word| word != "0" && !word.eq_ignore_ascii_case("normal")) {
            return Ok(Found::Other("an imported image"));
        }
        let needed = |names| self.number(names)?.ok_or_else(|| self.missing(names));
        let (kilobytes, elapsed) = (needed(KILOBYTES)?, needed(ELAPSED)?);
        let is_running = kilobytes == 0 && elapsed == 0 && self.number(FRAGMENTS)? == Some(0);
        let found = if is_running {
            Found::Running
        } else {
            Found::Image
        };
        let exit_code = self.number(BACKUP_STATUS)?;
        let moved = known_moved(self.number(KILOBYTES_MOVED)?, Some(kilobytes));
        let text = |names| self.text(names).unwrap_or_default();
        let number_in = |word: &String| word.parse::<u64>().ok();
        let policy_type = self.text(POLICY_TYPE).and_then(|word| {
            number_in(&word).map_or_else(
                || codes::policy_type_in_word(&word).map(|word| word.into_owned().into()),
                |number| Some(codes::policy_type(number)),
            )
        });
        let schedule_type = self.text(SCHEDULE_TYPE).and_then(|word| {
            number_in(&word).map_or_else(
                || codes::schedule_type_in_word(&word),
                |number| Some(codes::schedule_type(number)),
            )
        });
        Ok(found(Box::new(Run {
            place: self.place,
            job_id: text(BACKUP_ID),
            client: text(CLIENT),
            policy: text(POLICY),
            policy_type,
            schedule: self.text(SCHEDULE),
            schedule_type,
            started_at: self.start()?,
            ended_at: None,
            duration_seconds: Some(elapsed as f64),
            // There is an image; what is not said of it is that something was wrong.
            status: codes::status_of(exit_code.unwrap_or_default()),
            exit_code,
            image_bytes: Some(self.bytes(KILOBYTES, kilobytes)?),
            file_count: self.number(FILES)?,
            transferred_bytes: moved
                .map(|moved| self.bytes(KILOBYTES_MOVED, moved))
                .transpose()?,
            dedup_ratio: None,
        })))
    }

    /// The value of the first of `names` that has one, and how its key is written.
    fn value(&self, names: &[&str]) -> Option<(&str, &Value)> {
        let of_name = |name: &&str| {
            let mut keys = self.keys.iter();
            keys.find(|(key, value)| is_one_of(key, &[*name]) && !is_nothing(value))
        };
        let (key, value) = names.iter().find_map(of_name)?;
        Some((key, value))
    }

    /// A number as the text that it is in the other outputs, too.
    fn text(&self, names: &[&str]) -> Option<String> {
        match self.value(names)?.1 {
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    fn number(&self, names: &[&str]) -> Result<Option<u64>, RecordError> {
        let Some((key, value)) = self.value(names) else {
            return Ok(None);
        };
        let number = match value {
            Value::String(text) => text.trim().parse().ok(),
            value => value.as_u64(),
        };
        let expected = || format!("a whole number from 0 to {}", u64::MAX);
        let number = number.ok_or_else(|| self.refused(key, value, &expected()));
        number.map(Some)
    }

    fn bytes(&self, names: &[&str], kilobytes: u64) -> Result<u64, RecordError> {
        column::bytes(kilobytes).ok_or_else(|| {
            let (name, most) = (names[0], column::MAX_KILOBYTES);
            let message = format!("`{name}` is {kilobytes} KB: must be at most {most}");
            RecordError::new(self.place, message)
        })
    }

    /// Seconds since 1970, or a time as the REST interface writes it.
    fn start(&self) -> Result<DateTime<Utc>, RecordError> {
        let (key, value) = self
            .value(BACKUP_TIME)
            .ok_or_else(|| self.missing(BACKUP_TIME))?;
        let text = self.text(BACKUP_TIME).unwrap_or_default();
        let seconds = text.parse().ok();
        let time = seconds.map_or_else(
            || Moment::zoned(&text),
            |seconds| DateTime::from_timestamp(seconds, 0),
        );
        let expected = "seconds since 1970, or a time such as 2026-11-22T03:00:00Z";
        time.ok_or_else(|| self.refused(key, value, expected))
    }

    fn missing(&self, names: &[&str]) -> RecordError {
        let message = format!("`{}` is missing", names.join("` or `"));
        RecordError::new(self.place, message)
    }

    fn refused(&self, key: &str, value: &Value, expected: &str) -> RecordError {
        let shown: String = value.to_string().chars().take(40).collect();
        RecordError::new(
            self.place,
            format!("`{key}` is {shown}: must be {expected}"),
        )
    }
}

/// Whether a value stands for none.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => matches!(text.trim(), "" | "*NULL*"),
        _ => false,
    }
}
