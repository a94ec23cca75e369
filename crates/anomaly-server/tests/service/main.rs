//! The service over HTTP, as programs and browsers meet it.

mod accounts;
mod api;
mod client;
mod pages;

pub(crate) use client::{Service, job};
