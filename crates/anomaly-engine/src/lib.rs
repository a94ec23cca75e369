#![doc = include_str!("../README.md")]

mod alarm;
mod classify;
mod engine;
mod error;
mod evidence;
mod history;
mod impact;
mod judge;
mod rules;
mod sentence;
mod stream_model;
mod timing;

pub use engine::Engine;
pub use error::EngineError;
pub use stream_model::StreamModel;
