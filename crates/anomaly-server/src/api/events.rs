//! What happens, as it happens.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::Stream;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use crate::app::App;
use crate::live::Happened;

/// Proxies close a connection on which nothing comes.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Events of the kind `anomaly`, each with `job`, `severity`, `client` and `summary`; `news` when
/// there are new notifications; `missed` when the reader was too slow for some of them.
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    responses((status = 200, body = String, content_type = "text/event-stream")))]
pub(crate) async fn stream(
    State(app): State<App>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let happened = BroadcastStream::new(app.live.listen());
    let events = happened.map(|happened| {
        Ok(match happened {
            Ok(Happened::Anomaly(news)) => {
                let event = Event::default().event("anomaly");
                event.json_data(&news).unwrap_or_default()
            }
            Ok(Happened::News) => Event::default().event("news").data("bell"),
            Err(BroadcastStreamRecvError::Lagged(missed)) => {
                Event::default().event("missed").data(missed.to_string())
            }
        })
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}
