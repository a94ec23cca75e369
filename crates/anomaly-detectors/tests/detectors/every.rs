//! Every detector, so that one test can ask all of them.

use std::fmt;

use anomaly_detectors::ndarray::ArrayView2;
use anomaly_detectors::{
    ClusterDistance, DetectorError, Ecod, Ensemble, Fit, Histogram, Iqr, IsolationForest,
    Mahalanobis, ModifiedZScore, NearestNeighbours, Score, ZScore,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// All detectors, with their default parameters or less work, and with what chooses another way.
pub(crate) fn every_detector() -> Vec<Detector> {
    vec![
        Detector::of::<ZScore>("{}"),
        Detector::of::<ZScore>(r#"{"aggregation":"max"}"#),
        Detector::of::<ZScore>(r#"{"aggregation":"sum_of_squares","min_scale":0.5}"#),
        Detector::of::<ModifiedZScore>("{}"),
        Detector::of::<ModifiedZScore>(r#"{"aggregation":"max","min_scale":0.5}"#),
        Detector::of::<ModifiedZScore>(r#"{"aggregation":"sum_of_squares"}"#),
        Detector::of::<Iqr>("{}"),
        Detector::of::<Iqr>(r#"{"aggregation":"max","k":0.0}"#),
        Detector::of::<Iqr>(r#"{"aggregation":"sum_of_squares","min_scale":0.5}"#),
        Detector::of::<Ecod>("{}"),
        Detector::of::<Ecod>(r#"{"tails":"per_value"}"#),
        Detector::of::<IsolationForest>(r#"{"trees":20}"#),
        Detector::of::<IsolationForest>(
            r#"{"trees":40,"max_samples":64,"columns_per_split":1,"scoring":"depth"}"#,
        ),
        Detector::of::<IsolationForest>(
            r#"{"trees":9,"columns_per_split":3,"pooled_gain":1.0,"scoring":"adjusted_density"}"#,
        ),
        Detector::of::<NearestNeighbours>(r#"{"samples":9}"#),
        Detector::of::<NearestNeighbours>(r#"{"samples":7,"transform":"linear","trim":0.0}"#),
        Detector::of::<ClusterDistance>("{}"),
        Detector::of::<ClusterDistance>(r#"{"transform":"linear","max_rows":30}"#),
        Detector::of::<Mahalanobis>("{}"),
        Detector::of::<Mahalanobis>(r#"{"transform":"linear","trim":0.0,"min_scale":0.5}"#),
        Detector::of::<Histogram>("{}"),
        Detector::of::<Histogram>(r#"{"bins":3}"#),
        Detector::of::<Ensemble>(
            r#"{"members":[{"isolation-forest":{"trees":9}},{"nearest-neighbours":{"samples":5}},{"mahalanobis":{}}]}"#,
        ),
        Detector::of::<Ensemble>(
            r#"{"members":[{"z-score":{}},{"modified-z-score":{}},{"iqr":{}},{"cluster-distance":{"max_rows":30}},{"histogram":{}},{"ecod":{}}],"trim":0.0}"#,
        ),
    ]
}

/// A detector of any type with its parameters.
pub(crate) struct Detector {
    /// The type and the parameters, for messages.
    pub(crate) name: String,
    /// All parameters, as JSON.
    pub(crate) parameters: serde_json::Value,
    pub(crate) read_parameters: fn(&serde_json::Value) -> Result<(), String>,
    pub(crate) fit: Box<Fitting>,
    pub(crate) from_json: fn(&str) -> Result<AnyFitted, String>,
    pub(crate) from_bytes: fn(&[u8]) -> Result<AnyFitted, String>,
}

type AnyFitted = Box<dyn Fitted>;
type Fitting = dyn Fn(ArrayView2<'_, f64>) -> Result<AnyFitted, DetectorError> + Send + Sync;

/// A fitted detector of any type.
pub(crate) trait Fitted: Score {
    fn to_json(&self) -> String;
    fn to_bytes(&self) -> Vec<u8>;
}

impl<F: Score + Serialize> Fitted for F {
    fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap()
    }

    fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).unwrap()
    }
}

impl Detector {
    fn of<D>(parameters: &str) -> Self
    where
        D: Fit<Fitted: Serialize + DeserializeOwned + 'static>,
        D: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let detector: D = serde_json::from_str(parameters).unwrap();
        Self {
            name: format!("{} {parameters}", std::any::type_name::<D>()),
            parameters: serde_json::to_value(&detector).unwrap(),
            read_parameters: |json| read(serde_json::from_value::<D>(json.clone())).map(drop),
            fit: Box::new(move |data| Ok(Box::new(detector.fit(data)?))),
            from_json: |json| Ok(Box::new(read(serde_json::from_str::<D::Fitted>(json))?)),
            from_bytes: |bytes| Ok(Box::new(read(postcard::from_bytes::<D::Fitted>(bytes))?)),
        }
    }
}

fn read<T>(result: Result<T, impl fmt::Display>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}
