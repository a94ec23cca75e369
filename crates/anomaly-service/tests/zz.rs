//! Probe of recovery points.
#![allow(clippy::unwrap_used)]
use anomaly_eval::{Track, embedded_histories};
use anomaly_service::AnomalyService;
use anomaly_service::settings::Settings;

#[test]
fn probe() {
    for track in Track::ALL {
        for history in embedded_histories().unwrap() {
            for branch in &history.branches {
                let mut service = AnomalyService::in_memory(Settings::default());
                let jobs: Vec<_> = history.jobs[..branch.prefix_jobs].iter().chain(&branch.jobs).map(|j| track.view(j).unwrap()).collect();
                let affected: Vec<usize> = branch.affected().map(|i| branch.prefix_jobs + i).collect();
                let mut told = Vec::new();
                let mut i = 0;
                service.observe_all(jobs.iter().cloned(), |o| { if affected.contains(&i) && o.verdict.kind().is_some_and(anomaly_engine::is_of_data) { told.push(i);} i += 1; }).unwrap();
                if told.is_empty() || affected.is_empty() { continue; }
                let client = jobs[0].client().name.clone();
                let points = service.recovery_points(&client, None).unwrap();
                let newest = points.iter().filter_map(|p| p.image.as_ref()).map(|i| (jobs.iter().position(|j| j.key() == i.job.key).unwrap(), i.confidence)).max();
                let bad = newest.is_some_and(|(c, _)| c >= affected[0]);
                println!("T {track} {} {} {} d {} {:?} late {} {}", branch.family(), branch.kind(), history.name, newest.map_or(-1, |(c, _)| affected[0] as i64 - 1 - c as i64), newest.map(|n| n.1), told[0] - affected[0], if bad {"BAD"} else {""});
            }
        }
    }
}
#[test]
fn detail() {
    for history in embedded_histories().unwrap() {
        for branch in &history.branches {
            if !(branch.kind() == "truncate_all" || branch.kind() == "delete_80pct" || branch.kind() == "enc_docs_20pct"|| branch.kind() == "enc_full_inplace") { continue; }
            let mut service = AnomalyService::in_memory(Settings::default());
            let jobs: Vec<_> = history.jobs[..branch.prefix_jobs].iter().chain(&branch.jobs).cloned().collect();
            println!("D == {} {} {}", history.name, branch.kind(), branch.prefix_jobs);
            let mut i = 0;
            service.observe_all(jobs.iter().cloned(), |o| { if o.verdict.is_anomalous() || o.verdict.p_value.is_some_and(|p| p.get() < 0.028) {println!("D {i} {} {} p {:?} {:?} {}", o.verdict.started_at, o.stream, o.verdict.p_value.map(|p| p.get()), o.verdict.judgement, o.verdict.summary); } i += 1; }).unwrap();
            let client = jobs[0].client().name.clone();
            for p in service.recovery_points(&client, None).unwrap() { println!("D {:?} {:?} {:?}", p.reasons, p.first_sign, p.image.map(|i| i.job.started_at)); }
        }
    }
}
