//! Looks at what was stored, by whichever process, and tells those who want to know.

use std::time::Duration;

use anomaly_model::chrono::TimeDelta;
use anomaly_service::{AnomalyService, ServiceError};
use anomaly_storage::{ObservationQuery, Recorded, StoreError, StoredObservation};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::app::{App, now};
use crate::calendar::DAYS;
use crate::damage::{self, Page};
use crate::duties::Duty;
use crate::live::Happened;
use crate::news::{Sender, Told};
use crate::problem::Problem;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);
/// Records that are looked at in one go.
const PAGE: usize = 500;

/// Where the log was when the service started, and up to where it was looked at.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// What is stored up to there is old: it is in the calendar, and only sinks may not know it.
    begin: u64,
    last: u64,
}

/// Tells of each anomaly as it is stored, and fills the calendar beside that, until the service ends.
pub(crate) async fn tell(app: App) {
    let begun = loop {
        let begun = begin(&app).await;
        app.duties.note(Duty::Tell, "", &begun);
        match begun {
            Ok(seen) => break seen,
            Err(_) => sleep(EVERY).await,
        }
    };
    tokio::join!(watch(&app, begun), remember(&app, begun.begin));
}

/// Takes up what people and sinks were told. The calendar begins anew: this may have broken down.
async fn begin(app: &App) -> Result<Seen, Problem> {
    app.calendar.clear();
    let own = app.clone();
    let head = app
        .readers
        .read(move |service| {
            let head = service.records().log_head()?.size;
            own.bell.begin(service)?;
            Ok(head)
        })
        .await?;
    if app.sinks.is_empty() {
        app.writer.run(Told::skip).await?;
        return Ok(Seen {
            begin: head,
            last: head,
        });
    }
    // What was stored while the service did not run is news to sinks.
    let told = app.writer.run(Told::begin).await?;
    Ok(Seen {
        begin: head,
        last: told.record.min(head),
    })
}

async fn watch(app: &App, mut seen: Seen) {
    let mut interval = interval(EVERY);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let looked = look(app, &mut seen).await;
        app.duties.note(Duty::Tell, "", &looked);
    }
}

/// Tells of what was stored after what was seen, and moves that on once all know of it.
async fn look(app: &App, seen: &mut Seen) -> Result<(), Problem> {
    loop {
        let (last, duties) = (seen.last, app.duties.clone());
        let page = app
            .readers
            .read(move |service| Ok(damage::recorded(&duties, service.records(), last, PAGE)?))
            .await?;
        let Page {
            found,
            until,
            is_last,
        } = page;
        let today = now().date_naive();
        post(app, &found, until).await?;
        let new = found.into_iter().filter_map(|record| match record {
            Recorded::Observation(stored) if stored.number > seen.begin => Some(stored),
            _ => None,
        });
        for stored in ring(app, new.collect()).await? {
            app.calendar.note(&stored.verdict, today);
            app.meters.job(&stored.verdict);
            if let Some(happened) = Happened::of(&stored.verdict) {
                app.live.tell(happened);
            }
        }
        seen.last = until;
        if is_last {
            return Ok(());
        }
    }
}

/// Tells people in the browser.
async fn ring(app: &App, page: Vec<StoredObservation>) -> Result<Vec<StoredObservation>, Problem> {
    let own = app.clone();
    app.readers
        .read(move |service| {
            if own.bell.note(service, &page)? {
                own.live.tell(Happened::News);
            }
            Ok(page)
        })
        .await
}

/// Puts into the outbox what sinks are to be told of a page that goes up to a number.
async fn post(app: &App, page: &[Recorded], until: u64) -> Result<(), Problem> {
    if app.sinks.is_empty() {
        // A sink that comes later is told of what comes after it.
        if !page.is_empty() {
            app.writer.run(Told::skip).await?;
        }
        return Ok(());
    }
    let sender = Sender {
        instance: app.instance.clone(),
        address: app.address(),
        sinks: app
            .sinks
            .iter()
            .map(|sink| sink.name().to_owned())
            .collect(),
        duties: app.duties.clone(),
    };
    let page = page.to_vec();
    app.writer
        .run(move |service| sender.post(service, &page, until, now()))
        .await
}

/// Reads the days that the calendar shows, as far as they were stored when the service started: what
/// came since is noted as it comes.
async fn remember(app: &App, begin: u64) {
    let from = now() - TimeDelta::days(DAYS.into());
    let query = ObservationQuery::default().started_from(from).limit(PAGE);
    let mut last: Option<StoredObservation> = None;
    loop {
        let asked = query
            .clone()
            .after(last.as_ref().map(|last| last.job.key()));
        let page = patiently(app, move |service| {
            match service.records().observations(&asked) {
                Err(error) if error.is_damaged() => Ok(None),
                // It was old, and is deleted by now, and so is what comes after it.
                Err(StoreError::NoSuchJob { .. }) => Ok(Some(Vec::new())),
                page => Ok(Some(page?)),
            }
        });
        let Some(page) = page.await else {
            remember_around(app, begin, last.as_ref()).await;
            break;
        };
        note(app, begin, &page);
        match page.into_iter().nth(PAGE - 1) {
            Some(end) => last = Some(end),
            None => break,
        }
    }
    app.calendar.complete();
}

/// Reads what comes after the last one that was read so, without what is damaged: nobody can tell when
/// that was, so all is read in the order in which it was stored.
async fn remember_around(app: &App, begin: u64, last: Option<&StoredObservation>) {
    let place = |one: &StoredObservation| (one.job.started_at().timestamp_micros(), one.number);
    let mut after = 0;
    loop {
        let duties = app.duties.clone();
        let page = patiently(app, move |service| {
            let number = |one: &StoredObservation| one.number;
            Ok(damage::page(
                &duties,
                after,
                PAGE,
                number,
                |after, most| service.records().observations_stored_after(after, most),
            )?)
        });
        let mut page = page.await;
        page.found
            .retain(|one| last.is_none_or(|last| place(one) < place(last)));
        note(app, begin, &page.found);
        after = page.until;
        if page.is_last || after >= begin {
            return;
        }
    }
}

fn note(app: &App, begin: u64, page: &[StoredObservation]) {
    let today = now().date_naive();
    for stored in page.iter().filter(|stored| stored.number <= begin) {
        app.calendar.note(&stored.verdict, today);
    }
}

/// Reads until that succeeds.
async fn patiently<T: Send + 'static>(
    app: &App,
    read: impl Fn(&AnomalyService) -> Result<T, ServiceError> + Clone + Send + 'static,
) -> T {
    loop {
        let done = app.readers.read(read.clone()).await;
        app.duties.note(Duty::Remember, "", &done);
        match done {
            Ok(done) => return done,
            Err(_) => sleep(EVERY).await,
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::{Arc, mpsc};

    use anomaly_model::{BackupJob, JobStatus};
    use anomaly_settings::{Layers, Settings};
    use tokio::task::yield_now;

    use super::*;
    use crate::ServerOptions;
    use crate::app::Parts;
    use crate::meters::Meters;
    use crate::readers::Readers;
    use crate::writer::Writer;

    fn app(directory: &Path) -> App {
        let (database, settings) = (directory.join("db"), Settings::default());
        let service = AnomalyService::open(&database, settings.clone()).unwrap();
        let meters = Arc::new(Meters::default());
        let (writer, _thread) = Writer::start(service, Arc::clone(&meters)).unwrap();
        App::new(Parts {
            options: ServerOptions::default(),
            readers: Readers::new(database.clone(), settings, 2),
            database,
            writer,
            layers: Arc::new(Layers::default()),
            sinks: Vec::new(),
            instance: String::new(),
            meters,
            setup_code: String::new(),
        })
    }

    /// How many anomalies are in the calendar, and whether the meters have one.
    fn noted(app: &App) -> (u32, bool) {
        let counts = app.calendar.counts(now().date_naive());
        let sum = counts.iter().flat_map(|(_, counts)| counts).sum();
        let line = "backwatch_jobs_total{verdict=\"anomalous\"} 1\n";
        (sum, app.meters.render().contains(line))
    }

    /// When the database is out of reach after sinks were told and before people are, people are told
    /// later.
    #[tokio::test]
    async fn what_not_all_were_told_of_is_told_again() {
        let directory = tempfile::tempdir().unwrap();
        let [here, away] = ["here", "away"].map(|name| directory.path().join(name));
        fs::create_dir(&here).unwrap();
        let app = app(&here);
        let mut seen = begin(&app).await.unwrap();
        let job = BackupJob::builder("restic", "1", "mail01", "daily", now());
        let job = job.status(JobStatus::Failed).build().unwrap();
        app.writer.observe(vec![job]).await.unwrap();

        // The thread that writes waits, and with it what sinks are told.
        let (begun, has_begun) = mpsc::channel();
        let (go, may_go) = mpsc::channel();
        let held = tokio::spawn({
            let app = app.clone();
            async move {
                let hold = move |_: &mut AnomalyService| {
                    begun.send(()).unwrap();
                    may_go.recv().unwrap();
                    Ok(())
                };
                app.writer.run(hold).await
            }
        });
        while has_begun.try_recv().is_err() {
            yield_now().await;
        }
        let looked = tokio::spawn({
            let app = app.clone();
            async move { (look(&app, &mut seen).await, seen) }
        });
        while app.writer.waiting() == 0 {
            yield_now().await;
        }
        fs::rename(&here, &away).unwrap();
        app.readers.set_settings(Settings::default());
        go.send(()).unwrap();
        held.await.unwrap().unwrap();
        let (looked, mut seen) = looked.await.unwrap();
        assert!(looked.is_err());
        assert_eq!(noted(&app), (0, false));

        fs::rename(&away, &here).unwrap();
        let note = app
            .readers
            .read(|service| Ok(service.records().note("told")?));
        let told: Told = serde_json::from_str(&note.await.unwrap().unwrap()).unwrap();
        assert!(told.record > seen.last, "sinks were told");
        look(&app, &mut seen).await.unwrap();
        assert_eq!(noted(&app), (1, true));
    }
}
