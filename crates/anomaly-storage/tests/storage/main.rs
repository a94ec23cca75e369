//! What every store must do, and what the SQLite store must withstand.

mod conformance;
mod data;
mod query;
