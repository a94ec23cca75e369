//! The keys that sign checkpoints and verify them.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signer as _, Verifier as _};
use sha2::{Digest, Sha256};

use super::note::{decode, encode};

/// The kind of signature, as signed notes number them: ed25519.
const ED25519: u8 = 1;
/// What begins the text of a key that signs.
const PRIVATE: &str = "PRIVATE+KEY+";

/// Why a key could not be read or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file could not be read or written.
    #[error("cannot read or make the key {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds something else, or a key of another kind.
    #[error("{} holds no ed25519 key of a signed note: give the path of another file", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// Others may read the key that signs, so that it proves nothing.
    #[error("others may read {}, which signs checkpoints: make it readable to its owner alone, or delete it and let a new key be made", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The system gave no random numbers.
    #[error("the system gives no random numbers to make a key of: {0}")]
    NoRandomness(String),
}

/// A key that signs checkpoints, with the name that it signs in.
#[derive(Clone)]
pub struct SigningKey {
    name: String,
    key: ed25519_dalek::SigningKey,
}

/// A key that verifies what the other half has signed. It is no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    name: String,
    key: ed25519_dalek::VerifyingKey,
}

impl SigningKey {
    /// Reads the key in `path`; makes one first if there is no such file.
    ///
    /// A new key gets a name of its own, `backwatch.log/` and half its identity, and lies in a file
    /// that its owner alone may read (on Unix). The other half, which verifies, is written beside
    /// it, with `.pub` behind the name, also where it has been lost. The file has its name once it is
    /// whole.
    ///
    /// # Errors
    /// [`KeyError::File`] when a file cannot be read or made, [`KeyError::NotAKey`] when it holds
    /// something else, and [`KeyError::Exposed`] when others may read it.
    pub fn open_or_make(path: &Path) -> Result<Self, KeyError> {
        match Self::open(path) {
            Err(KeyError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            Ok(key) => {
                // It signs without it.
                if let Err(error) = key.write_public(path) {
                    tracing::warn!(%error, "the half of the key that verifies is not there");
                }
                return Ok(key);
            }
            refused => return refused,
        }
        let key = Self::random()?;
        let made = make_whole(path, &format!("{}\n", key.to_text()));
        if !made.map_err(|source| KeyError::File {
            path: path.to_owned(),
            source,
        })? {
            // Another process was faster.
            return Self::open(path);
        }
        key.write_public(path)?;
        Ok(key)
    }

    /// Writes the half that verifies beside the key, unless it is there.
    fn write_public(&self, path: &Path) -> Result<(), KeyError> {
        let path = public_path(path);
        let made = OpenOptions::new().write(true).create_new(true).open(&path);
        let written = match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made.and_then(|file| write_whole(file, &format!("{}\n", self.verifying_key()))),
        };
        written.map_err(|source| KeyError::File { path, source })
    }

    /// Reads the key in `path`.
    ///
    /// # Errors
    /// [`KeyError::File`] when the file cannot be read, [`KeyError::NotAKey`] when it holds
    /// something else, and [`KeyError::Exposed`] when others may read it.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::File {
            path: path.to_owned(),
            source,
        };
        let text = read_small(path).map_err(failed)?;
        if is_exposed(path).map_err(failed)? {
            return Err(KeyError::Exposed {
                path: path.to_owned(),
            });
        }
        Self::from_text(text.trim_end()).ok_or_else(|| KeyError::NotAKey {
            path: path.to_owned(),
        })
    }

    fn random() -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| KeyError::NoRandomness(error.to_string()))?;
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        let identity = Sha256::digest(key.verifying_key().as_bytes());
        let name = identity[..8]
            .iter()
            .fold("backwatch.log/".to_owned(), |name, byte| {
                format!("{name}{byte:02x}")
            });
        Ok(Self { name, key })
    }

    /// Reads `PRIVATE+KEY+<name>+<identity>+<key>`.
    fn from_text(text: &str) -> Option<Self> {
        let (name, identity, seed) = parts(text.strip_prefix(PRIVATE)?)?;
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        let key = Self {
            name: name.to_owned(),
            key,
        };
        (key.verifying_key().identity() == identity).then_some(key)
    }

    fn to_text(&self) -> String {
        text(
            PRIVATE,
            &self.name,
            self.verifying_key().identity(),
            self.key.as_bytes(),
        )
    }

    /// The name that it signs in; also the origin of what it signs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The half that verifies.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey {
            name: self.name.clone(),
            key: self.key.verifying_key(),
        }
    }

    /// A signature as it stands below a note: the identity of the key, and the signature itself.
    pub(super) fn sign(&self, text: &str) -> Vec<u8> {
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        let identity = self.verifying_key().identity();
        [identity.as_slice(), &signature].concat()
    }
}

/// Without the key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl VerifyingKey {
    /// Reads the key in `path`: one that verifies, or one that signs, of which the other half is
    /// taken.
    ///
    /// # Errors
    /// [`KeyError::File`] when the file cannot be read, and [`KeyError::NotAKey`] when it holds
    /// something else.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        let text = read_small(path).map_err(|source| KeyError::File {
            path: path.to_owned(),
            source,
        })?;
        let text = text.trim_end();
        let of_signing = || Some(SigningKey::from_text(text)?.verifying_key());
        Self::from_text(text)
            .or_else(of_signing)
            .ok_or_else(|| KeyError::NotAKey {
                path: path.to_owned(),
            })
    }

    /// Reads `<name>+<identity>+<key>`.
    fn from_text(text: &str) -> Option<Self> {
        let (name, identity, key) = parts(text)?;
        let key = Self {
            name: name.to_owned(),
            key: ed25519_dalek::VerifyingKey::from_bytes(&key).ok()?,
        };
        (key.identity() == identity).then_some(key)
    }

    /// The name that it verifies.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Four bytes that tell keys of the same name apart.
    fn identity(&self) -> [u8; 4] {
        let mut hasher = Sha256::new();
        hasher.update(&self.name);
        hasher.update([b'\n', ED25519]);
        hasher.update(self.key.as_bytes());
        let hash: [u8; 32] = hasher.finalize().into();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// Whether this key made a signature below a note with this text.
    pub(super) fn has_signed(&self, text: &str, name: &str, signature: &[u8]) -> bool {
        let Some((identity, signature)) = signature.split_first_chunk::<4>() else {
            return false;
        };
        name == self.name
            && *identity == self.identity()
            && ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| self.key.verify(text.as_bytes(), &signature).is_ok())
    }
}

/// The text of the key, as files hold it.
impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text("", &self.name, self.identity(), self.key.as_bytes()))
    }
}

fn text(prefix: &str, name: &str, identity: [u8; 4], key: &[u8; 32]) -> String {
    let key = encode(&[&[ED25519], key.as_slice()].concat());
    format!("{prefix}{name}+{:08x}+{key}", u32::from_be_bytes(identity))
}

/// The parts of a key's text. The base64 of a key may hold a plus; its name may not.
fn parts(text: &str) -> Option<(&str, [u8; 4], [u8; 32])> {
    let (name, rest) = text.split_once('+')?;
    let (identity, key) = rest.split_once('+')?;
    let is_name = !name.is_empty() && !name.contains(char::is_whitespace);
    let number = u32::from_str_radix(identity, 16).ok()?;
    let key: [u8; 33] = decode(key)?.try_into().ok()?;
    let (kind, key) = key.split_first_chunk::<1>()?;
    let key = key.try_into().ok()?;
    let is_ours = is_name && format!("{number:08x}") == identity && *kind == [ED25519];
    is_ours.then_some((name, number.to_be_bytes(), key))
}

fn public_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

/// Makes a file that its owner alone may read, which has its name once it is whole; says whether there
/// was none.
fn make_whole(path: &Path, text: &str) -> io::Result<bool> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.unfinished", std::process::id()));
    let beside = PathBuf::from(beside);
    // Left over by one that died and had the same number.
    _ = fs::remove_file(&beside);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let made = options
        .open(&beside)
        .and_then(|file| write_whole(file, text))
        .and_then(|()| match fs::hard_link(&beside, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            // A file system without links.
            Err(_) => fs::rename(&beside, path).map(|()| true),
            Ok(()) => Ok(true),
        });
    _ = fs::remove_file(&beside);
    made
}

fn write_whole(mut file: File, text: &str) -> io::Result<()> {
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A key is a line: nothing longer is read into memory.
fn read_small(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(4096).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(unix)]
fn is_exposed(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;

    Ok(path.metadata()?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Go's `golang.org/x/mod/sumdb/note`, whose format this is.
    const PRIVATE_KEY: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const PUBLIC_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                        then you don't know what your problem is.\n";
    const SIGNATURE: &str = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdng\
                             otpRZb6KE6RyyBwJnAM=";

    #[test]
    fn keys_and_signatures_are_those_of_other_programs() {
        let signing = SigningKey::from_text(PRIVATE_KEY).unwrap();
        assert_eq!(signing.to_text(), PRIVATE_KEY);
        assert_eq!(signing.verifying_key().to_string(), PUBLIC_KEY);
        assert_eq!(encode(&signing.sign(TEXT)), SIGNATURE);
        let verifying = VerifyingKey::from_text(PUBLIC_KEY).unwrap();
        assert_eq!(verifying.name(), "PeterNeumann");
        let signature = decode(SIGNATURE).unwrap();
        assert!(verifying.has_signed(TEXT, "PeterNeumann", &signature));
        assert!(!verifying.has_signed(&TEXT[1..], "PeterNeumann", &signature));
        assert!(!verifying.has_signed(TEXT, "Another", &signature));
    }

    #[test]
    fn a_key_with_one_character_changed_is_none() {
        for text in [PRIVATE_KEY, PUBLIC_KEY] {
            for place in 0..text.len() {
                let other = if &text[place..=place] == "A" {
                    "B"
                } else {
                    "A"
                };
                let changed = [&text[..place], other, &text[place + 1..]].concat();
                assert!(VerifyingKey::from_text(&changed).is_none(), "{changed}");
                assert!(SigningKey::from_text(&changed).is_none(), "{changed}");
            }
        }
    }
}
