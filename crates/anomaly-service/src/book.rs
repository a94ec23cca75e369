//! The README of the whole and the pages of the book that show Rust: their examples run as tests.

#[doc = include_str!("../../../README.md")]
#[doc = include_str!("../../../docs/start/embed.md")]
#[doc = include_str!("../../../docs/backtest.md")]
mod pages {}
