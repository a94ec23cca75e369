//! Incidents, as pages.

use anomaly_storage::{AnomalyQuery, IncidentQuery};
use askama::Template;
use axum::extract::State;

use super::anomalies::Row;
use super::chrome::{Chrome, PageResult, show};
use super::dashboard::IncidentRow;
use crate::api::InPath;
use crate::app::App;
use crate::problem::Problem;

const MOST_INCIDENTS: usize = 200;
const MOST_ANOMALIES: usize = 200;

#[derive(Template)]
#[template(path = "incidents.html")]
struct List {
    chrome: Chrome,
    incidents: Vec<IncidentRow>,
}

pub(crate) async fn list(State(app): State<App>, chrome: Chrome) -> PageResult {
    let query = IncidentQuery::default().limit(MOST_INCIDENTS);
    let found = app
        .readers
        .read(move |service| service.incidents(&query))
        .await?;
    Ok(show(&List {
        chrome,
        incidents: found.into_iter().map(IncidentRow::from).collect(),
    })?)
}

#[derive(Template)]
#[template(path = "incident.html")]
struct Page {
    chrome: Chrome,
    incident: IncidentRow,
    clients: Vec<String>,
    policies: Vec<String>,
    rows: Vec<Row>,
}

pub(crate) async fn page(
    State(app): State<App>,
    chrome: Chrome,
    InPath(number): InPath<u64>,
) -> PageResult {
    let found = app
        .readers
        .read(move |service| {
            let query = AnomalyQuery::default()
                .incident(number)
                .limit(MOST_ANOMALIES);
            let anomalies = service.records().listed_anomalies(&query)?;
            Ok(service
                .incident(number)?
                .map(|incident| (incident, anomalies)))
        })
        .await?;
    let (report, anomalies) = found.ok_or_else(|| Problem::not_found("incident"))?;
    let clients = report
        .incident
        .clients
        .names
        .iter()
        .map(ToString::to_string);
    let policies = report
        .incident
        .policies
        .names
        .iter()
        .map(ToString::to_string);
    Ok(show(&Page {
        chrome,
        clients: clients.collect(),
        policies: policies.collect(),
        rows: anomalies.iter().map(Row::of).collect(),
        incident: report.into(),
    })?)
}
