//! What every store must do, and what the SQLite store must withstand.

mod conformance;
mod damage;
mod data;
mod kill;
mod paths;
mod processes;
mod query;
mod schema;
