//! Showing the figures.

use std::io::{self, Write};

use anomaly_eval::{CleanJob, Event, History, Scores};
use comfy_table::presets::{ASCII_MARKDOWN, NOTHING};
use comfy_table::{CellAlignment, Table};
use serde::Serialize;

use super::arguments::{Figures, MeasureArguments};
use crate::eval::{Measured, list, tables};
use crate::exit::Failure;

pub(super) fn print(
    arguments: &MeasureArguments,
    histories: &[History],
    found: &[Measured],
) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match arguments.output {
        Figures::Json => json(&mut out, arguments.list, histories, found)?,
        Figures::Text => {
            writeln!(out, "{}\n", what(histories))?;
            for figures in tables::all(found) {
                writeln!(out, "{}\n", figures.title)?;
                writeln!(out, "{}\n", table(&figures, NOTHING).trim_fmt())?;
            }
            if arguments.list {
                list::print(&mut out, found)?;
            }
        }
        Figures::Markdown => {
            writeln!(out, "{}", what(histories))?;
            for figures in tables::all(found) {
                writeln!(out, "\n**{}**\n", figures.title)?;
                writeln!(out, "{}", table(&figures, ASCII_MARKDOWN).trim_fmt())?;
            }
            if arguments.list {
                writeln!(out, "\n```text")?;
                list::print(&mut out, found)?;
                writeln!(out, "```")?;
            }
        }
    }
    Ok(())
}

fn what(histories: &[History]) -> String {
    let jobs: usize = histories.iter().map(|history| history.jobs.len()).sum();
    let branches: usize = histories.iter().map(|history| history.branches.len()).sum();
    format!(
        "{} histories, {jobs} clean jobs, {branches} branches.",
        histories.len()
    )
}

fn table(figures: &tables::Figures, style: comfy_table::TableStyle) -> Table {
    let mut table = Table::new();
    table.load_style(style);
    table.set_header(&figures.header);
    table.add_rows(&figures.rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// One measurement in the JSON document.
#[derive(Serialize)]
struct Record<'a> {
    judge: &'a str,
    /// How much history was left before each job; all of it if missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    history_jobs: Option<usize>,
    #[serde(flatten)]
    scores: &'a Scores,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<&'a [Event]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clean_alarms: Option<Vec<&'a CleanJob>>,
}

impl<'a> Record<'a> {
    fn of(one: &'a Measured, with_list: bool) -> Self {
        let evaluation = &one.evaluation;
        let alarms = evaluation.clean.iter().filter(|job| job.is_alarm());
        Self {
            judge: one.judge(),
            history_jobs: one.history_jobs,
            scores: &evaluation.scores,
            events: with_list.then_some(evaluation.events.as_slice()),
            clean_alarms: with_list.then(|| alarms.collect()),
        }
    }
}

fn json(
    out: &mut impl Write,
    with_list: bool,
    histories: &[History],
    found: &[Measured],
) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Document<'a> {
        histories: usize,
        clean_jobs: usize,
        branches: usize,
        measured: Vec<Record<'a>>,
    }
    let document = Document {
        histories: histories.len(),
        clean_jobs: histories.iter().map(|history| history.jobs.len()).sum(),
        branches: histories.iter().map(|history| history.branches.len()).sum(),
        measured: found.iter().map(|one| Record::of(one, with_list)).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)?;
    Ok(())
}
