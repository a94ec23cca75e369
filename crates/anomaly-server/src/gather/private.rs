//! Files that hold secrets.

use std::fs;
use std::path::Path;

use super::error::GatherError;

/// Refuses a file that everybody may use.
pub(super) fn check(path: &Path) -> Result<(), GatherError> {
    let failed = |source| GatherError::File {
        path: path.to_owned(),
        source,
    };
    let metadata = fs::metadata(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        if metadata.permissions().mode() & 0o007 != 0 {
            let path = path.to_owned();
            return Err(GatherError::NotPrivate { path });
        }
    }
    #[cfg(not(unix))]
    drop(metadata);
    Ok(())
}

/// Lines `NAME=VALUE` of a file that nobody else may read; empty ones and those that begin with `#`
/// are passed over, and quotes around a value are none of it.
pub(super) fn environment(path: &Path) -> Result<Vec<(String, String)>, GatherError> {
    check(path)?;
    let text = fs::read_to_string(path).map_err(|source| GatherError::File {
        path: path.to_owned(),
        source,
    })?;
    let mut variables = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let pair = line.split_once('=');
        let pair = pair.map(|(name, value)| (name.trim(), unquoted(value.trim())));
        match pair.filter(|(name, _)| is_variable(name)) {
            Some((name, value)) => variables.push((name.to_owned(), value.to_owned())),
            None => {
                return Err(GatherError::Environment {
                    path: path.to_owned(),
                    line: number + 1,
                });
            }
        }
    }
    Ok(variables)
}

fn is_variable(name: &str) -> bool {
    let is_first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let mut bytes = name.bytes();
    bytes.next().is_some_and(is_first) && bytes.all(|byte| is_first(byte) || byte.is_ascii_digit())
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        let inner = value.strip_prefix(quote);
        if let Some(inner) = inner.and_then(|inner| inner.strip_suffix(quote)) {
            return inner;
        }
    }
    value
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::environment;

    #[test]
    fn an_environment_is_read_from_a_file_that_nobody_else_may_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("env");
        fs::write(&path, "# keys\n\nA=1\n B_2 = \"x=y\" \nC='\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let refused = environment(&path).unwrap_err().to_string();
        assert!(refused.contains("chmod o="), "{refused}");
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let pairs = [("A", "1"), ("B_2", "x=y"), ("C", "'")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(environment(&path).unwrap(), pairs);
        for bad in ["hunter2", "=hunter2", "2A=hunter2", "export A=hunter2"] {
            fs::write(&path, format!("A=1\n{bad}\n")).unwrap();
            let refused = environment(&path).unwrap_err().to_string();
            assert!(refused.contains("line 2"), "{refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }
}
