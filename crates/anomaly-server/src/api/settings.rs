//! The settings: as they are in force, and changed.

use std::collections::BTreeMap;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_service::{
    AnomalyService, GuardReport, Loosening, LooseningState, ServiceError, SettingsNews,
    SettingsRequest,
};
use anomaly_settings::{Layers, Settings};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::InPath;
use super::body::Body;
use crate::app::{App, now};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::timers::settle;
use crate::wanted::{self, Wanted};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 1_000;

/// What holds, and which version of the settings that is.
pub(crate) struct Holding {
    pub(crate) version: u64,
    pub(crate) guard: GuardReport,
}

impl Holding {
    pub(crate) fn read(service: &AnomalyService, layers: &Layers) -> Result<Self, ServiceError> {
        // The version first: when one is taken down meanwhile, whoever asks is told that it changed.
        let version = service.settings_version()?;
        let configured = layers.over(service.kept_settings()?);
        let guard = service.guarded(&configured, now())?;
        Ok(Self { version, guard })
    }

    pub(crate) async fn of(app: &App) -> Result<Self, Problem> {
        let layers = app.layers.clone();
        app.readers
            .read(move |service| Self::read(service, &layers))
            .await
    }

    /// What waits for a second person, the oldest first.
    pub(crate) fn proposals(&self) -> Vec<ProposalView> {
        let waiting = self.guard.loosenings.iter().filter_map(ProposalView::of);
        let mut waiting: Vec<ProposalView> = waiting.collect();
        waiting.sort_by_key(|proposal| proposal.number);
        waiting
    }
}

/// The settings by which is judged now, with an `ETag`: whoever changes them sends it as `If-Match`.
#[utoipa::path(get, path = "/api/v1/settings", tag = "settings",
    responses((status = 200, body = Object)))]
pub(crate) async fn show(State(app): State<App>) -> Result<Response, Problem> {
    let holding = Holding::of(&app).await?;
    let tag = etag(holding.version)?;
    Ok(([(header::ETAG, tag)], Json(holding.guard.settings)).into_response())
}

/// What changes whenever something is asked of the settings, decided, or ends.
fn etag(version: u64) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(&format!("\"{version}\""))
        .map_err(|error| Problem::internal(&error.to_string()))
}

/// The version that `If-Match` names; `None` for whichever holds.
fn expected(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let mut tags = Vec::new();
    for value in headers.get_all(header::IF_MATCH) {
        let value = value.to_str().unwrap_or_default();
        tags.extend(value.split(',').map(str::trim));
    }
    match tags.as_slice() {
        [] => {
            let detail = "Send the `ETag` of the settings that you have seen as `If-Match`.";
            let status = StatusCode::PRECONDITION_REQUIRED;
            Err(Problem::new(status, "if_match_missing", detail))
        }
        ["*"] => Ok(None),
        tags => {
            let number = |tag: &&str| tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok();
            let newest = tags.iter().filter_map(number).max();
            Ok(Some(newest.unwrap_or(u64::MAX)))
        }
    }
}

/// A key of the settings.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SettingView {
    /// The key in full.
    #[schema(example = "detection.alarm_budget")]
    name: &'static str,
    /// The type, as TOML calls it.
    #[serde(rename = "type")]
    toml_type: &'static str,
    /// What holds.
    value: Value,
    /// What holds when nothing sets it, as TOML writes it.
    default: &'static str,
    /// What is allowed, in words.
    allowed: &'static str,
    /// What it means.
    meaning: &'static str,
    /// What a change does, and why the default is what it is.
    reason: &'static str,
    /// What makes Backwatch see less, in words.
    loosened_by: &'static str,
    /// Whether scopes may differ in it.
    in_scopes: bool,
    /// The file, variable or flag that sets it, where one does: it cannot be changed here then.
    fixed_by: Option<String>,
}

/// Every key, with what holds, what is allowed, and what it means.
#[utoipa::path(get, path = "/api/v1/settings/keys", tag = "settings",
    responses((status = 200, body = Vec<SettingView>)))]
pub(crate) async fn keys(State(app): State<App>) -> Result<Json<Vec<SettingView>>, Problem> {
    let holding = Holding::of(&app).await?;
    let parts = holding.guard.settings.parts();
    let keys = Settings::keys().iter().map(|key| SettingView {
        name: key.name,
        toml_type: key.toml_type,
        value: parts.get(key.name).cloned().unwrap_or_default(),
        default: &key.default,
        allowed: &key.allowed,
        meaning: key.meaning,
        reason: key.reason,
        loosened_by: key.loosens.in_words(),
        in_scopes: key.name.starts_with("detection."),
        fixed_by: app.layers.place_of(key.name).map(ToString::to_string),
    });
    Ok(Json(keys.collect()))
}

/// A change of the settings: all of it is done, or nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// Keys, and what each is to be: `{"detection.alarm_budget": 2}`. `null` is the default.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(crate) keys: BTreeMap<String, Value>,
    /// Scopes, as `GET /api/v1/settings` shows them under `scope`. Each takes the place of the one that
    /// names the same; one without `detection` takes that away.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    pub(crate) scopes: Vec<Value>,
    /// Why: 1,000 characters at most.
    pub(crate) reason: Option<String>,
    /// Until when, for what of it loosens; as long as `guard.expires_after_days` says when not given.
    pub(crate) until: Option<DateTime<Utc>>,
}

impl Change {
    /// The parts that are to change, if all of them may.
    pub(crate) fn wanted(&self) -> Result<Wanted, Problem> {
        let mut errors = Vec::new();
        let mut wanted = Wanted::of_keys(&self.keys).unwrap_or_else(|wrong| {
            errors.extend(wrong);
            Wanted::default()
        });
        if let Err(wrong) = wanted.add_scopes(self.scopes.clone(), self.until) {
            errors.extend(wrong);
        }
        if let Some(problem) = wanted::problem(errors) {
            return Err(problem);
        }
        if wanted.parts.is_empty() {
            let detail = "Say what is to change: `keys`, or `scopes`.";
            return Err(Problem::unprocessable("nothing_to_change", detail));
        }
        Ok(wanted)
    }
}

/// What a change came to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Changed {
    /// Each part that was to change, in the order of the request, keys first.
    pub(crate) parts: Vec<ChangedPart>,
}

/// What a change of one part came to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangedPart {
    /// The key or scope.
    pub(crate) part: String,
    /// `in_force`, `waiting` for a second person, or `unchanged`: it was so before.
    pub(crate) state: &'static str,
    /// What held before, and still holds if it waits.
    before: Option<Value>,
    /// What was asked for.
    after: Option<Value>,
    /// Whether less is seen, or heeded, by it.
    loosens: bool,
    /// Until when it holds, or is to hold; `null` for no end, or one that is set when it begins.
    until: Option<DateTime<Utc>>,
    /// The number to approve or refuse it by, if it waits.
    proposal: Option<u64>,
}

impl ChangedPart {
    fn of(news: SettingsNews) -> Option<Self> {
        match news {
            SettingsNews::Changed {
                part,
                before,
                after,
            } => Some(Self {
                part,
                state: if before == after {
                    "unchanged"
                } else {
                    "in_force"
                },
                before,
                after,
                loosens: false,
                until: None,
                proposal: None,
            }),
            SettingsNews::Loosened(loosening) | SettingsNews::Proposed(loosening) => Some(Self {
                state: if loosening.holds() {
                    "in_force"
                } else {
                    "waiting"
                },
                proposal: proposal(&loosening).map(|(number, _)| number),
                part: loosening.part,
                before: loosening.before,
                after: loosening.after,
                loosens: true,
                until: loosening.until,
            }),
            _ => None,
        }
    }
}

/// What somebody asks of the settings.
pub(crate) struct Request {
    pub(crate) wanted: Wanted,
    pub(crate) reason: Option<String>,
    pub(crate) until: Option<DateTime<Utc>>,
    /// The version that was seen; `None` for whichever holds.
    pub(crate) expected: Option<u64>,
}

/// Changes the settings, or has the change wait for a second person; and judges by what then holds.
pub(crate) async fn ask(
    app: &App,
    by: &str,
    request: Request,
) -> Result<(u64, Vec<ChangedPart>), Problem> {
    if let Some(problem) = wanted::problem(request.wanted.fixed(&app.layers)) {
        return Err(problem);
    }
    let reason = request.reason.map(|reason| reason.trim().to_owned());
    let reason = reason.filter(|reason| !reason.is_empty());
    if reason
        .as_ref()
        .is_some_and(|reason| reason.chars().count() > LONGEST_REASON)
    {
        let detail = format!("The reason is longer than {LONGEST_REASON} characters.");
        return Err(Problem::unprocessable("settings_refused", detail));
    }
    let asked = SettingsRequest {
        parts: request.wanted.parts,
        by: by.to_owned(),
        reason,
        until: request.until,
    };
    let expected = request.expected;
    write(app, move |service| {
        service.set_settings(&asked, expected, now())
    })
    .await
    .map(|(version, news)| {
        (
            version,
            news.into_iter().filter_map(ChangedPart::of).collect(),
        )
    })
}

/// Does something with the settings, and judges by what then holds.
async fn write<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&mut AnomalyService) -> Result<T, ServiceError> + Send + 'static,
) -> Result<(u64, T), Problem> {
    let layers = app.layers.clone();
    let readers = app.readers.clone();
    app.writer
        .run(move |service| {
            let done = work(service)?;
            // Here, so that of two changes the later one is shown.
            readers.set_settings(settle(service, &layers)?);
            Ok((service.settings_version()?, done))
        })
        .await
}

/// Changes settings of the database. A file, a variable or a flag that sets the same wins, and is not
/// changed: 409.
#[utoipa::path(patch, path = "/api/v1/settings", tag = "settings", request_body = Change,
    params(("If-Match" = String, Header, description = "The `ETag` of the settings that were seen; `*` for any.")),
    responses((status = 200, body = Changed, description = "All of it is in force."),
        (status = 202, body = Changed, description = "Some of it waits for a second person."),
        (status = 409, body = Problem), (status = 412, body = Problem),
        (status = 422, body = Problem), (status = 428, body = Problem)))]
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Body(change): Body<Change>,
) -> Result<Response, Problem> {
    let expected = expected(&headers)?;
    let request = Request {
        wanted: change.wanted()?,
        reason: change.reason,
        until: change.until,
        expected,
    };
    let (version, parts) = ask(&app, &caller.name, request).await?;
    let status = if parts.iter().any(|part| part.state == "waiting") {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
    let tag = [(header::ETAG, etag(version)?)];
    Ok((status, tag, Json(Changed { parts })).into_response())
}

/// What was loosened: whether it holds, waits, has ended, or was refused, with until when, by whom,
/// and why.
#[utoipa::path(get, path = "/api/v1/settings/loosenings", tag = "settings",
    responses((status = 200, body = Vec<Object>)))]
pub(crate) async fn loosenings(State(app): State<App>) -> Result<Json<Vec<Loosening>>, Problem> {
    Ok(Json(Holding::of(&app).await?.guard.loosenings))
}

/// A change that waits for a second person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProposalView {
    /// Its number.
    pub(crate) number: u64,
    /// The key or scope.
    pub(crate) part: String,
    /// What holds.
    pub(crate) before: Option<Value>,
    /// What is asked for.
    pub(crate) after: Option<Value>,
    /// Who asks: that person cannot approve.
    pub(crate) asked_by: String,
    /// When it was asked for.
    pub(crate) asked_at: DateTime<Utc>,
    /// Why.
    pub(crate) reason: Option<String>,
    /// Until when it is to hold, if that was said.
    pub(crate) until: Option<DateTime<Utc>>,
    /// When nobody may approve of it any more.
    pub(crate) lapses_at: DateTime<Utc>,
}

fn proposal(loosening: &Loosening) -> Option<(u64, DateTime<Utc>)> {
    match loosening.state {
        LooseningState::Waits {
            proposal,
            lapses_at,
        } => Some((proposal, lapses_at)),
        _ => None,
    }
}

impl ProposalView {
    fn of(loosening: &Loosening) -> Option<Self> {
        // What was not taken down yet has no number.
        let (number, lapses_at) = proposal(loosening).filter(|(number, _)| *number > 0)?;
        Some(Self {
            number,
            lapses_at,
            part: loosening.part.clone(),
            before: loosening.before.clone(),
            after: loosening.after.clone(),
            asked_by: loosening.by.clone(),
            asked_at: loosening.since,
            reason: loosening.reason.clone(),
            until: loosening.until,
        })
    }
}

/// What waits for a second person, the oldest first.
#[utoipa::path(get, path = "/api/v1/settings/proposals", tag = "settings",
    responses((status = 200, body = Vec<ProposalView>)))]
pub(crate) async fn proposals(State(app): State<App>) -> Result<Json<Vec<ProposalView>>, Problem> {
    Ok(Json(Holding::of(&app).await?.proposals()))
}

/// Approves of a change that waits: somebody else than who asked for it.
#[utoipa::path(post, path = "/api/v1/settings/proposals/{number}/approve", tag = "settings",
    params(("number" = u64, Path, description = "The number of the proposal.")),
    responses((status = 200, body = Object), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn approve(
    State(app): State<App>,
    caller: Caller,
    InPath(number): InPath<u64>,
) -> Result<Json<Loosening>, Problem> {
    Ok(Json(decide(&app, &caller, number, true).await?))
}

/// Refuses a change that waits; who asked for it withdraws it so.
#[utoipa::path(delete, path = "/api/v1/settings/proposals/{number}", tag = "settings",
    params(("number" = u64, Path, description = "The number of the proposal.")),
    responses((status = 200, body = Object), (status = 404, body = Problem)))]
pub(crate) async fn refuse(
    State(app): State<App>,
    caller: Caller,
    InPath(number): InPath<u64>,
) -> Result<Json<Loosening>, Problem> {
    Ok(Json(decide(&app, &caller, number, false).await?))
}

/// Decides about a change that waits, and judges by what then holds.
pub(crate) async fn decide(
    app: &App,
    caller: &Caller,
    number: u64,
    accepted: bool,
) -> Result<Loosening, Problem> {
    let by = caller.name.clone();
    let decided = write(app, move |service| {
        service.decide_setting(number, accepted, &by, now())
    });
    Ok(decided.await?.1)
}
