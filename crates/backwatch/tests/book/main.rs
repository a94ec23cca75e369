//! The book: what its pages tell to paste is what the program takes, and its reference is written by
//! the program.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod blocks;
mod first_hour;
mod pages;
#[path = "../program/mod.rs"]
mod program;
mod reference;
#[allow(dead_code, reason = "only whether a tool is there is asked here")]
#[path = "../tools/tool.rs"]
mod tool;
