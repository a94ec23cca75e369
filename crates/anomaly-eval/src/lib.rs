#![doc = include_str!("../README.md")]

mod answer;
mod embedded;
mod error;
mod evaluation;
mod event;
mod group;
mod history;
mod judge;
mod label;
mod median;
mod naming;
mod normal;
mod peer;
mod scores;
mod share;
mod short_history;
mod simulate;
mod track;

pub use answer::{Answer, State};
pub use embedded::embedded_histories;
pub use error::EvalError;
pub use evaluation::{Evaluation, evaluate};
pub use event::Event;
pub use group::Group;
pub use history::{Branch, History, read_histories};
pub use judge::Judge;
pub use label::{AttackSize, JobLabel, Label, Phase};
pub use naming::{Naming, naming};
pub use normal::{CleanJob, DayClass, WARM_JOBS};
pub use peer::{Peer, PeerJudge};
pub use scores::Scores;
pub use share::Share;
pub use short_history::evaluate_short;
pub use simulate::{Fleet, Pattern};
pub use track::Track;
