//! What can happen to a simulated client.

/// Something that happens to a client: an attack, a fault, a legitimate mass change.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scenario {
    pub(super) family: &'static str,
    pub(super) kind: String,
    pub(super) deed: Deed,
    pub(super) pace: Pace,
}

/// How much of the files is touched by each job.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Pace {
    /// This share, once.
    Once(f64),
    /// This share of the files that there were, before each job.
    Constant(f64),
    /// From next to nothing to this share per job over 15 jobs.
    Growing(f64),
}

/// A slow attack goes on until this share is touched.
const SLOW_UNTIL: f64 = 0.45;
const GROWING_JOBS: f64 = 15.0;

impl Pace {
    /// The share that is touched before job `job` of the event, from 0.
    pub(super) fn share(self, job: usize) -> f64 {
        match self {
            Self::Once(share) | Self::Constant(share) => share,
            Self::Growing(share) => share * ((job + 1) as f64 / GROWING_JOBS).min(1.0),
        }
    }

    /// How many jobs it touches.
    pub(super) fn jobs(self) -> usize {
        if let Self::Once(_) = self {
            return 1;
        }
        let mut touched = 0.0;
        let mut jobs = 0;
        while touched < SLOW_UNTIL {
            touched += self.share(jobs);
            jobs += 1;
        }
        jobs
    }

    pub(super) fn is_slow(self) -> bool {
        !matches!(self, Self::Once(_))
    }
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Deed {
    /// Files become ciphertext.
    Encrypt {
        manner: Manner,
        target: Target,
        /// Whether they get another extension.
        renames: bool,
    },
    /// Files are deleted.
    Delete,
    /// Files are cut to length 0.
    Truncate,
    /// Files are overwritten with zeros.
    Wipe,
    /// Files are put into one archive and deleted.
    ArchiveThenDelete,
    /// Files are collected in one archive.
    Stage,
    /// Files are copied twice.
    Copy,
    /// Files get another extension, and nothing else.
    Rename,
    /// Files of another project come.
    Import,
    /// Files are rewritten as they were.
    Touch,
    /// Files are compressed in place.
    Compress,
    /// The job, not the data.
    Fault(Fault),
}

/// How much of a file is encrypted, and how it then looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Manner {
    Full,
    /// The first 4 KiB.
    Head,
    /// Every other block.
    Intermittent,
    /// All of it, written as text.
    Base64,
}

/// Which files.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Target {
    Any,
    Largest,
}

/// What is wrong with a job.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fault {
    Killed,
    ReadErrors,
    Shrunk,
    Emptied,
    Missed,
    Throttled,
    ClockBack,
}

/// Every scenario, in a fixed order.
pub(super) fn all() -> Vec<Scenario> {
    use Deed::{
        ArchiveThenDelete, Compress, Copy, Delete, Import, Rename, Stage, Touch, Truncate, Wipe,
    };
    use Fault::{ClockBack, Emptied, Killed, Missed, ReadErrors, Shrunk, Throttled};
    use Manner::{Base64, Full, Head, Intermittent};
    use Target::{Any, Largest};

    let encrypt = |manner, target, renames| Deed::Encrypt {
        manner,
        target,
        renames,
    };
    let in_place = |manner| encrypt(manner, Any, false);
    let once = |family, kind: &str, deed, share| Scenario {
        family,
        kind: kind.to_owned(),
        deed,
        pace: Pace::Once(share),
    };
    let fault = |kind, fault, share| once("ops", kind, Deed::Fault(fault), share);
    let mut all = vec![
        once("ransomware", "enc_full_inplace", in_place(Full), 1.0),
        once(
            "ransomware",
            "enc_half_newext",
            encrypt(Full, Any, true),
            0.5,
        ),
        once("ransomware", "enc_20pct_inplace", in_place(Full), 0.2),
        once("ransomware", "enc_5pct_inplace", in_place(Full), 0.05),
        once("ransomware", "enc_head_4k", in_place(Head), 1.0),
        once(
            "ransomware",
            "enc_intermittent_50pct",
            in_place(Intermittent),
            0.5,
        ),
        once("ransomware", "enc_base64_40pct", in_place(Base64), 0.4),
        once(
            "ransomware",
            "enc_largest_5pct",
            encrypt(Full, Largest, false),
            0.05,
        ),
        once("ransomware", "rename_80pct", Rename, 0.8),
        once("destruction", "delete_80pct", Delete, 0.8),
        once("destruction", "delete_30pct", Delete, 0.3),
        once("destruction", "truncate_all", Truncate, 1.0),
        once("destruction", "wipe_zeros_all", Wipe, 1.0),
        once(
            "destruction",
            "archive_then_delete_50pct",
            ArchiveThenDelete,
            0.5,
        ),
        once("exfil", "exfil_archive", Stage, 1.0),
        once("exfil", "exfil_20pct", Stage, 0.2),
        once("exfil", "bloat_x3", Copy, 1.0),
        fault("job_killed", Killed, 0.0),
        fault("partial_read_errors", ReadErrors, 0.15),
        fault("policy_shrink", Shrunk, 0.4),
        fault("source_empty", Emptied, 1.0),
        fault("missed_5", Missed, 0.0),
        fault("throttle_x5", Throttled, 0.0),
        fault("clock_back_40d", ClockBack, 0.0),
        once("benign", "benign_import", Import, 0.3),
        once("benign", "benign_touch_all", Touch, 1.0),
        once("benign", "benign_gzip_10pct", Compress, 0.1),
    ];
    for share in [0.005, 0.01, 0.02, 0.04, 0.08] {
        for (shape, pace) in [
            ("constant", Pace::Constant(share)),
            ("growing", Pace::Growing(share)),
        ] {
            for (family, verb, deed) in [
                ("ransomware", "drip_enc", in_place(Full)),
                ("slow_deletion", "delete", Delete),
            ] {
                all.push(Scenario {
                    family,
                    kind: format!("{verb}_{}pct_{shape}", 100.0 * share),
                    deed,
                    pace,
                });
            }
        }
    }
    all
}
