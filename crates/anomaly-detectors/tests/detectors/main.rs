//! What holds for every detector on any data, and what holds for one of them alone.
//!
//! A new detector is one line in `every.rs`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::needless_pass_by_value, reason = "views are pointers")]
#![allow(clippy::float_cmp, reason = "equal to the last bit is what is asked")]

mod data;
mod every;

mod any_data;
mod hard_data;
mod parameters;
mod stored;
#[cfg(feature = "rayon")]
mod threads;

mod cluster_distance;
mod distances;
mod distances_reference;
mod distances_stored;
mod ecod;
mod ensemble;
mod forest;
mod histogram;
mod mahalanobis;
mod nearest_neighbours;
mod own;
mod univariate;
