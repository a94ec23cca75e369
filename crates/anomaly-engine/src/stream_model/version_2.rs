//! The second format: what a person accepted was moved to what was learnt, and what was reported
//! twice taught.

use std::collections::VecDeque;

use anomaly_features::Previous;
use anomaly_model::JobKey;
use serde::Deserialize;

use super::{StreamModel, read as read_all};
use crate::EngineError;
use crate::held::{Acceptance, Held, HeldJobs, Lesson};
use crate::history::{History, Row};
use crate::incident::Incident;
use crate::memory::Memory;

#[derive(Deserialize)]
struct Model {
    features: Vec<String>,
    history: VecDeque<Learnt>,
    held: VecDeque<OldHeld>,
    previous: Option<Previous>,
    odd_image: Option<Previous>,
    latest_start_micros: Option<i64>,
    odd_start_micros: Option<i64>,
    gap_seconds: VecDeque<u32>,
    odd_gap_seconds: VecDeque<u32>,
    last_was_partial: bool,
    memory: Memory,
    incident: Option<Incident>,
    reported_loss: f32,
}

#[derive(Deserialize)]
struct Learnt {
    _start_micros: i64,
    accepted: Option<Accepted>,
    row: Row,
}

#[derive(Deserialize)]
struct Accepted {
    job: JobKey,
    number: Option<u64>,
}

#[derive(Deserialize)]
struct OldHeld {
    job: JobKey,
    lesson: OldLesson,
    number: Option<u64>,
}

#[derive(Deserialize)]
enum OldLesson {
    Numbers {
        _start_micros: i64,
        row: Row,
        gap_seconds: Option<u32>,
    },
    Empty {
        image: Previous,
    },
}

pub(super) fn read(bytes: &[u8]) -> Result<StreamModel, EngineError> {
    let old: Model = read_all(bytes)?;
    let (mut rows, mut held) = (VecDeque::new(), Vec::new());
    for Learnt { accepted, row, .. } in old.history {
        match accepted {
            // What is not remembered by number can no more be taken back.
            Some(Accepted {
                job,
                number: Some(number),
            }) => held.push(Held {
                job,
                lesson: Lesson::Numbers {
                    row,
                    gap_seconds: None,
                },
                number: Some(number),
                told: true,
                accepted: Some(Acceptance::Itself),
            }),
            _ => rows.push_back(row),
        }
    }
    for OldHeld {
        job,
        lesson,
        number,
    } in old.held
    {
        let lesson = match lesson {
            OldLesson::Numbers {
                row, gap_seconds, ..
            } => Lesson::Numbers { row, gap_seconds },
            OldLesson::Empty { image } => Lesson::Empty {
                image,
                replaced: None,
            },
        };
        held.push(Held {
            job,
            lesson,
            number,
            told: true,
            accepted: None,
        });
    }
    held.sort_by_key(|held| held.number);
    let mut memory = old.memory;
    memory.teach_only_accepted();
    Ok(StreamModel {
        features: old.features,
        history: History::new(rows),
        held: HeldJobs::new(held),
        previous: old.previous,
        odd_image: old.odd_image,
        latest_start_micros: old.latest_start_micros,
        odd_start_micros: old.odd_start_micros,
        gap_seconds: old.gap_seconds,
        odd_gap_seconds: old.odd_gap_seconds,
        last_was_partial: old.last_was_partial,
        memory,
        incident: old.incident,
        reported_loss: old.reported_loss,
        ..StreamModel::default()
    })
}
