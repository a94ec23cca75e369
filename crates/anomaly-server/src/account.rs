//! Users and API keys: who may do what.

mod accounts;
mod api_key;
mod known;
mod password;
mod role;
mod second_factor;
mod user;
mod words;

pub use accounts::{Accounts, AccountsError};
pub use password::Password;
pub use role::Role;
pub use user::User;

pub(crate) use api_key::{ApiKey, NewApiKey};
pub(crate) use known::Known;
pub(crate) use password::spend_as_much;
pub(crate) use role::Permission;
pub(crate) use second_factor::SecondFactor;
pub(crate) use words::in_words;
