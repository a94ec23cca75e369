//! Who opens one page after the other.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use benches::failure::Failure;

use crate::http::Browser;

pub(crate) struct Reader<'a> {
    pub(crate) number: u64,
    pub(crate) think: Duration,
    pub(crate) pages: &'a [Page],
    pub(crate) over: &'a AtomicBool,
}

/// A page, and what it is called in the report.
pub(crate) struct Page {
    name: &'static str,
    path: String,
}

/// Every page of the service, some in several views.
pub(crate) fn pages(browser: &Browser) -> Result<Vec<Page>, Failure> {
    let mut pages: Vec<Page> = [
        ("dashboard", "/"),
        ("anomalies", "/anomalies"),
        ("anomalies of a client", "/anomalies?client=client00042"),
        ("anomalies, not reviewed", "/anomalies?status=not_reviewed"),
        ("anomalies, by severity", "/anomalies?severity=high"),
        ("incidents", "/incidents"),
        ("streams", "/streams"),
        ("settings", "/settings"),
        ("notifications", "/notifications"),
        ("audit", "/audit"),
        ("users", "/users"),
        ("account", "/account"),
    ]
    .into_iter()
    .map(|(name, path)| Page {
        name,
        path: path.to_owned(),
    })
    .collect();
    let anomalies = browser.json("/api/v1/anomalies?limit=50")?;
    for anomaly in anomalies["items"].as_array().ok_or("no anomalies")? {
        let text = |field: &str| anomaly["verdict"][field].as_str().unwrap_or_default();
        pages.push(Page {
            name: "an anomaly",
            path: format!("/anomalies/{}/{}", text("source"), text("job_id")),
        });
    }
    let incidents = browser.json("/api/v1/incidents?limit=20")?;
    for incident in incidents["items"].as_array().ok_or("no incidents")? {
        pages.push(Page {
            name: "an incident",
            path: format!("/incidents/{}", incident["number"]),
        });
    }
    Ok(pages)
}

impl Reader<'_> {
    /// How long the first byte of each page took that was opened.
    pub(crate) fn read(&self, browser: &Browser) -> Result<Vec<(&'static str, Duration)>, Failure> {
        let mut looks = Vec::new();
        // Each goes its own way, and all pages come up equally often.
        let names: BTreeMap<&str, Vec<&Page>> =
            self.pages.iter().fold(BTreeMap::new(), |mut names, page| {
                names.entry(page.name).or_default().push(page);
                names
            });
        let kinds: Vec<_> = names.into_values().collect();
        let mut step = usize::try_from(self.number)?;
        // Readers do not start at the same moment.
        thread::sleep(self.think * u32::try_from(self.number)? / 20);
        while !self.over.load(Ordering::Relaxed) {
            let pages = &kinds[step % kinds.len()];
            let page = pages[step / kinds.len() % pages.len()];
            looks.push((page.name, browser.open(&page.path)?));
            step += 1;
            thread::sleep(self.think);
        }
        Ok(looks)
    }
}

pub(crate) fn report(looks: Vec<(&'static str, Duration)>) {
    let mut by_name: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for (name, took) in looks {
        by_name.entry(name).or_default().push(took);
        by_name.entry("all pages").or_default().push(took);
    }
    println!(
        "{:28} {:>8} {:>8} {:>8} {:>8}",
        "first byte", "opened", "median", "p99", "most"
    );
    for (name, mut times) in by_name {
        times.sort_unstable();
        let share = |percent: usize| {
            let rank = (times.len() * percent).div_ceil(100);
            times[rank.max(1) - 1].as_secs_f64() * 1e3
        };
        println!(
            "{name:28} {:>8} {:>5.1} ms {:>5.1} ms {:>5.1} ms",
            times.len(),
            share(50),
            share(99),
            share(100),
        );
    }
}
