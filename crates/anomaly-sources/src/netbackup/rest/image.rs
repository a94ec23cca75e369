//! An image of `/catalog/images`.

use anomaly_model::chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::netbackup::codes;
use crate::netbackup::rest::{Element, bytes, missing};
use crate::netbackup::run::{Run, known_moved};
use crate::{Place, RecordError, json};

#[derive(Debug, Deserialize)]
struct Image {
    /// The backup id.
    id: Option<String>,
    attributes: Attributes,
}

/// What is used of an image, with NetBackup's names.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    client_name: Option<String>,
    policy_name: Option<String>,
    policy_type: Option<String>,
    schedule_name: Option<String>,
    schedule_type: Option<String>,
    #[serde(default, deserialize_with = "json::time")]
    backup_time: Option<DateTime<Utc>>,
    backup_status: Option<u64>,
    image_type: Option<String>,
    elapsed_time_seconds: Option<u64>,
    kbytes: Option<u64>,
    kbytes_data_transferred: Option<u64>,
    num_files: Option<u64>,
    number_fragments: Option<u64>,
}

pub(super) fn read(text: &str, place: Place) -> Result<Element, RecordError> {
    let Image { id, attributes } = json::parse_by_path(text, place)?;
    let id = id.ok_or_else(|| RecordError::new(place, "`id` is missing"))?;
    let image_type = attributes.image_type.as_deref();
    if image_type.is_some_and(|image_type| image_type != "NORMAL") {
        return Ok(Element::Other("an imported image"));
    }
    let (image, elapsed) = (attributes.kbytes, attributes.elapsed_time_seconds);
    let is_running = (image, elapsed, attributes.number_fragments) == (Some(0), Some(0), Some(0));
    let element = if is_running {
        Element::Running
    } else {
        Element::Image
    };
    // Its name says KB, and its description bytes: KB, unless that cannot be.
    let moved = known_moved(attributes.kbytes_data_transferred, image)
        .filter(|&moved| image.is_none_or(|image| moved / 2 <= image));
    let started_at = attributes.backup_time;
    let exit_code = attributes.backup_status;
    let policy_type = attributes.policy_type.as_deref();
    let schedule_type = attributes.schedule_type.as_deref();
    Ok(element(Box::new(Run {
        place,
        job_id: id,
        client: attributes.client_name.unwrap_or_default(),
        policy: attributes.policy_name.unwrap_or_default(),
        policy_type: policy_type.and_then(codes::policy_type_in_word),
        schedule: (attributes.schedule_name).filter(|name| !name.trim().is_empty()),
        schedule_type: schedule_type.and_then(codes::schedule_type_in_word),
        started_at: started_at.ok_or_else(|| missing("backupTime", place))?,
        ended_at: None,
        duration_seconds: elapsed.map(|seconds| seconds as f64),
        // There is an image; what is not said of it is that something was wrong.
        status: codes::status_of(exit_code.unwrap_or_default()),
        exit_code,
        image_bytes: bytes("kbytes", image, place)?,
        file_count: attributes.num_files,
        transferred_bytes: bytes("kbytesDataTransferred", moved, place)?,
        dedup_ratio: None,
    })))
}
