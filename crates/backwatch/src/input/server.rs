//! Jobs that are read from a server, where a file could stand.

use std::path::Path;

use anomaly_remote::{Address, Remote, RemoteError, RemoteOptions};

use crate::cli::{FormatChoice, InputOptions};
use crate::exit::Failure;
use crate::terminal::warning;

/// Connects to a server, if `path` is the address of one.
pub(super) fn open(path: &Path, arguments: &InputOptions) -> Result<Option<Remote>, Failure> {
    let Some(address) = path.to_str().and_then(Address::parse) else {
        let files = [
            ("--ca-file", arguments.ca_file.is_some()),
            ("--api-key-file", arguments.api_key_file.is_some()),
        ];
        for (option, _) in files.iter().filter(|(_, is_given)| *is_given) {
            let name = path.display();
            warning(&format!("{name}: {option} is not used: it is for servers"));
        }
        return Ok(None);
    };
    // An address that is refused may have a password in it, and is not shown.
    let address = address.map_err(Failure::Address)?;
    if let FormatChoice::Named(format) = arguments.format
        && format != address.format()
    {
        let read = address.format();
        warning(&format!(
            "{address}: --format is not used: it is read as {read}"
        ));
    }
    let mut options = RemoteOptions::from_environment().since(arguments.since.clone());
    if let Some(path) = &arguments.ca_file {
        options = options.ca_file(path);
    }
    if let Some(path) = &arguments.api_key_file {
        options = options.api_key_file(path);
    }
    let failed = |source: RemoteError| Failure::Server {
        name: address.to_string(),
        source,
    };
    address.open(&options).map(Some).map_err(failed)
}
