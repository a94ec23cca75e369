//! The name of this machine.

/// As the system knows it; `None` where it cannot be asked.
#[cfg(unix)]
pub(crate) fn name() -> Option<String> {
    let system = rustix::system::uname();
    system.nodename().to_str().ok().map(str::to_owned)
}

/// As the system knows it; `None` where it cannot be asked.
#[cfg(not(unix))]
pub(crate) fn name() -> Option<String> {
    None
}
