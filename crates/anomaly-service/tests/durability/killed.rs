//! A process that is killed at any instant loses nothing that it acknowledged, and whoever goes on
//! reaches the same verdicts.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::history::{assert_whole, command, stored, told, undisturbed};

const KILLS: usize = 200;

/// Numbers that look random (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % most
    }
}

#[test]
fn killed_at_any_instant() {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let seed = env::var("BACKWATCH_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| u64::from(now.subsec_nanos()));
    println!("BACKWATCH_TEST_SEED={seed}");
    let mut random = Random(seed);
    let expected = undisturbed();
    let (mut kills, mut finished) = (0, 0);
    while kills < KILLS {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        let mut acknowledged: Vec<String> = Vec::new();
        loop {
            let batch_jobs = [1, 1, 2, 7, 40][usize::try_from(random.below(5)).unwrap()];
            let mut child = command("", &path, batch_jobs).spawn().unwrap();
            // Some jobs on from where it takes up the work, at any time of what it does next; or at
            // any time of its start.
            let known = acknowledged.len();
            let lines = match random.below(4) {
                0 => 0,
                _ => known + 1 + usize::try_from(random.below(9)).unwrap(),
            };
            let told_by_child = BufReader::new(child.stdout.take().unwrap());
            let mut output = told_by_child.lines().map(Result::unwrap);
            let mut heard: Vec<String> = Vec::new();
            while heard.len() < lines {
                let Some(line) = output.next() else { break };
                heard.extend(told(&line).map(str::to_owned));
            }
            let longest = if lines == 0 { 30_000 } else { 6_000 };
            thread::sleep(Duration::from_micros(random.below(longest)));
            child.kill().unwrap();
            heard.extend(output.filter_map(|line| told(&line).map(str::to_owned)));
            let is_done = child.wait().unwrap().success();
            kills += usize::from(!is_done);

            let verdicts = stored(&path);
            acknowledged = heard.into_iter().chain(acknowledged).collect();
            acknowledged.sort_unstable();
            acknowledged.dedup();
            for job in &acknowledged {
                let is_stored = verdicts.keys().any(|key| key.job_id.as_str() == job);
                assert!(is_stored, "{job} was acknowledged and is lost");
            }
            for (job, verdict) in &verdicts {
                assert_eq!(verdict, &expected[job]);
            }
            if is_done {
                assert_eq!(verdicts, expected);
                break;
            }
        }
        assert_whole(&path);
        finished += 1;
    }
    println!("{kills} kills, {finished} runs that came to their end");
}
