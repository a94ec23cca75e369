//! The stored form of a forest.

use serde::{Deserialize, Serialize};

use super::features::{Features, Term};
use super::fitted::Reference;
use super::path_length::depth_limit;
use super::present::Present;
use super::tree::{Step, Tree};
use super::{FittedIsolationForest, IsolationForest, NAME};
use crate::DetectorError;
use crate::check::{self, FEWEST_ROWS};

const VERSION: u32 = 2;

/// The stored form of [`FittedIsolationForest`].
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    detector: String,
    version: u32,
    parameters: IsolationForest,
    sample_rows: usize,
    substitutes: Vec<f64>,
    reference: Reference,
    trees: Vec<TreeRecord>,
}

#[derive(Serialize, Deserialize)]
struct TreeRecord {
    projections: Vec<Term>,
    steps: Vec<Step>,
}

impl From<&Tree> for TreeRecord {
    fn from(tree: &Tree) -> Self {
        Self {
            projections: tree.features().terms().to_vec(),
            steps: tree.steps(),
        }
    }
}

impl From<FittedIsolationForest> for Record {
    fn from(forest: FittedIsolationForest) -> Self {
        Self {
            detector: NAME.to_owned(),
            version: VERSION,
            parameters: forest.detector().clone(),
            sample_rows: forest.sample_rows(),
            substitutes: forest.present().substitutes().to_vec(),
            reference: forest.reference(),
            trees: forest.trees().iter().map(TreeRecord::from).collect(),
        }
    }
}

impl TryFrom<Record> for FittedIsolationForest {
    type Error = DetectorError;

    fn try_from(record: Record) -> Result<Self, DetectorError> {
        check::state(NAME, VERSION, &record.detector, record.version)?;
        let refuse = |reason: String| DetectorError::invalid_state(NAME, reason);

        let params = record.parameters.params().clone();
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
        if !record.reference.is_sound() {
            return Err(refuse("its history has no usual score".to_owned()));
        }
        let limit = depth_limit(record.sample_rows);
        let (columns, width) = (record.substitutes.len(), params.columns_per_split);
        let trees = record
            .trees
            .into_iter()
            .map(|tree| {
                let features = Features::from_terms(columns, width, tree.projections)?;
                Tree::new(&tree.steps, features, limit, params.scoring)
            })
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
            Present::new(record.substitutes, width),
            record.reference,
            trees,
        ))
    }
}
