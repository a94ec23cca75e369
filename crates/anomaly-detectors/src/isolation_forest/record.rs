//! The stored form of a forest.

use serde::{Deserialize, Serialize};

use super::path_length::depth_limit;
use super::tree::{Step, Tree};
use super::{FittedIsolationForest, IsolationForest, NAME};
use crate::DetectorError;
use crate::check::{self, FEWEST_ROWS};

const VERSION: u32 = 1;

/// The stored form of [`FittedIsolationForest`]: each tree as its nodes, without padding.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    detector: String,
    version: u32,
    parameters: IsolationForest,
    sample_rows: usize,
    substitutes: Vec<f64>,
    trees: Vec<Vec<Step>>,
}

impl From<FittedIsolationForest> for Record {
    fn from(forest: FittedIsolationForest) -> Self {
        Self {
            detector: NAME.to_owned(),
            version: VERSION,
            parameters: forest.detector(),
            sample_rows: forest.sample_rows(),
            substitutes: forest.substitutes().to_vec(),
            trees: forest.trees().iter().map(Tree::steps).collect(),
        }
    }
}

impl TryFrom<Record> for FittedIsolationForest {
    type Error = DetectorError;

    fn try_from(record: Record) -> Result<Self, DetectorError> {
        check::state(NAME, VERSION, &record.detector, record.version)?;
        let refuse = |reason: String| DetectorError::invalid_state(NAME, reason);

        let params = record.parameters.params();
        if !(FEWEST_ROWS..=params.max_samples).contains(&record.sample_rows) {
            let reason = format!("its trees were grown from {} rows", record.sample_rows);
            return Err(refuse(reason));
        }
        if record.trees.len() != params.trees {
            let reason = format!("it has {} of {} trees", record.trees.len(), params.trees);
            return Err(refuse(reason));
        }
        if let Some(column) = record.substitutes.iter().position(|v| !v.is_finite()) {
            return Err(refuse(format!("column {column} has no usual value")));
        }
        let limit = depth_limit(record.sample_rows);
        let trees = record
            .trees
            .iter()
            .map(|steps| Tree::new(steps, record.substitutes.len(), limit))
            .collect::<Result<Vec<_>, _>>()
            .map_err(refuse)?;
        if trees
            .iter()
            .any(|tree| tree.sample_rows() != record.sample_rows)
        {
            return Err(refuse("a tree has lost rows".to_owned()));
        }
        Ok(Self::new(
            record.parameters,
            record.sample_rows,
            record.substitutes,
            trees,
        ))
    }
}
