#![doc = include_str!("../README.md")]

mod alarm;
mod classify;
mod engine;
mod error;
mod file_signs;
mod findings;
mod history;
mod impact;
mod incident;
mod judge;
mod learn;
mod level;
mod levels;
mod memory;
mod population;
mod rules;
mod sentence;
mod slow_loss;
mod slowdown;
mod statistic;
mod stream_model;
mod surprise;
mod timing;
mod written_files;

pub use engine::Engine;
pub use error::EngineError;
pub use learn::{LearnError, PastStream};
pub use population::{Population, PopulationError};
pub use stream_model::StreamModel;
