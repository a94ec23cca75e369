//! The first format: what was learnt, without what each job did to the data.

use std::collections::VecDeque;

use anomaly_features::Previous;
use anomaly_model::JobKey;
use serde::Deserialize;

use super::{StreamModel, read as read_all};
use crate::EngineError;
use crate::held::{Held, HeldJobs, Lesson};
use crate::history::{Coordinate, History, Row};

#[derive(Deserialize)]
struct Model {
    features: Vec<String>,
    history: VecDeque<LearntJob>,
    held: VecDeque<HeldJob>,
    previous: Option<Previous>,
    odd_image: Option<Previous>,
    latest_start_micros: Option<i64>,
    odd_start_micros: Option<i64>,
    gap_seconds: VecDeque<u32>,
    last_was_partial: bool,
}

#[derive(Deserialize)]
struct LearntJob {
    _start_micros: i64,
    _accepted: Option<JobKey>,
    row: Vec<f32>,
}

#[derive(Deserialize)]
struct HeldJob {
    job: JobKey,
    lesson: OldLesson,
}

#[derive(Deserialize)]
enum OldLesson {
    Numbers {
        _start_micros: i64,
        row: Vec<f32>,
        gap_seconds: Option<u32>,
    },
    Empty {
        image: Previous,
    },
}

fn rows(row: Vec<f32>) -> Row {
    row.into_iter()
        .map(|coordinate| Coordinate::of(coordinate.into()))
        .collect()
}

pub(super) fn read(bytes: &[u8]) -> Result<StreamModel, EngineError> {
    let old: Model = read_all(bytes)?;
    let history = old.history.into_iter().map(|learnt| rows(learnt.row));
    let held = old.held.into_iter().map(|held| Held {
        job: held.job,
        lesson: match held.lesson {
            OldLesson::Numbers {
                row, gap_seconds, ..
            } => Lesson::Numbers {
                row: rows(row),
                gap_seconds,
            },
            OldLesson::Empty { image } => Lesson::Empty {
                image,
                replaced: None,
            },
        },
        number: None,
        told: true,
        accepted: None,
    });
    Ok(StreamModel {
        features: old.features,
        history: History::new(history.collect()),
        held: HeldJobs::new(held),
        previous: old.previous,
        odd_image: old.odd_image,
        latest_start_micros: old.latest_start_micros,
        odd_start_micros: old.odd_start_micros,
        gap_seconds: old.gap_seconds,
        last_was_partial: old.last_was_partial,
        ..StreamModel::default()
    })
}
