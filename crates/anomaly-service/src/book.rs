//! The README of the whole and the pages of the book that show Rust: their examples run as tests.

#[doc = include_str!("../../../README.md")]
mod readme {}

#[doc = include_str!("../../../docs/start/embed.md")]
mod embed {}

#[doc = include_str!("../../../docs/backtest.md")]
mod backtest {}
