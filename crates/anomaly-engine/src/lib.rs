#![doc = include_str!("../README.md")]

mod alarm;
mod classify;
mod cover;
mod engine;
mod error;
mod findings;
mod grouping;
mod held;
mod history;
mod impact;
mod incident;
mod judge;
mod learn;
mod level;
mod levels;
mod memory;
mod population;
mod recovery;
mod rules;
mod said;
mod sentence;
mod slow_loss;
mod slowdown;
mod statistic;
mod stream_model;
mod surprise;
mod timing;

pub use cover::FalsePositive;
pub use engine::Engine;
pub use error::EngineError;
pub use grouping::{Sighting, group};
pub use learn::{LearnError, PastStream};
pub use population::{Population, PopulationError};
pub use recovery::{Examined, FirstAlarm, is_of_data, recovery_point};
pub use said::Said;
pub use stream_model::StreamModel;
