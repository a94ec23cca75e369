//! One value as it arrived, before anyone checked it.
//!
//! Reading a [`Raw`] never fails on a scalar, so that the one place which knows the field's name
//! ([`Raw::whole`] and its siblings) can also say what was wrong with it.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Utc};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::ModelError;

/// The longest text that is kept; identifiers and names are far shorter.
const MAX_TEXT_BYTES: usize = 4096;
/// Whole numbers up to here are exact in an `f64`.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
/// A backup outside these years has a broken clock or a broken writer.
const YEARS: RangeInclusive<i32> = 1970..=2199;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Raw {
    Whole(u64),
    Negative(i64),
    Real(f64),
    Text(String),
    Time(DateTime<Utc>),
    Other(&'static str),
}

impl Raw {
    /// A count or a size.
    pub(crate) fn whole(&self, field: &'static str) -> Result<u64, ModelError> {
        match *self {
            Self::Whole(n) => Ok(n),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked"
            )]
            Self::Real(x) if x.fract() == 0.0 && (0.0..=MAX_EXACT).contains(&x) => Ok(x as u64),
            _ => Err(self.refused(field, format!("a whole number from 0 to {}", u64::MAX))),
        }
    }

    /// A whole number that may be negative.
    pub(crate) fn integer(&self, field: &'static str) -> Result<i64, ModelError> {
        match *self {
            Self::Negative(n) => Ok(n),
            Self::Whole(n) if i64::try_from(n).is_ok() => Ok(n.cast_signed()),
            #[expect(clippy::cast_possible_truncation, reason = "checked")]
            Self::Real(x) if x.fract() == 0.0 && x.abs() <= MAX_EXACT => Ok(x as i64),
            _ => Err(self.refused(
                field,
                format!("an integer from {} to {}", i64::MIN, i64::MAX),
            )),
        }
    }

    /// A finite number within `range`.
    pub(crate) fn real(
        &self,
        field: &'static str,
        range: &RangeInclusive<f64>,
    ) -> Result<f64, ModelError> {
        let x = match *self {
            Self::Whole(n) => n as f64,
            Self::Negative(n) => n as f64,
            Self::Real(x) => x,
            _ => f64::NAN,
        };
        if range.contains(&x) {
            return Ok(x);
        }
        // Whole numbers plainly, and small ones without hundreds of zeros.
        let shown = |end: &f64| {
            if end.fract() == 0.0 {
                end.to_string()
            } else {
                format!("{end:?}")
            }
        };
        let (low, high) = (shown(range.start()), shown(range.end()));
        Err(self.refused(field, format!("a number from {low} to {high}")))
    }

    /// Text that is not blank.
    pub(crate) fn text(&self, field: &'static str) -> Result<&str, ModelError> {
        match self {
            Self::Text(text) if text.trim().is_empty() => {
                Err(self.refused(field, "text that is not blank"))
            }
            Self::Text(text) if text.len() > MAX_TEXT_BYTES => {
                Err(self.refused(field, format!("at most {MAX_TEXT_BYTES} bytes long")))
            }
            Self::Text(text) => Ok(text),
            _ => Err(self.refused(field, "text")),
        }
    }

    /// One of a closed list of words.
    pub(crate) fn word<T: FromStr<Err = ModelError>>(
        &self,
        field: &'static str,
    ) -> Result<T, ModelError> {
        self.text(field)?.parse()
    }

    /// A time with a zone, in a year in which backups happen.
    pub(crate) fn time(&self, field: &'static str) -> Result<DateTime<Utc>, ModelError> {
        let time = match self {
            Self::Time(time) => Some(*time),
            Self::Text(text) => DateTime::parse_from_rfc3339(text)
                .ok()
                .map(|time| time.with_timezone(&Utc)),
            _ => None,
        };
        let time = time.ok_or_else(|| {
            self.refused(
                field,
                "an RFC 3339 time with a zone, such as 2026-11-22T03:00:00Z",
            )
        })?;
        if YEARS.contains(&time.year()) {
            Ok(time)
        } else {
            let (first, last) = (YEARS.start(), YEARS.end());
            Err(self.refused(field, format!("a time in the years {first} to {last}")))
        }
    }

    fn refused(&self, field: &'static str, expected: impl Into<String>) -> ModelError {
        ModelError::invalid(field, &self, expected)
    }
}

/// Shows the value in an error message: text quoted, escaped and cut.
impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 60;
        match self {
            Self::Whole(n) => n.fmt(f),
            Self::Negative(n) => n.fmt(f),
            Self::Real(x) => write!(f, "{x:?}"),
            Self::Time(time) => time.to_rfc3339().fmt(f),
            Self::Other(what) => what.fmt(f),
            Self::Text(text) => {
                let shown: String = text.chars().take(SHOWN).collect();
                let cut = if shown.len() < text.len() { "..." } else { "" };
                write!(f, "{shown:?}{cut}")
            }
        }
    }
}

impl From<u64> for Raw {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<i64> for Raw {
    fn from(value: i64) -> Self {
        u64::try_from(value).map_or(Self::Negative(value), Self::Whole)
    }
}

impl From<f64> for Raw {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<String> for Raw {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<DateTime<Utc>> for Raw {
    fn from(value: DateTime<Utc>) -> Self {
        Self::Time(value)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;

        impl<'de> Visitor<'de> for AnyValue {
            type Value = Raw;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
                Ok(value.into())
            }

            fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
                Ok(value.into())
            }

            fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
                Ok(value.into())
            }

            fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
                Ok(Raw::Text(value.to_owned()))
            }

            fn visit_string<E>(self, value: String) -> Result<Raw, E> {
                Ok(Raw::Text(value))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
                Ok(Raw::Other(if value { "true" } else { "false" }))
            }

            fn visit_unit<E>(self) -> Result<Raw, E> {
                Ok(Raw::Other("null"))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Raw::Other("a list"))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Raw::Other("an object"))
            }
        }

        deserializer.deserialize_any(AnyValue)
    }
}

/// The name of a field, borrowed from the input where it can be.
#[derive(serde::Deserialize)]
pub(crate) struct Key<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);
