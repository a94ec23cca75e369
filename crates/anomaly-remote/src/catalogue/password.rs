//! PostgreSQL's password file: `host:port:database:user:password` a line, `*` for anything.

use std::io;
use std::path::Path;

use crate::{RemoteError, Secret};

/// The password of the first line of a file that fits `entry`: host, port, database and user.
///
/// As libpq does, this passes over a file that is not there.
pub(super) fn in_file(path: &Path, entry: &[String; 4]) -> Result<Option<Secret>, RemoteError> {
    let failed = |source| RemoteError::File {
        path: path.to_owned(),
        source,
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let password = text.lines().find_map(|line| password(line, entry));
    if password.is_some() && is_open_to_all(path).map_err(failed)? {
        return Err(RemoteError::Content {
            path: path.to_owned(),
            reason: "every user of this machine may use it: take that away (chmod o= FILE)"
                .to_owned(),
        });
    }
    Ok(password)
}

/// The password of a line that fits.
fn password(line: &str, entry: &[String; 4]) -> Option<Secret> {
    if line.starts_with('#') {
        return None;
    }
    let mut rest = line;
    for wanted in entry {
        let (field, after) = field(rest);
        if field != "*" && field != *wanted {
            return None;
        }
        rest = after?;
    }
    Some(Secret::new(field(rest).0))
}

/// The text up to a colon, and what comes after it. A backslash makes a character ordinary.
fn field(line: &str) -> (String, Option<&str>) {
    let mut text = String::new();
    let mut characters = line.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            ':' => return (text, line.get(at + 1..)),
            '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => text.push(character),
        }
    }
    (text, None)
}

#[cfg(unix)]
fn is_open_to_all(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;

    Ok(std::fs::metadata(path)?.permissions().mode() & 0o007 != 0)
}

#[cfg(not(unix))]
fn is_open_to_all(_: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::{in_file, password};

    fn entry() -> [String; 4] {
        ["db.example", "5432", "bareos", "back:watch"].map(str::to_owned)
    }

    fn of(line: &str) -> Option<String> {
        password(line, &entry()).map(|found| found.reveal().to_owned())
    }

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        assert_eq!(
            of(r"db.example:5432:bareos:back\:watch:se\:c\\ret").as_deref(),
            Some(r"se:c\ret")
        );
        assert_eq!(of("*:*:*:*:secret").as_deref(), Some("secret"));
        assert_eq!(of("*:*:*:*:secret:more").as_deref(), Some("secret"));
        assert_eq!(of("#*:*:*:*:secret"), None);
        assert_eq!(of("*:*:bacula:*:secret"), None);
        assert_eq!(of("*:*:*:*"), None);
        assert_eq!(of(""), None);
    }

    /// The service may read it as a member of the group.
    #[cfg(unix)]
    #[test]
    fn a_file_that_every_user_may_read_is_not_used() {
        use std::fs::{Permissions, set_permissions, write};
        use std::os::unix::fs::PermissionsExt as _;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pgpass");
        assert!(in_file(&path, &entry()).unwrap().is_none());
        write(&path, "a:b:c:d:e\n*:*:*:*:secret\n").unwrap();
        for mode in [0o644, 0o604, 0o602] {
            set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let refused = in_file(&path, &entry()).unwrap_err().to_string();
            assert!(refused.ends_with("(chmod o= FILE)"), "{refused}");
        }
        for mode in [0o600, 0o640] {
            set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let found = in_file(&path, &entry()).unwrap().unwrap();
            assert_eq!(found.reveal(), "secret");
            assert_eq!(format!("{found:?}"), "Secret");
        }
    }
}
