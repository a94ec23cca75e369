//! Prints a million usual jobs of 10,000 streams, day after day, as the lines of a file.

use std::io::{self, BufWriter, Write as _};

use benches::fleet::job;

const STREAMS: u64 = 10_000;
const DAYS: u64 = 100;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut output = BufWriter::new(io::stdout().lock());
    for (day, stream) in (0..DAYS).flat_map(|day| (0..STREAMS).map(move |stream| (day, stream))) {
        serde_json::to_writer(&mut output, &job(stream, day)?)?;
        output.write_all(b"\n")?;
    }
    Ok(output.flush()?)
}
