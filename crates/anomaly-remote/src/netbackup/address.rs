//! Addresses of primary servers: `netbackup+https://HOST[:PORT][/LIST]`.

use ureq::http::Uri;

use crate::RemoteError;

/// The port of NetBackup's own exchange, which also serves the REST interface.
const PORT: u16 = 1556;

/// A list of a primary server.
#[derive(Debug, Clone)]
pub(crate) struct NetBackupAddress {
    /// `HOST:PORT`.
    pub(super) authority: String,
    pub(super) list: List,
}

/// What can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Jobs,
    Images,
}

impl List {
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Jobs => "/admin/jobs",
            Self::Images => "/catalog/images",
        }
    }
}

impl NetBackupAddress {
    pub(crate) fn is_of_images(&self) -> bool {
        self.list == List::Images
    }

    /// Reads what follows `netbackup+https://`.
    pub(crate) fn parse(rest: &str) -> Result<Self, RemoteError> {
        let wrong = |reason: &str| RemoteError::Address {
            reason: reason.to_owned(),
        };
        let uri: Uri = format!("https://{rest}")
            .parse()
            .map_err(|_| wrong("write it as netbackup+https://HOST[:PORT][/LIST]"))?;
        let authority = uri.authority().ok_or_else(|| wrong("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(RemoteError::SecretInAddress);
        }
        if uri.query().is_some() {
            return Err(wrong("it must not have a `?` in it"));
        }
        let path = uri.path().trim_end_matches('/');
        let list = match path.strip_prefix("/netbackup").unwrap_or(path) {
            "" | "/admin/jobs" => List::Jobs,
            "/catalog/images" => List::Images,
            _ => return Err(wrong("the list must be /admin/jobs or /catalog/images")),
        };
        let port = match authority.port_u16() {
            Some(port) => port,
            None if authority.as_str() == authority.host() => PORT,
            None => return Err(wrong("the port must be a number")),
        };
        Ok(Self {
            authority: format!("{}:{port}", authority.host()),
            list,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{List, NetBackupAddress};

    fn parsed(rest: &str) -> Result<(String, List), String> {
        let address = NetBackupAddress::parse(rest);
        address
            .map(|address| (address.authority, address.list))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn port_and_list_need_not_be_named() {
        let jobs = |host: &str| Ok((host.to_owned(), List::Jobs));
        assert_eq!(parsed("primary.example"), jobs("primary.example:1556"));
        assert_eq!(parsed("primary.example:443/"), jobs("primary.example:443"));
        assert_eq!(parsed("[::1]/netbackup/admin/jobs"), jobs("[::1]:1556"));
        let images = Ok(("primary.example:1556".to_owned(), List::Images));
        assert_eq!(parsed("primary.example/catalog/images"), images);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (rest, what) in [
            ("", "write it as"),
            ("primary.example/storage", "the list must be"),
            ("primary.example?filter=x", "must not have"),
            ("primary.example:http", "must be a number"),
        ] {
            let refused = parsed(rest).unwrap_err();
            assert!(refused.contains(what), "{rest}: {refused}");
        }
        let refused = parsed("user:hunter2@primary.example").unwrap_err();
        assert!(
            !refused.contains("hunter2") && refused.contains("password"),
            "{refused}"
        );
    }
}
