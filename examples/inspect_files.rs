//! What the bytes of files look like: reads their names from standard input, prints those that look
//! random, encoded or unlike their type, and how many there are of each nature.
//!
//! Run it with `find /srv -type f | cargo run --release --example inspect_files -- --strided`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example speaks to its reader"
)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use anomaly_features::content::{BlockStatistics, FileStatistics, Nature, Sampling, extension_of};

fn main() -> io::Result<()> {
    let sampling = match std::env::args().nth(1).as_deref() {
        Some("--strided") => Sampling::Strided { seed: 0 },
        Some("--head") => Sampling::Head,
        _ => Sampling::Full,
    };
    let mut statistics = BlockStatistics::new(sampling, None);
    let mut natures: BTreeMap<String, u64> = BTreeMap::new();
    for path in io::stdin().lines() {
        let path = path?;
        let found = match examine(&path, sampling, &mut statistics) {
            Ok(found) => found,
            Err(error) => {
                eprintln!("{path}: {error}");
                continue;
            }
        };
        let nature = match found.nature {
            Nature::Encoded(_) => "Encoded".to_owned(),
            nature => format!("{nature:?}"),
        };
        *natures.entry(nature).or_default() += 1;
        let contradicts = found.contradicts(extension_of(&path));
        let strange = matches!(
            found.nature,
            Nature::Random | Nature::Encoded(_) | Nature::PartlyRandom
        );
        if strange || contradicts {
            let kind = found
                .kind
                .as_ref()
                .map_or("no magic number", |kind| kind.name());
            let but = if contradicts { ", unlike its type" } else { "" };
            println!("{:?}{but}  {path}  ({kind})", found.nature);
        }
    }
    eprintln!("{natures:#?}");
    Ok(())
}

/// Reads what the sampling looks at, and nothing else.
fn examine(
    path: &str,
    sampling: Sampling,
    statistics: &mut BlockStatistics,
) -> io::Result<FileStatistics> {
    let mut file = File::open(path)?;
    let size_bytes = file.metadata()?.len();
    statistics.restart(Some(size_bytes));
    let mut buffer = vec![0; 65_536];
    let mut at = 0;
    for range in sampling.ranges(size_bytes) {
        statistics.skip(range.start - at);
        file.seek(SeekFrom::Start(range.start))?;
        let mut rest = (&file).take(range.end - range.start);
        at = range.start;
        loop {
            let read = rest.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            statistics.update(&buffer[..read]);
            at += read as u64;
        }
    }
    statistics.skip(size_bytes.saturating_sub(at));
    Ok(statistics.finish())
}
