//! The files of a job, added up.
