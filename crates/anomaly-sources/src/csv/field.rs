//! The fields of a job that a column can hold, and what kind of value each is.

use serde::Deserialize;

/// What kind of value a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Time,
    /// One of the words for how a job ended.
    Status,
    /// One of the words for the type of a schedule.
    ScheduleType,
    /// A whole number, which may be negative.
    Integer,
    Count,
    Bytes,
    Seconds,
    /// 0 to 1.
    Share,
    /// Any other number.
    Number,
}

macro_rules! fields {
    ($($Field:ident = $name:literal, $Kind:ident;)*) => {
        /// A field of a job, by its name in the job format.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        pub(super) enum Field {
            $(#[serde(rename = $name)] $Field,)*
        }

        impl Field {
            pub(super) const ALL: &[Self] = &[$(Self::$Field),*];

            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$Field => $name,)*
                }
            }

            pub(super) fn kind(self) -> Kind {
                match self {
                    $(Self::$Field => Kind::$Kind,)*
                }
            }
        }
    };
}

fields! {
    Source = "source", Text;
    JobId = "job_id", Text;
    Client = "client", Text;
    Policy = "policy", Text;
    PolicyType = "policy_type", Text;
    Schedule = "schedule", Text;
    ScheduleType = "schedule_type", ScheduleType;
    StartedAt = "started_at", Time;
    EndedAt = "ended_at", Time;
    Status = "status", Status;
    ExitCode = "exit_code", Integer;
    DurationSeconds = "duration_seconds", Seconds;
    ImageBytes = "image_bytes", Bytes;
    FileCount = "file_count", Count;
    TransferredBytes = "transferred_bytes", Bytes;
    StoredBytes = "stored_bytes", Bytes;
    DedupRatio = "dedup_ratio", Share;
    FilesNew = "files_new", Count;
    FilesChanged = "files_changed", Count;
    FilesUnmodified = "files_unmodified", Count;
    FilesDeleted = "files_deleted", Count;
    DirectoryCount = "directory_count", Count;
    MeanEntropyBits = "mean_entropy_bits", Number;
    MeanEntropyBitsNew = "mean_entropy_bits_new", Number;
    MeanEntropyBitsChanged = "mean_entropy_bits_changed", Number;
    EntropyDeltaBitsChanged = "entropy_delta_bits_changed", Number;
    EntropySdBits = "entropy_sd_bits", Number;
    PrintableShare = "printable_share", Share;
    RandomFiles = "random_files", Count;
    HighEntropyShareNew = "high_entropy_share_new", Share;
    HighEntropyShareChanged = "high_entropy_share_changed", Share;
    UnseenExtensionFiles = "unseen_extension_files", Count;
    UnseenExtensionShareNew = "unseen_extension_share_new", Share;
    ExtensionCount = "extension_count", Count;
    ExtensionShift = "extension_shift", Share;
    RenamedFiles = "renamed_files", Count;
    EmptiedFiles = "emptied_files", Count;
    WrittenBytes = "written_bytes", Bytes;
    DeletedBytes = "deleted_bytes", Bytes;
}

impl Field {
    /// Whether the field is one of `content`.
    pub(super) fn is_in_content(self) -> bool {
        self >= Self::MeanEntropyBits
    }
}
