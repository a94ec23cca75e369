//! With the real tools: Backwatch reads what they print, and the pages about them work as they are.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod borg;
mod how_to;
mod page;
mod restic;
mod tool;
mod tree;
mod walked;
