//! The population that the engine ships is what the histories teach.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use anomaly_engine::Population;
use anomaly_eval::{embedded_histories, learn};

/// If a change is meant: `cargo run -p backwatch -- eval learn --out
/// crates/anomaly-engine/src/population/shipped.json`.
#[test]
fn the_shipped_population_is_what_the_histories_teach() {
    let histories = embedded_histories().unwrap();
    let learnt = learn(&histories).unwrap().to_json();
    assert_eq!(
        learnt,
        Population::shipped().to_json(),
        "learn it again and look at what changes"
    );
}
