//! What happens, as it happens.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::{Stream, StreamExt as _, stream};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use crate::app::App;
use crate::guard::Caller;
use crate::live::{Happened, Listener};
use crate::problem::Problem;

/// Proxies close a connection on which nothing comes.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// After which the reader has to ask again, and to show again that it may.
const AT_MOST: Duration = Duration::from_mins(1);

/// What a browser waits before it asks again.
const AGAIN: Duration = Duration::from_millis(500);

/// Events of the kind `anomaly`, each with `job`, `severity`, `client` and `summary`; `news` when
/// there are new notifications; `missed` when the reader was too slow for some of them. The stream ends after a minute: ask again,
/// and look for what came in between.
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    responses((status = 200, body = String, content_type = "text/event-stream"),
        (status = 503, body = Problem)))]
pub(crate) async fn listen(
    State(app): State<App>,
    caller: Caller,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let Listener { happened, seat } = app.live.listen(&caller.name).ok_or_else(|| {
        let detail = "Too many listen already, or the service is about to stop. Ask again later.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
    })?;
    let happened = BroadcastStream::new(happened).take_until(tokio::time::sleep(AT_MOST));
    let events = happened.map(move |happened| {
        // It is free for somebody else once this stream is gone.
        let _ = &seat;
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
    let first = stream::iter([Ok(Event::default().retry(AGAIN))]);
    let events = Sse::new(first.chain(events));
    Ok(events.keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}
