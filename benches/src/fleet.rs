//! The jobs of a fleet.

use anomaly_model::chrono::{DateTime, TimeDelta};
use anomaly_model::{BackupImage, BackupJob, ContentStatistics, ModelError};

/// Numbers that look random, from 0 to below `most`.
fn mix(stream: u64, day: u64, what: u64, most: u64) -> u64 {
    let mut x = (stream << 40) ^ (day << 8) ^ what;
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) % most
}

/// A job id as long and as random as restic's.
fn id(stream: u64, day: u64) -> String {
    (0..4).fold(String::new(), |id, part| {
        format!("{id}{:016x}", mix(stream, day, 100 + part, u64::MAX))
    })
}

/// A usual job that reports all that there is.
///
/// # Errors
/// None, as long as the numbers are as small as those of a fleet.
pub fn job(stream: u64, day: u64) -> Result<BackupJob, ModelError> {
    let draw = |what, most| mix(stream, day, what, most);
    let files = 20_000 + stream * 5 + day * 2;
    let changed = 100 + draw(1, 600);
    let sent = changed * 300_000 + draw(2, 50_000_000);
    let content = ContentStatistics::default()
        .mean_entropy_bits(4.5 + draw(3, 40) as f64 / 100.0)
        .mean_entropy_bits_changed(4.5 + draw(4, 40) as f64 / 100.0)
        .entropy_delta_bits_changed(draw(5, 40) as f64 / 1_000.0 - 0.02)
        .random_files(draw(6, 10))
        .unseen_extension_files(draw(7, 3))
        .extension_shift(draw(8, 20) as f64 / 1_000.0)
        .renamed_files(draw(9, 6))
        .emptied_files(draw(10, 2));
    let image = BackupImage::default()
        .image_bytes(files * 200_000 + draw(11, 10_000_000))
        .file_count(files)
        .directory_count(files / 12)
        .transferred_bytes(sent)
        .stored_bytes(sent / 10 * (4 + draw(12, 2)))
        .files_new(5 + draw(13, 30))
        .files_changed(changed)
        .files_deleted(2 + draw(14, 20))
        .content(content);
    let start = DateTime::UNIX_EPOCH + TimeDelta::days(day.cast_signed());
    let client = format!("client{stream:05}");
    BackupJob::builder("restic", id(stream, day), client, "daily", start)
        .ended_at(start + TimeDelta::seconds(600 + draw(15, 300).cast_signed()))
        .image(image)
        .build()
}
