//! What the service's pages take while jobs come in: 20 readers, 1,000 jobs a second, on a database
//! of a million jobs and 50,000 anomalies.
//!
//! `cargo run --release -p benches --bin load -- --help` says how.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures are what it is for"
)]

mod database;
mod http;
mod poster;
mod reader;
mod service;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use benches::failure::Failure;

use crate::service::Service;

const HELP: &str = "\
Measures the pages of `backwatch serve` under load.

load [--backwatch PROGRAM] [--database PATH] [--seconds N] [--readers N] [--think MILLISECONDS]

  --backwatch  the program; target/release/backwatch unless given
  --database   made if it is not there, 2 GB and some minutes; target/load/backwatch.db unless given
  --seconds    for how long; 60 unless given
  --readers    who open one page after the other; 20 unless given
  --think      how long a reader looks at a page; 1000 unless given, 0 for no time at all
";

struct Options {
    backwatch: PathBuf,
    database: PathBuf,
    seconds: u64,
    readers: u64,
    think: Duration,
}

fn options() -> Result<Option<Options>, Failure> {
    let mut options = Options {
        backwatch: "target/release/backwatch".into(),
        database: "target/load/backwatch.db".into(),
        seconds: 60,
        readers: 20,
        think: Duration::from_secs(1),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        if name == "--help" {
            return Ok(None);
        }
        let value = arguments
            .next()
            .ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--backwatch" => options.backwatch = value.into(),
            "--database" => options.database = value.into(),
            "--seconds" => options.seconds = value.parse()?,
            "--readers" => options.readers = value.parse()?,
            "--think" => options.think = Duration::from_millis(value.parse()?),
            _ => return Err(format!("there is no option {name}").into()),
        }
    }
    Ok(Some(options))
}

fn run(options: &Options) -> Result<(), Failure> {
    database::make(&options.database)?;
    http::add_administrator(&options.backwatch, &options.database)?;
    let service = Service::start(&options.backwatch, &options.database)?;
    let administrator = http::Browser::sign_in(&service.base)?;
    let key = administrator.key()?;
    let pages = reader::pages(&administrator)?;
    let over = AtomicBool::new(false);
    let (looked, posted) = thread::scope(|scope| {
        let readers: Vec<_> = (0..options.readers)
            .map(|number| {
                let reader = reader::Reader {
                    number,
                    think: options.think,
                    pages: &pages,
                    over: &over,
                };
                let browser = administrator.again();
                scope.spawn(move || reader.read(&browser))
            })
            .collect();
        let posters: Vec<_> = (0..poster::POSTERS)
            .map(|number| {
                let (service, key, over) = (&service, key.as_str(), &over);
                scope.spawn(move || poster::post(number, service, key, over))
            })
            .collect();
        thread::sleep(Duration::from_secs(options.seconds));
        over.store(true, Ordering::Relaxed);
        let looked: Vec<_> = readers
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        let posted: Vec<_> = posters
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        (looked, posted)
    });
    let crashed = |_| Failure::from("a thread of the measurement panicked");
    let mut looks = Vec::new();
    for reader in looked {
        looks.extend(reader.map_err(crashed)??);
    }
    let mut sent = Vec::new();
    for poster in posted {
        sent.push(poster.map_err(crashed)??);
    }
    let most_memory = service.most_memory()?;
    service.stop()?;
    reader::report(looks);
    poster::report(&sent, options.seconds, &options.database)?;
    println!("the most memory of the service: {most_memory}");
    Ok(())
}

fn main() -> ExitCode {
    let done = options().and_then(|options| match options {
        None => {
            print!("{HELP}");
            Ok(())
        }
        Some(options) => run(&options),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}
