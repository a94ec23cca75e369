//! `backwatch verify` and `backwatch checkpoint`: whether the database is what was recorded.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anomaly_features::counted;
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_service::asked_to_keep_longer;
use anomaly_service::storage::{
    Checkpoint, LogHead, Read as _, SigningKey, Verification, VerifyingKey,
};

use crate::cli::{CheckpointArguments, VerifyArguments};
use crate::database::existing;
use crate::exit::{Exit, Failure};
use crate::terminal::harmless;

/// A clock that is ahead by less is no forger's: settings ask in days.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::days(1);

pub(crate) fn verify(arguments: &VerifyArguments) -> Result<Exit, Failure> {
    let mut heads = Vec::new();
    if !arguments.checkpoint.is_empty() {
        let key = VerifyingKey::open(&key_path(arguments.key.as_deref(), &arguments.db))?;
        for path in &arguments.checkpoint {
            heads.extend(read(path, &key)?);
        }
    }
    let store = existing(&arguments.db)?;
    let verification = store.verify(&heads)?;
    let mut output = anstream::stdout().lock();
    if let Some(tampering) = &verification.tampering {
        writeln!(output, "{}", harmless(&tampering.to_string()))?;
        return Ok(Exit::Anomalies);
    }
    let now: DateTime<Utc> = SystemTime::now().into();
    if let Some(latest) = verification.latest_purge
        && latest.purged_at > now + CLOCKS_DIFFER
    {
        writeln!(
            output,
            "leaf {} says that it deleted jobs at {}, which has yet to come: the clock was ahead then, \
             or what it calls old is not",
            latest.purge,
            latest.purged_at.to_rfc3339(),
        )?;
        return Ok(Exit::Anomalies);
    }
    if let Some(kept_for) = &verification.kept_for
        && let Some(asked) = asked_to_keep_longer(&store, kept_for)?
    {
        writeln!(
            output,
            "leaf {} deleted jobs {} after they had started: every version of the settings up to then \
             kept them {}",
            kept_for.purge,
            days(kept_for.time),
            match asked {
                TimeDelta::MAX => "for good".to_owned(),
                asked => format!("for {} or more", days(asked)),
            }
        )?;
        return Ok(Exit::Anomalies);
    }
    writeln!(output, "{}", found(&verification))?;
    Ok(Exit::Quiet)
}

fn days(time: TimeDelta) -> String {
    counted(time.num_days().unsigned_abs(), "day")
}

fn found(verification: &Verification) -> String {
    let Verification {
        head,
        verified_leaves,
        purged_leaves,
        unproven_leaves,
        kept_for,
        matched_checkpoints,
        ..
    } = verification;
    let old = match kept_for {
        Some(kept_for) => format!("after {} or more", days(kept_for.time)),
        None => "when they were old".to_owned(),
    };
    let unproven = match unproven_leaves {
        0 => String::new(),
        some => format!(" (of {some} that an earlier version recorded this is not proved)"),
    };
    let beside = match matched_checkpoints {
        0 => "No checkpoint was given: what was written anew as a whole is not found.".to_owned(),
        1 => "It agrees with the checkpoint.".to_owned(),
        many => format!("It agrees with {many} checkpoints."),
    };
    format!(
        "{} records are as they were recorded: {verified_leaves} hashed anew, {purged_leaves} deleted \
         {old}{unproven}.\n{beside}\n{head}",
        head.size
    )
}

/// The checkpoints of a file, if the key has signed them.
fn read(path: &Path, key: &VerifyingKey) -> Result<Vec<LogHead>, Failure> {
    let text = fs::read_to_string(path).map_err(|source| Failure::Open {
        path: path.to_owned(),
        source,
    })?;
    let checkpoints = Checkpoint::parse_all(&text)
        .and_then(|all| all.iter().map(|one| one.verified_by(key)).collect());
    checkpoints.map_err(|source| Failure::Checkpoint {
        path: path.to_owned(),
        source,
    })
}

pub(crate) fn checkpoint(arguments: &CheckpointArguments) -> Result<Exit, Failure> {
    let head = existing(&arguments.db)?.log_head()?;
    let key = SigningKey::open_or_make(&key_path(arguments.key.as_deref(), &arguments.db))?;
    let checkpoint = Checkpoint::sign(head, &key).to_string();
    if arguments.out.as_os_str() == "-" {
        io::stdout().write_all(checkpoint.as_bytes())?;
        return Ok(Exit::Quiet);
    }
    let mut options = OpenOptions::new();
    let written = options
        .append(true)
        .create(true)
        .open(&arguments.out)
        .and_then(|mut file| {
            file.write_all(checkpoint.as_bytes())?;
            file.sync_all()
        });
    written.map_err(|source| Failure::Create {
        path: arguments.out.clone(),
        source,
    })?;
    Ok(Exit::Quiet)
}

/// The key that was named, or that of the database.
fn key_path(named: Option<&Path>, database: &Path) -> PathBuf {
    named.map_or_else(
        || {
            let mut path = database.as_os_str().to_owned();
            path.push(".key");
            path.into()
        },
        Path::to_owned,
    )
}
