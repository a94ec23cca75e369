//! Bodies and queries, with problems instead of plain text.

use anomaly_model::chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Deserializer};

use crate::problem::Problem;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = Json::<T>::from_request(request, state).await;
        match body {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection @ JsonRejection::MissingJsonContentType(_)) => Err(Problem::new(
                rejection.status(),
                "not_json",
                "Send JSON, with `Content-Type: application/json`.",
            )),
            Err(rejection) => Err(Problem::new(
                rejection.status(),
                "invalid",
                rejection.body_text(),
            )),
        }
    }
}

/// What stands behind the `?` of an address.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        let Query(asked) =
            query.map_err(|error: QueryRejection| Problem::invalid(error.body_text()))?;
        Ok(Self(asked))
    }
}

/// A value that may be absent, or blank: a form sends every field.
pub(super) fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    match Option::<String>::deserialize(deserializer)? {
        Some(text) if !text.trim().is_empty() => {
            let text = IntoDeserializer::<serde::de::value::Error>::into_deserializer(text);
            T::deserialize(text)
                .map(Some)
                .map_err(serde::de::Error::custom)
        }
        _ => Ok(None),
    }
}

/// The same, of a number.
pub(super) fn given_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<f64>, D::Error> {
    let text = given::<D, String>(deserializer)?;
    let number = text.map(|text| text.trim().parse::<f64>());
    number.transpose().map_err(serde::de::Error::custom)
}

/// The same, of a moment; a date stands for its first one in UTC.
pub(super) fn given_moment<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    let Some(text) = given::<D, String>(deserializer)? else {
        return Ok(None);
    };
    let date = text.parse::<NaiveDate>();
    let moment = date.map(|date| date.and_time(NaiveTime::MIN).and_utc());
    let moment = moment.or_else(|_| text.parse());
    moment.map(Some).map_err(serde::de::Error::custom)
}
