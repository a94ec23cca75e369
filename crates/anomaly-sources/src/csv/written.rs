//! The parts of a mapping file, as they can be written.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

use crate::csv::mapping::ColumnName;
use crate::csv::unit::Unit;

/// Records of which a column has one of some texts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFile {
    pub(super) column: Spanned<ColumnName>,
    pub(super) equals: OneOrMore<String>,
}

/// How to find the value of a field, with all that can be said of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SpecTable {
    pub(super) column: OneOrMore<ColumnName>,
    pub(super) unit: Option<Spanned<Unit>>,
    pub(super) format: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) words: BTreeMap<String, Spanned<String>>,
    pub(super) otherwise: Option<Spanned<String>>,
}

/// A column alone, several, or a table.
pub(super) struct SpecFile(pub(super) SpecTable);

/// A text or a number, as text.
pub(super) struct Constant(pub(super) String);

/// One of something, or a list of them.
pub(super) struct OneOrMore<T>(pub(super) Vec<T>);

impl<'de> Deserialize<'de> for Constant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl Visitor<'_> for Any {
            type Value = Constant;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }

            fn visit_str<E>(self, text: &str) -> Result<Constant, E> {
                Ok(Constant(text.to_owned()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Constant, E> {
                Ok(Constant(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Constant, E> {
                Ok(Constant(number.to_string()))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

impl<'de> Deserialize<'de> for ColumnName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl Visitor<'_> for Any {
            type Value = ColumnName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a column, or its number from 1")
            }

            fn visit_str<E>(self, name: &str) -> Result<ColumnName, E> {
                Ok(ColumnName::Header(name.trim().to_owned()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<ColumnName, E> {
                let number = usize::try_from(number);
                let refused = |_| E::custom("columns are counted from 1");
                number.map(ColumnName::Number).map_err(refused)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMore<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Any<T> {
            type Value = OneOrMore<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one or a list")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<OneOrMore<T>, E> {
                one(text.into_deserializer())
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<OneOrMore<T>, E> {
                one(number.into_deserializer())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrMore<T>, A::Error> {
                one(MapAccessDeserializer::new(map))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<OneOrMore<T>, A::Error> {
                let list = Vec::deserialize(SeqAccessDeserializer::new(list))?;
                if list.is_empty() {
                    return Err(A::Error::custom("the list is empty"));
                }
                Ok(OneOrMore(list))
            }
        }

        deserializer.deserialize_any(Any(PhantomData))
    }
}

fn one<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<OneOrMore<T>, D::Error> {
    Ok(OneOrMore(vec![T::deserialize(deserializer)?]))
}

impl<'de> Deserialize<'de> for SpecFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = SpecFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column, a list of columns, or a table with `column`")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<SpecFile, E> {
                one(name.into_deserializer()).map(SpecFile::plain)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<SpecFile, E> {
                one(number.into_deserializer()).map(SpecFile::plain)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<SpecFile, A::Error> {
                let columns = OneOrMore::deserialize(SeqAccessDeserializer::new(list));
                columns.map(SpecFile::plain)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SpecFile, A::Error> {
                SpecTable::deserialize(MapAccessDeserializer::new(map)).map(SpecFile)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

impl SpecFile {
    fn plain(column: OneOrMore<ColumnName>) -> Self {
        Self(SpecTable {
            column,
            unit: None,
            format: None,
            words: BTreeMap::new(),
            otherwise: None,
        })
    }
}
