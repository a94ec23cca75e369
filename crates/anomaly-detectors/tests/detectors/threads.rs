//! The number of threads changes nothing.

use anomaly_detectors::ndarray::Axis;

use crate::data::{bits, slope};
use crate::every::every_detector;

#[test]
fn the_number_of_threads_changes_nothing() {
    let mut data = slope(5_003, 3);
    for (index, value) in data.iter_mut().enumerate() {
        match index % 997 {
            0 => *value = f64::NAN,
            1 => *value = f64::INFINITY,
            2 => *value = -1e308,
            _ => {}
        }
    }
    // Fewer rows than one thread takes, too.
    let few = data.view().split_at(Axis(0), 1_001).0;
    for detector in every_detector() {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                let fitted = (detector.fit)(data.view()).unwrap();
                let scores = [data.view(), few].map(|rows| bits(&fitted.score(rows).unwrap()));
                (fitted.to_bytes(), scores)
            })
        };
        let one = run(1);
        assert!(one == run(4), "{}", detector.name);
        assert!(one == run(7), "{}", detector.name);
    }
}
