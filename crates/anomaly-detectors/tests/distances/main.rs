//! The detectors that measure distances between rows: neighbours and clusters.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::needless_pass_by_value, reason = "views are pointers")]
#![allow(clippy::float_cmp, reason = "equal to the last bit is what is asked")]

mod any_data;
mod cluster_distance;
mod data;
mod nearest_neighbours;
mod reference;
mod stored;
