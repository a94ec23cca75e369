//! One list of keys per section: its struct, defaults, overrides and table of keys come from it.

use toml::de::{DeValue, ValueDeserializer};

use crate::knob::Knob;

/// A value as it stands in a layer, with its place in the text.
pub(crate) type RawValue<'a> = toml::Spanned<DeValue<'a>>;

/// Why a key could not be set.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// There is no such key.
    UnknownKey,
    /// The value is not allowed; what is, in words.
    Value { allowed: String },
}

/// The value of a key, if it is of its type and in its range.
pub(crate) fn read<K: Knob>(value: RawValue<'_>) -> Result<K, Refusal> {
    K::deserialize(ValueDeserializer::from(value)).map_err(|_| Refusal::Value {
        allowed: K::allowed(),
    })
}

/// Whether overrides change nothing.
pub(crate) fn is_unset<O: Default + PartialEq>(overrides: &O) -> bool {
    *overrides == O::default()
}

/// Defines the settings of a section, their defaults, and the overrides where each key is optional.
///
/// The first line on a key is its meaning in the table of keys, the lines after it are its reason.
/// An inner section comes last, after a `+`.
macro_rules! section {
    (
        $(#[$doc:meta])*
        pub struct $Settings:ident, $(#[$overrides_doc:meta])* $vis:vis overrides $Overrides:ident,
        prefix $prefix:literal {
            $(
                #[doc = $meaning:literal]
                $(#[doc = $reason:literal])*
                $key:ident: $Knob:ty = $default:expr,
            )*
        }
        $($(#[$inner_doc:meta])* + $inner:ident: $Inner:ty, overrides $InnerOverrides:ty)?
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        #[non_exhaustive]
        pub struct $Settings {
            $(#[doc = $meaning] $(#[doc = $reason])* pub $key: $Knob,)*
            $($(#[$inner_doc])* pub $inner: $Inner,)?
        }

        impl Default for $Settings {
            fn default() -> Self {
                Self { $($key: $default,)* $($inner: <$Inner>::default(),)? }
            }
        }

        impl $Settings {
            pub(crate) fn keys() -> Vec<$crate::Key> {
                let default = Self::default();
                #[allow(unused_mut, reason = "only a section with an inner one adds to it")]
                let mut keys = vec![$($crate::Key::new(
                    concat!($prefix, stringify!($key)),
                    &default.$key,
                    $meaning,
                    concat!($($reason),*),
                ),)*];
                $(keys.extend(<$Inner>::keys());)?
                keys
            }
        }

        $(#[$overrides_doc])*
        #[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        #[non_exhaustive]
        $vis struct $Overrides {
            $(
                #[doc = $meaning]
                #[serde(skip_serializing_if = "Option::is_none")]
                $vis $key: Option<$Knob>,
            )*
            $(
                $(#[$inner_doc])*
                #[serde(skip_serializing_if = "crate::section::is_unset")]
                $vis $inner: $InnerOverrides,
            )?
        }

        impl $Overrides {
            /// Replaces in `settings` what is set here.
            $vis fn apply_to(&self, settings: &mut $Settings) {
                $(if let Some(value) = &self.$key {
                    settings.$key = value.clone();
                })*
                $(self.$inner.apply_to(&mut settings.$inner);)?
            }

            /// Sets the key of this full name.
            pub(crate) fn set(
                &mut self,
                key: &str,
                value: $crate::section::RawValue<'_>,
            ) -> Result<(), $crate::section::Refusal> {
                match key.strip_prefix($prefix) {
                    $(Some(stringify!($key)) => {
                        self.$key = Some($crate::section::read(value)?);
                        Ok(())
                    })*
                    $(Some(_) if key.starts_with(concat!($prefix, stringify!($inner), ".")) => {
                        self.$inner.set(key, value)
                    })?
                    _ => Err($crate::section::Refusal::UnknownKey),
                }
            }
        }
    };
}
pub(crate) use section;
