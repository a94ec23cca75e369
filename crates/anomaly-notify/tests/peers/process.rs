//! Servers that are gone with the test.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// A server of this machine.
pub(crate) struct Server(Child);

impl Server {
    /// Starts it, and waits until it listens on `port`.
    pub(crate) fn start(command: &mut Command, port: u16) -> Self {
        let mut server = Self(command.spawn().unwrap());
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = server.0.try_wait().unwrap() {
                panic!("{command:?} ended with {status}");
            }
            assert!(
                started.elapsed() < Duration::from_mins(2),
                "{command:?} does not listen"
            );
            std::thread::yield_now();
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().port()
}

/// Whether a tool is there. A test that needs one which is not there passes, and says so on a line of
/// its own; with `REQUIRE_BACKUP_TOOLS` set, as in `.ci/run`, it fails.
pub(crate) fn is_there(what: &str, found: bool) -> bool {
    let required = std::env::var_os("REQUIRE_BACKUP_TOOLS").is_some();
    assert!(found || !required, "{what} is not installed");
    if !found {
        // Past the test harness, which shows nothing of tests that pass.
        _ = writeln!(
            std::io::stderr(),
            "{what} is not installed: what needs it is not tested"
        );
    }
    found
}
