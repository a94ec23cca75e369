//! The stored form of clusters.

use serde::{Deserialize, Serialize};

use super::{Cluster, ClusterDistance, FittedClusterDistance, NAME};
use crate::robust_space::RobustSpace;
use crate::{Baseline, DetectorError, check};

const VERSION: u32 = 1;

/// The stored form of [`FittedClusterDistance`].
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    detector: String,
    version: u32,
    parameters: ClusterDistance,
    columns: Vec<Baseline>,
    clusters: Vec<Cluster>,
    /// Transformed distances from the median, core row after core row of cluster after cluster.
    coordinates: Vec<f64>,
}

impl From<FittedClusterDistance> for Record {
    fn from(fitted: FittedClusterDistance) -> Self {
        Self {
            detector: NAME.to_owned(),
            version: VERSION,
            parameters: fitted.detector(),
            columns: fitted.baselines().to_vec(),
            clusters: fitted.clusters().to_vec(),
            coordinates: fitted.points().coordinates(),
        }
    }
}

impl TryFrom<Record> for FittedClusterDistance {
    type Error = DetectorError;

    fn try_from(record: Record) -> Result<Self, DetectorError> {
        check::state(NAME, VERSION, &record.detector, record.version)?;
        let transform = record.parameters.params().transform;
        let space = RobustSpace::new(transform, record.columns);
        Self::new(
            record.parameters,
            space,
            record.clusters,
            &record.coordinates,
        )
    }
}
