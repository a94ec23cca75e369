//! What a detector of one's own is given by the trait.

use anomaly_detectors::ndarray::{Array1, ArrayView1, ArrayView2, array};
use anomaly_detectors::{DetectorError, Score};

/// The sum of two columns.
#[derive(Debug)]
struct Sum;

impl Score for Sum {
    fn columns(&self) -> usize {
        2
    }

    fn score_row(&self, row: ArrayView1<'_, f64>) -> Result<f64, DetectorError> {
        Ok(row.sum())
    }

    fn explain(&self, row: ArrayView1<'_, f64>) -> Result<Array1<f64>, DetectorError> {
        Ok(row.to_owned())
    }
}

#[test]
fn each_row_has_the_score_of_its_own() {
    let data = array![[1.0, 2.0], [5.0, -3.0], [0.0, 7.0]];
    assert_eq!(Sum.score(data.view()), Ok(array![3.0, 2.0, 7.0]));
    let (fitted, given) = (2, 3);
    assert_eq!(
        Sum.score(ArrayView2::from(&[[1.0; 3]])),
        Err(DetectorError::WidthMismatch { fitted, given })
    );
    let mut room = Array1::zeros(2);
    let (rows, given) = (3, 2);
    assert_eq!(
        Sum.score_into(data.view(), room.view_mut()),
        Err(DetectorError::OutputLength { rows, given })
    );
}
