//! All users and keys, as they are kept.

use std::collections::BTreeMap;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{Severity, SourceName};
use anomaly_service::{AnomalyService, ServiceError, is_same_person};
use anomaly_storage::{AuditEntry, Read};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::second_factor::Tried;
use super::{ApiKey, NewApiKey, Password, Role, SecondFactor, User};

/// The note of the store that has them.
const NOTE: &str = "accounts";
/// So many characters of a name.
const MOST_NAME_CHARACTERS: usize = 64;

/// Who the audit log says acted where nobody did: no name for anybody else.
const OURSELVES: &str = "backwatch";

/// All users by name, and all API keys by the part of them that says which they are.
///
/// They are few: all of them are one note in the store, and every change of it is in the audit log.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Accounts {
    /// The users.
    #[serde(default)]
    pub users: BTreeMap<String, User>,
    /// The keys.
    #[serde(default)]
    pub(crate) api_keys: BTreeMap<String, ApiKey>,
}

/// Why users or keys are not as somebody wants them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountsError {
    /// The store failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// What is kept of them cannot be read.
    #[error(
        "what is kept of users and API keys cannot be read: {0}; restore the database from a copy"
    )]
    Damaged(serde_json::Error),
    /// Too short, or too long.
    #[error("a password must have {least} characters at least, and {most} bytes at most")]
    Password {
        /// Characters at least.
        least: usize,
        /// Bytes at most.
        most: usize,
    },
    /// The name cannot be one.
    #[error("`{name}` cannot be a name: it must have 1 to 64 letters, digits, or any of . _ - @")]
    Name {
        /// The name.
        name: String,
    },
    /// The name is the service's own.
    #[error("`{name}` is what the service calls itself: take another name")]
    Reserved {
        /// The name.
        name: String,
    },
    /// There is one of this name, or of one that differs in case alone.
    #[error("there is a user {name} already")]
    Exists {
        /// The name.
        name: String,
    },
    /// A second factor is replaced by nobody but who has it taken away first.
    #[error("{name} has a second factor already: have it taken away first")]
    HasSecondFactor {
        /// The name.
        name: String,
    },
    /// There is none of this name.
    #[error("there is no {what} {name}")]
    NotFound {
        /// `user` or `API key`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Nobody would be left who could let anybody in.
    #[error("{name} is the only administrator: make another one first")]
    LastAdministrator {
        /// The name.
        name: String,
    },
    /// A role that the one who was to get it cannot have.
    #[error("{0}")]
    Role(&'static str),
    /// The system has no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
    /// The password could not be hashed.
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
}

impl Accounts {
    /// As they are kept; none if the database is new.
    ///
    /// # Errors
    /// [`AccountsError::Damaged`] when they cannot be read.
    pub fn load(service: &AnomalyService) -> Result<Self, AccountsError> {
        Self::read(service.records())
    }

    fn read(records: &(impl Read + ?Sized)) -> Result<Self, AccountsError> {
        match records.note(NOTE).map_err(ServiceError::from)? {
            None => Ok(Self::default()),
            Some(note) => serde_json::from_str(&note).map_err(AccountsError::Damaged),
        }
    }

    /// Reads them, changes them, and keeps them with what `change` says for the audit log: all in one
    /// transaction, so that two changes at once are both made.
    ///
    /// # Errors
    /// What `change` answers, and [`AccountsError::Service`] when the store fails; then nothing was
    /// changed.
    pub fn change<T, E: IntoIterator<Item = AuditEntry>>(
        service: &mut AnomalyService,
        now: DateTime<Utc>,
        change: impl FnOnce(&mut Self) -> Result<(T, E), AccountsError>,
    ) -> Result<T, AccountsError> {
        let mut transaction = service.transaction()?;
        transaction.set_now(now);
        let mut accounts = Self::read(&*transaction)?;
        let (answer, entries) = change(&mut accounts)?;
        let note = serde_json::to_string(&accounts).map_err(AccountsError::Damaged)?;
        transaction
            .put_note(NOTE, &note)
            .map_err(ServiceError::from)?;
        for entry in entries {
            transaction.audit(&entry).map_err(ServiceError::from)?;
        }
        transaction.commit().map_err(ServiceError::from)?;
        Ok(answer)
    }

    /// Whether nobody can sign in yet.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.users.is_empty()
    }

    /// Adds a user.
    ///
    /// # Errors
    /// [`AccountsError`] when the name is not allowed or taken.
    pub fn add_user(
        &mut self,
        name: &str,
        password: Password,
        role: Role,
        (by, now): (&str, DateTime<Utc>),
    ) -> Result<AuditEntry, AccountsError> {
        check_name(name)?;
        if role == Role::Ingest {
            return Err(AccountsError::Role("a person cannot be an ingest key"));
        }
        let mut names = self.users.keys();
        if let Some(known) = names.find(|known| is_same_person(known, name)) {
            let name = known.clone();
            return Err(AccountsError::Exists { name });
        }
        let user = User {
            role,
            created_at: now,
            created_by: by.to_owned(),
            generation: first_generation()?,
            password,
            second_factor: None,
        };
        self.users.insert(name.to_owned(), user);
        let after = json!({ "role": role });
        Ok(audited((by, now), "add_user", name).with_change(None, Some(after)))
    }

    /// Gives a user another password; all sessions of the user end, and so does the wait of one whose
    /// one-time passwords were guessed at.
    ///
    /// # Errors
    /// [`AccountsError`] when there is no such user.
    pub fn set_password(
        &mut self,
        name: &str,
        password: Password,
        (by, now): (&str, DateTime<Utc>),
    ) -> Result<AuditEntry, AccountsError> {
        let user = self.user_mut(name)?;
        user.password = password;
        user.generation += 1;
        if let Some(factor) = &mut user.second_factor {
            factor.forgive();
        }
        Ok(audited((by, now), "set_password", name))
    }

    /// Sets up the second factor of a user who has none.
    pub(crate) fn set_second_factor(
        &mut self,
        name: &str,
        factor: SecondFactor,
        now: DateTime<Utc>,
    ) -> Result<AuditEntry, AccountsError> {
        let user = self.user_mut(name)?;
        if user.has_second_factor() {
            let name = name.to_owned();
            return Err(AccountsError::HasSecondFactor { name });
        }
        user.second_factor = Some(factor);
        Ok(audited((name, now), "add_second_factor", name))
    }

    /// Whether a one-time password of a user is good, which it is not a second time; who knows the
    /// password and guesses is told of.
    pub(crate) fn try_code(
        &mut self,
        name: &str,
        code: &str,
        now: DateTime<Utc>,
    ) -> Result<(bool, Option<AuditEntry>), AccountsError> {
        let factor = self.user_mut(name)?.second_factor.as_mut();
        let seconds = now.timestamp().unsigned_abs();
        let tried = factor.map(|factor| factor.try_code(code, seconds));
        let is_guessed = tried == Some(Tried::LastFree);
        let entry = is_guessed.then(|| audited((OURSELVES, now), "wrong_codes", name));
        Ok((tried == Some(Tried::Right), entry))
    }

    /// Takes away a user's second factor, for one who has lost it.
    ///
    /// # Errors
    /// [`AccountsError`] when there is no such user.
    pub fn remove_second_factor(
        &mut self,
        name: &str,
        (by, now): (&str, DateTime<Utc>),
    ) -> Result<AuditEntry, AccountsError> {
        let user = self.user_mut(name)?;
        user.second_factor = None;
        user.generation += 1;
        Ok(audited((by, now), "remove_second_factor", name))
    }

    /// Gives a user another role; all sessions of the user end.
    ///
    /// # Errors
    /// [`AccountsError`] when there is no such user, or no administrator would be left.
    pub fn set_role(
        &mut self,
        name: &str,
        role: Role,
        (by, now): (&str, DateTime<Utc>),
    ) -> Result<AuditEntry, AccountsError> {
        if role == Role::Ingest {
            return Err(AccountsError::Role("a person cannot be an ingest key"));
        }
        if role != Role::Administrator {
            self.keep_an_administrator(name)?;
        }
        let user = self.user_mut(name)?;
        let before = json!({ "role": user.role });
        user.role = role;
        user.generation += 1;
        let after = json!({ "role": role });
        Ok(audited((by, now), "set_role", name).with_change(Some(before), Some(after)))
    }

    /// Takes a user away; all sessions of the user end.
    ///
    /// # Errors
    /// [`AccountsError`] when there is no such user, or no administrator would be left.
    pub fn remove_user(
        &mut self,
        name: &str,
        (by, now): (&str, DateTime<Utc>),
    ) -> Result<AuditEntry, AccountsError> {
        self.keep_an_administrator(name)?;
        let user = self.user_mut(name)?;
        let before = json!({ "role": user.role });
        self.users.remove(name);
        Ok(audited((by, now), "remove_user", name).with_change(Some(before), None))
    }

    /// Makes an API key, which is in the answer and nowhere else.
    pub(crate) fn add_api_key(
        &mut self,
        name: &str,
        role: Role,
        sources: Vec<SourceName>,
        expires_at: Option<DateTime<Utc>>,
        (by, now): (&str, DateTime<Utc>),
    ) -> Result<(NewApiKey, AuditEntry), AccountsError> {
        check_name(name)?;
        if role == Role::Administrator {
            return Err(AccountsError::Role("an API key cannot be an administrator"));
        }
        let new = NewApiKey::random()?;
        let after =
            json!({ "name": name, "role": role, "sources": sources, "expires_at": expires_at });
        let key = ApiKey::new(&new, name, role, sources, (by, now), expires_at);
        self.api_keys.insert(new.id.clone(), key);
        let entry = AuditEntry::new(now, by, "add_api_key", new.id.clone());
        let entry = entry.with_change(None, Some(after));
        // It decides about anomalies, and outlives whoever made it.
        let entry = if role == Role::Operator {
            entry.with_severity(Severity::Medium)
        } else {
            entry
        };
        Ok((new, entry))
    }

    /// Takes an API key away.
    pub(crate) fn remove_api_key(
        &mut self,
        id: &str,
        (by, now): (&str, DateTime<Utc>),
    ) -> Result<AuditEntry, AccountsError> {
        let Some(key) = self.api_keys.remove(id) else {
            return Err(AccountsError::NotFound {
                what: "API key",
                name: id.to_owned(),
            });
        };
        let before = json!({ "name": key.name, "role": key.role });
        Ok(AuditEntry::new(now, by, "remove_api_key", id).with_change(Some(before), None))
    }

    /// The key that a program sent, if it counts at `now`.
    pub(crate) fn api_key(&self, key: &str, now: DateTime<Utc>) -> Option<(&str, &ApiKey)> {
        let (id, kept) = self.api_keys.get_key_value(ApiKey::id_of(key)?)?;
        kept.is(key, now).then_some((id, kept))
    }

    pub(crate) fn user_mut(&mut self, name: &str) -> Result<&mut User, AccountsError> {
        self.users
            .get_mut(name)
            .ok_or_else(|| AccountsError::NotFound {
                what: "user",
                name: name.to_owned(),
            })
    }

    fn keep_an_administrator(&self, without: &str) -> Result<(), AccountsError> {
        let mut users = self.users.iter();
        if users.any(|(name, user)| name != without && user.role == Role::Administrator)
            || !self.users.contains_key(without)
        {
            return Ok(());
        }
        Err(AccountsError::LastAdministrator {
            name: without.to_owned(),
        })
    }
}

/// Done to somebody else's account it is a system event: whoever may do that can act as a second person.
fn audited((by, now): (&str, DateTime<Utc>), what: &str, name: &str) -> AuditEntry {
    let entry = AuditEntry::new(now, by, what, name);
    if by == name {
        entry
    } else {
        entry.with_severity(Severity::Medium)
    }
}

/// What no session of an earlier user of the same name has.
fn first_generation() -> Result<u64, AccountsError> {
    let number = getrandom::u32().map_err(|error| AccountsError::Random(error.to_string()))?;
    Ok(number.into())
}

fn check_name(name: &str) -> Result<(), AccountsError> {
    let is_allowed = |character: char| character.is_alphanumeric() || "._-@".contains(character);
    let length = name.chars().count();
    if is_same_person(name, OURSELVES) {
        return Err(AccountsError::Reserved { name: name.into() });
    }
    if (1..=MOST_NAME_CHARACTERS).contains(&length) && name.chars().all(is_allowed) {
        return Ok(());
    }
    Err(AccountsError::Name {
        name: name.chars().take(MOST_NAME_CHARACTERS).collect(),
    })
}
