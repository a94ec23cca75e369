//! Every event and every false alarm, one line each.

use std::io::{self, Write};

use anomaly_eval::{Answer, CleanJob, DayClass, Event};

use crate::eval::Measured;
use crate::terminal::harmless;

pub(super) fn print(out: &mut impl Write, found: &[Measured]) -> io::Result<()> {
    for one in found.iter().filter(|one| one.history_jobs.is_none()) {
        writeln!(out, "\nEvents, {}", title(one))?;
        for event in &one.evaluation.events {
            event_line(out, event)?;
        }
        writeln!(out, "\nAlarms on clean jobs, {}", title(one))?;
        for job in one.evaluation.clean.iter().filter(|job| job.is_alarm()) {
            clean_line(out, job)?;
        }
    }
    Ok(())
}

fn title(one: &Measured) -> String {
    format!("{}, {}", one.judge(), one.evaluation.scores.track)
}

fn event_line(out: &mut impl Write, event: &Event) -> io::Result<()> {
    let Event { family, kind, .. } = event;
    let history = harmless(&event.history);
    let named = match event.is_named() {
        Some(false) => ", not named",
        _ => "",
    };
    let found = match event.first_alarm() {
        Some((0, _)) => "first".to_owned(),
        Some((place, _)) => format!("job {} of {}", place + 1, event.answers.len()),
        None => "missed".to_owned(),
    };
    let alarm = event
        .first_alarm()
        .map(|(_, alarm)| alarm)
        .or(event.first());
    let (branch, share) = (event.branch, event.share_touched);
    write!(
        out,
        "{history:18} {branch:02} {:34} touched {share:4.2}  {found}{named}",
        format!("{}/{}", harmless(family), harmless(kind))
    )?;
    answer(out, alarm)
}

fn clean_line(out: &mut impl Write, job: &CleanJob) -> io::Result<()> {
    let class = match job.class {
        DayClass::Early => "early",
        DayClass::Normal => "normal",
        DayClass::Busy => "busy",
        DayClass::Uncounted => "not counted",
    };
    let (history, id) = (harmless(&job.history), harmless(&job.job_id));
    write!(out, "{history:18} {id:24} {class:12}")?;
    answer(out, job.answer.as_ref())
}

fn answer(out: &mut impl Write, answer: Option<&Answer>) -> io::Result<()> {
    let Some(answer) = answer else {
        return writeln!(out, "  no answer");
    };
    let score = answer
        .score
        .map_or("-".to_owned(), |score| format!("{score:.2}"));
    write!(out, "  score {score}")?;
    if let Some(kind) = answer.kind {
        write!(out, " {kind}")?;
    }
    if let Some(severity) = answer.severity {
        write!(out, " {severity}")?;
    }
    writeln!(out, "  {}", harmless(&answer.summary))
}
