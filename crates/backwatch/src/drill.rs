//! `backwatch drill`: an attack on copies of streams, to see that it is found.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Instant;

use anomaly_eval::Attack;
use anomaly_features::counted;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{AnomalyKind, Judgement, Severity, StreamKey};
use anomaly_service::{AnomalyService, ServiceError, StreamCopy};
use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::cli::TextOrJson;
use crate::coverage::paragraph;
use crate::database::{DatabaseOptions, Now};
use crate::exit::{Exit, Failure};
use crate::guard::user;
use crate::report::json;
use crate::report::text::when;
use crate::terminal::harmless;

/// Streams that are read at once.
const PAGE: usize = 1_000;
/// More streams than this are not each told of in text, but where an attack goes unseen.
const FEW: usize = 5;

/// Have a labelled attack befall copies of streams, and tell whether it is found: at which job, as
/// what, and how fast.
///
/// The history, what was learnt of the streams, and the list of anomalies know nothing of it; the
/// audit log does. An attack is simulated, in the proportions of the stream's newest usual job, and
/// changes only what that job reports. It counts as found only where the same job without the attack
/// raises no alarm.
///
/// Exit status: 0 found in every stream, 1 unseen in some, 2 wrong usage or settings, 4 failure, also
/// when there is no such stream.
#[derive(Debug, Args)]
pub(crate) struct DrillArguments {
    #[command(flatten)]
    database: DatabaseOptions,

    #[command(flatten)]
    now: Now,

    /// Only this stream, as `coverage --list all` names it, such as `mail01 / daily / full`; every
    /// stream when neither this nor a client is given.
    #[arg(long, value_name = "STREAM", conflicts_with = "client")]
    stream: Option<String>,

    /// Only the streams of this client.
    #[arg(long, value_name = "NAME")]
    client: Option<String>,

    /// Which attack, by its name or that of its family, `ransomware`, `destruction`, `exfil`,
    /// `slow_deletion` or `ops`; may be given several times. See docs/drill.md for all of them.
    #[arg(long, value_name = "KIND", value_parser = attacks, default_value = "enc_20pct_inplace")]
    kind: Vec<Chosen>,

    /// Where the randomness starts.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Who has it done; the user who runs the program when not given.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,

    /// How to show it; JSON has a line for each stream and attack, then one for all.
    #[arg(long, value_enum, default_value_t)]
    output: TextOrJson,
}

/// The attacks of one name.
#[derive(Debug, Clone)]
struct Chosen(Vec<Attack>);

fn attacks(name: &str) -> Result<Chosen, String> {
    let all = Attack::all().into_iter();
    let of_name = |attack: &Attack| attack.name() == name || attack.family() == name;
    let chosen: Vec<Attack> = all.filter(of_name).collect();
    if chosen.is_empty() {
        let names: Vec<String> = Attack::all()
            .iter()
            .map(|attack| attack.name().to_owned())
            .collect();
        return Err(format!("no such attack: one of {}", names.join(", ")));
    }
    Ok(Chosen(chosen))
}

/// What came of one attack on one stream.
#[derive(Debug, Serialize)]
struct Drilled {
    stream: String,
    attack: String,
    family: &'static str,
    /// The jobs that the attack takes.
    jobs: usize,
    #[serde(flatten)]
    outcome: Outcome,
    /// What it took to judge them.
    milliseconds: f64,
}

#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum Outcome {
    Found {
        /// From 1.
        at_job: usize,
        severity: Severity,
        kind: AnomalyKind,
        started_at: DateTime<Utc>,
        summary: String,
    },
    Unseen {
        why: String,
    },
}

/// All of it.
#[derive(Debug, Default, Serialize)]
struct Summary {
    streams: usize,
    attacks: usize,
    found: usize,
    unseen: usize,
}

pub(crate) fn run(arguments: &DrillArguments) -> Result<Exit, Failure> {
    let (mut service, _) = arguments.database.open()?;
    let chosen = arguments.kind.iter().flat_map(|chosen| &chosen.0);
    let mut names = BTreeSet::new();
    let attacks: Vec<&Attack> = chosen
        .filter(|attack| names.insert(attack.name().to_owned()))
        .collect();
    let streams = streams(&service, arguments)?;
    if streams.is_empty() {
        let what = match (&arguments.stream, &arguments.client) {
            (Some(name), _) => format!("the stream {name:?}"),
            (_, Some(name)) => format!("the client {name:?}"),
            _ => "any stream".to_owned(),
        };
        return Err(Failure::NothingKnown { what });
    }
    let by = arguments.by.clone().or_else(user);
    let by = by.ok_or(Failure::NoReviewer)?;
    let mut summary = Summary {
        streams: streams.len(),
        attacks: attacks.len(),
        ..Summary::default()
    };
    let mut unseen = Vec::new();
    let mut out = anstream::stdout().lock();
    for stream in &streams {
        for drilled in drill(&service, stream, &attacks, arguments.seed)? {
            let found = matches!(drilled.outcome, Outcome::Found { .. });
            summary.found += usize::from(found);
            summary.unseen += usize::from(!found);
            match arguments.output {
                TextOrJson::Json => json::line(&mut out, &drilled)?,
                TextOrJson::Text if streams.len() <= FEW => {
                    paragraph(&mut out, &drilled.in_words())?;
                }
                TextOrJson::Text => {}
            }
            if !found {
                unseen.push(drilled);
            }
        }
    }
    let subject = match (&arguments.stream, &arguments.client) {
        (Some(name), _) => name.clone(),
        (_, Some(name)) => format!("client {name}"),
        _ => "all streams".to_owned(),
    };
    let outcome = json!({
        "attacks": names,
        "streams": summary.streams,
        "found": summary.found,
        "unseen": summary.unseen,
    });
    service.note_drill(&by, arguments.now.time(), &subject, outcome)?;
    match arguments.output {
        TextOrJson::Json => json::line(&mut out, &summary)?,
        TextOrJson::Text => {
            if streams.len() > FEW {
                table(&mut out, &unseen)?;
            }
            paragraph(&mut out, &summary.in_words())?;
        }
    }
    Ok(if summary.unseen > 0 {
        Exit::Anomalies
    } else {
        Exit::Quiet
    })
}

fn streams(
    service: &AnomalyService,
    arguments: &DrillArguments,
) -> Result<Vec<StreamKey>, Failure> {
    let mut found = Vec::new();
    let mut after = Some(0);
    while let Some(start) = after {
        let page = service.stream_coverage(arguments.now.time(), start, PAGE)?;
        after = page.next;
        for stream in page.streams {
            let named = arguments.stream.as_ref();
            let is_named = named.is_none_or(|name| stream.stream.to_string() == *name);
            let of_client = arguments.client.as_ref().is_none_or(|client| {
                let mut parts = stream.stream.parts().iter();
                parts.any(|(part, value)| {
                    *part == anomaly_model::StreamPart::Client && value.as_ref() == Some(client)
                })
            });
            if is_named && of_client {
                found.push(stream.stream);
            }
        }
    }
    Ok(found)
}

/// Every attack on copies of one stream.
fn drill(
    service: &AnomalyService,
    stream: &StreamKey,
    attacks: &[&Attack],
    seed: u64,
) -> Result<Vec<Drilled>, Failure> {
    let copy = match service.copy_of_stream(stream) {
        Ok(Some(copy)) => Ok(copy),
        Ok(None) => Err("no job of it left an image".to_owned()),
        Err(error @ ServiceError::Model { .. }) => Err(error.to_string()),
        Err(error) => return Err(error.into()),
    };
    let copy = copy.and_then(|copy| match control(service, &copy) {
        None => Ok(copy),
        Some(kind) => Err(format!(
            "a usual job raises an alarm as well: {kind}; so an alarm would show nothing"
        )),
    });
    let one = |attack: &&Attack| -> Result<Drilled, Failure> {
        let clock = Instant::now();
        let outcome = match &copy {
            Err(why) => Outcome::Unseen { why: why.clone() },
            Ok(copy) => attacked(service, copy, attack, seed)?,
        };
        Ok(Drilled {
            stream: stream.to_string(),
            attack: attack.name().to_owned(),
            family: attack.family(),
            jobs: attack.jobs(),
            outcome,
            milliseconds: clock.elapsed().as_secs_f64() * 1000.0,
        })
    };
    attacks.iter().map(one).collect()
}

/// The alarm that a usual job raises without an attack, if it does.
fn control(service: &AnomalyService, copy: &StreamCopy) -> Option<AnomalyKind> {
    let mut record = serde_json::to_value(&copy.usual).ok()?;
    record["job_id"] = "drill-0".into();
    record["started_at"] = serde_json::to_value(copy.next_start).ok()?;
    record.as_object_mut()?.remove("ended_at");
    let job = serde_json::from_value(record).ok()?;
    service.rehearse(copy, &[job]).first()?.kind()
}

fn attacked(
    service: &AnomalyService,
    copy: &StreamCopy,
    attack: &Attack,
    seed: u64,
) -> Result<Outcome, Failure> {
    let jobs = attack.inject(&copy.usual, copy.next_start, copy.gap, seed)?;
    let verdicts = service.rehearse(copy, &jobs);
    for (place, verdict) in verdicts.iter().enumerate() {
        if let Judgement::Anomalous { severity, kind } = verdict.judgement {
            return Ok(Outcome::Found {
                at_job: place + 1,
                severity,
                kind,
                started_at: verdict.started_at,
                summary: verdict.summary.clone(),
            });
        }
    }
    let why = match verdicts.first().map(|verdict| &verdict.judgement) {
        Some(Judgement::NotScored { reason }) => format!("not judged: {reason}"),
        Some(Judgement::WarmingUp) => "the stream is warming up".to_owned(),
        _ => {
            let blind = verdicts.first().map_or(0, |verdict| verdict.unseen.len());
            match blind {
                0 => "judged normal".to_owned(),
                blind => {
                    let features = counted(blind as u64, "feature");
                    format!("judged normal; its jobs do not report {features}")
                }
            }
        }
    };
    Ok(Outcome::Unseen { why })
}

impl Drilled {
    fn in_words(&self) -> String {
        let Self {
            stream,
            attack,
            jobs,
            milliseconds,
            ..
        } = self;
        match &self.outcome {
            Outcome::Found {
                at_job,
                severity,
                kind,
                started_at,
                summary,
            } => format!(
                "{stream}: {attack}: found at job {at_job} of {jobs} ({}) as {severity} {kind}, \
                 judged in {milliseconds:.1} ms: {summary}",
                when(*started_at)
            ),
            Outcome::Unseen { why } => format!(
                "{stream}: {attack}: UNSEEN in {}: {why}",
                counted(*jobs as u64, "job")
            ),
        }
    }
}

/// The streams in which something goes unseen.
fn table(out: &mut impl Write, unseen: &[Drilled]) -> io::Result<()> {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["unseen in", "attack", "why"]);
    for one in unseen {
        let Outcome::Unseen { why } = &one.outcome else {
            continue;
        };
        table.add_row([&*harmless(&one.stream), &one.attack, &*harmless(why)]);
    }
    if !unseen.is_empty() {
        for line in table.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

impl Summary {
    fn in_words(&self) -> String {
        let streams = counted(self.streams as u64, "stream");
        let attacks = counted(self.attacks as u64, "attack");
        format!(
            "{attacks} on copies of {streams}: {} found, {} unseen. A drill tells no sink; it is in the \
             audit log.",
            self.found, self.unseen
        )
    }
}
