//! NetBackup's codes, as numbers (command line) and as words (REST), and what they mean here.

use std::borrow::Cow;

use anomaly_model::{JobStatus, ScheduleType};

/// The types of jobs that write an image of a client's data, and those of all the others.
///
/// Number, word of the REST interface, and why a job of this type is skipped.
const JOB_TYPES: &[(u64, &str, Option<&str>)] = &[
    (0, "BACKUP", None),
    (
        1,
        "ARCHIVE",
        Some("an archive, which deletes what it saved"),
    ),
    (2, "RESTORE", Some("a restore")),
    (3, "VERIFY", Some("a verification")),
    (4, "DUPLICATE", Some("a duplication")),
    (5, "IMPORT", Some("an import")),
    (6, "DBBACKUP", Some("a backup of NetBackup's own catalog")),
    (7, "VAULT", Some("a vault job")),
    (
        15,
        "DBRECOVER",
        Some("a recovery of NetBackup's own catalog"),
    ),
    (17, "IMAGEDELETE", Some("an image cleanup")),
    (20, "REPLICATE", Some("a replication")),
    (21, "REPLICA_IMPORT", Some("an import")),
    // The data of a snapshot, written into an image: the backup where snapshots come first.
    (22, "SNAPDUPE", None),
    (23, "SNAPREPLICATE", Some("a replication")),
    (24, "SNAPIMPORT", Some("an import")),
    (28, "SNAPSHOT", Some("a snapshot")),
];

/// A type of job that is in no list here.
const NO_BACKUP: &str = "a job that is no backup";

/// Why a job of this type is no backup; `None` if it is one.
pub(super) fn no_backup(job_type: u64) -> Option<&'static str> {
    let known = JOB_TYPES.iter().find(|(number, ..)| *number == job_type);
    known.map_or(Some(NO_BACKUP), |(_, _, reason)| *reason)
}

/// As [`no_backup`], of a word of the REST interface.
pub(super) fn no_backup_in_word(job_type: &str) -> Option<&'static str> {
    let known = JOB_TYPES.iter().find(|(_, word, _)| *word == job_type);
    known.map_or(Some(NO_BACKUP), |(_, _, reason)| *reason)
}

/// Why a job is skipped that has not ended yet.
pub(super) const RUNNING: &str = "running";

/// The states of a job. Number, word of the REST interface, and why a job in it is skipped.
const STATES: &[(u64, &str, Option<&str>)] = &[
    (0, "QUEUED", Some("queued")),
    (1, "ACTIVE", Some(RUNNING)),
    (2, "REQUEUED", Some("queued for another try")),
    (3, "DONE", None),
    (4, "SUSPENDED", Some("suspended")),
    (5, "INCOMPLETE", Some("incomplete, to be resumed")),
];

/// Why a job in this state has not ended; `None` if it has. `Err` if there is no such state.
pub(super) fn not_ended(state: u64) -> Result<Option<&'static str>, ()> {
    let known = STATES.iter().find(|(number, ..)| *number == state);
    known.map(|(_, _, reason)| *reason).ok_or(())
}

/// As [`not_ended`], of a word of the REST interface.
pub(super) fn not_ended_in_word(state: &str) -> Result<Option<&'static str>, ()> {
    let known = STATES.iter().find(|(_, word, _)| *word == state);
    known.map(|(_, _, reason)| *reason).ok_or(())
}

/// What an exit status of NetBackup says: 0 is all, 1 part of it, 150 that someone ended the job,
/// and the others that there is no image to rely on.
pub(super) fn status_of(exit_code: u64) -> JobStatus {
    match exit_code {
        0 => JobStatus::Succeeded,
        1 => JobStatus::Partial,
        150 => JobStatus::Cancelled,
        _ => JobStatus::Failed,
    }
}

/// The type of schedule of this number.
pub(super) fn schedule_type(number: u64) -> ScheduleType {
    match number {
        0 => ScheduleType::Full,
        1 => ScheduleType::DifferentialIncremental,
        2 => ScheduleType::UserBackup,
        4 => ScheduleType::CumulativeIncremental,
        // User archives, transaction logs.
        _ => ScheduleType::Other,
    }
}

/// The type of schedule of this word, of the jobs or of the images; `None` where there is none.
pub(super) fn schedule_type_in_word(word: &str) -> Option<ScheduleType> {
    let of_job = word.strip_suffix("_BACKUP").unwrap_or(word);
    Some(match of_job {
        "" | "UNUSED" | "UNRECOGNIZED_VALUE" => return None,
        "FULL" => ScheduleType::Full,
        "DIFFERENTIAL_INCREMENTAL" => ScheduleType::DifferentialIncremental,
        "CUMULATIVE_INCREMENTAL" => ScheduleType::CumulativeIncremental,
        "USER" => ScheduleType::UserBackup,
        _ => ScheduleType::Other,
    })
}

/// What a policy protects: the word here, and the number and the two ways in which the REST
/// interface calls it, for jobs and for images.
const POLICY_TYPES: &[(&str, u64, &str, &str)] = &[
    ("standard", 0, "STANDARD", "Standard"),
    ("oracle", 4, "OBACKUP", "Oracle"),
    ("informix", 6, "INFORMIX", "Informix-On-BAR"),
    ("sybase", 7, "SYBASE", "Sybase"),
    ("sharepoint", 8, "SHAREPOINT", "MS-SharePoint"),
    ("netware", 10, "NETWARE", "NetWare"),
    ("backtrack", 11, "BACKTRACK", "DataTools-SQL-BackTrack"),
    ("ms_windows", 13, "WINDOWS_NT", "MS-Windows"),
    ("os2", 14, "OS2", "OS/2"),
    ("ms_sql", 15, "SQL_SERVER", "MS-SQL-Server"),
    ("exchange", 16, "EXCHANGE", "MS-Exchange-Server"),
    ("sap", 17, "SAP", "SAP"),
    ("db2", 18, "DB2", "DB2"),
    ("ndmp", 19, "NDMP", "NDMP"),
    ("flashbackup", 20, "FLASHBACKUP", "FlashBackup"),
    ("afs", 22, "AFS", "AFS"),
    ("lotus_notes", 25, "LOTUS_NOTES", "Lotus-Notes"),
    (
        "flashbackup_windows",
        29,
        "FBU_WINDOWS",
        "FlashBackup-Windows",
    ),
    ("nbu_catalog", 35, "NBU_CATALOG", "NBU-Catalog"),
    (
        "enterprise_vault",
        39,
        "ENTERPRISE_VAULT",
        "Enterprise-Vault",
    ),
    ("vmware", 40, "VMWARE", "VMware"),
    ("hyper_v", 41, "HYPERV", "Hyper-V"),
];

/// The word for a policy type; a number that is not in the list stays a number.
pub(super) fn policy_type(number: u64) -> Cow<'static, str> {
    let known = POLICY_TYPES.iter().find(|(_, code, ..)| *code == number);
    known.map_or_else(
        || Cow::Owned(number.to_string()),
        |(word, ..)| Cow::Borrowed(*word),
    )
}

/// As [`policy_type`], of a name of the REST interface; one that is not in the list is written in
/// the same way as the others: `NAS-Data-Protection` as `nas_data_protection`.
pub(super) fn policy_type_in_word(name: &str) -> Option<Cow<'static, str>> {
    if name.trim().is_empty() {
        return None;
    }
    let known = POLICY_TYPES
        .iter()
        .find(|(_, _, of_job, of_image)| name == *of_job || name.eq_ignore_ascii_case(of_image));
    Some(known.map_or_else(
        || Cow::Owned(name.trim().to_lowercase().replace(['-', ' ', '/'], "_")),
        |(word, ..)| Cow::Borrowed(*word),
    ))
}

#[cfg(test)]
mod tests {
    use super::{policy_type, policy_type_in_word, schedule_type_in_word};
    use anomaly_model::ScheduleType;

    #[test]
    fn a_policy_type_has_one_word_however_it_is_written() {
        for (number, of_job, of_image, word) in [
            (0, "STANDARD", "Standard", "standard"),
            (13, "WINDOWS_NT", "MS-Windows", "ms_windows"),
            (40, "VMWARE", "VMware", "vmware"),
        ] {
            assert_eq!(policy_type(number), word);
            assert_eq!(policy_type_in_word(of_job).as_deref(), Some(word));
            assert_eq!(policy_type_in_word(of_image).as_deref(), Some(word));
        }
        assert_eq!(policy_type(52), "52");
        let new = ["NAS_DATA_PROTECTION", "NAS-Data-Protection"];
        for name in new {
            assert_eq!(
                policy_type_in_word(name).as_deref(),
                Some("nas_data_protection")
            );
        }
        assert_eq!(policy_type_in_word(" "), None);
    }

    #[test]
    fn jobs_and_images_call_their_schedules_differently() {
        for word in [
            "DIFFERENTIAL_INCREMENTAL_BACKUP",
            "DIFFERENTIAL_INCREMENTAL",
        ] {
            let found = schedule_type_in_word(word);
            assert_eq!(found, Some(ScheduleType::DifferentialIncremental));
        }
        let logs = schedule_type_in_word("TRANSACTION_LOG_BACKUP");
        assert_eq!(logs, Some(ScheduleType::Other));
        assert_eq!(schedule_type_in_word("UNUSED"), None);
    }
}
