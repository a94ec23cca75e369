//! Whether values are allowed.

use anomaly_sources::{Format, SourceError, Timezone};

/// Reads the name of a time zone, if there is one.
pub(super) fn zone(name: Option<&str>) -> Result<Option<Timezone>, String> {
    let zone = name.map(str::parse).transpose();
    zone.map_err(|error: SourceError| error.to_string())
}

pub(super) fn parts(format: Format, asked: Option<&Vec<String>>) -> Result<(), String> {
    let known = format.source().policy_parts();
    let mut asked = asked.into_iter().flatten();
    match asked.find(|part| !known.contains(&part.as_str())) {
        Some(part) => Err(format!(
            "`policy_parts` has {part:?}: {format} has {}",
            known.join(", ")
        )),
        None => Ok(()),
    }
}

pub(super) fn in_range(key: &str, value: u32, least: u32, most: u32) -> Result<(), String> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(format!("`{key}` is {value}: must be {least} to {most}"))
    }
}
