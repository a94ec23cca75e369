//! The number of threads changes nothing.

use anomaly_detectors::ndarray::Axis;

use crate::data::bits;
use crate::every::every_detector;
use crate::hard_data::long_data;

#[test]
fn the_number_of_threads_changes_nothing() {
    let data = long_data();
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
