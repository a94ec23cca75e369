//! Structs of optional numbers that are checked field by field.

/// Defines a struct of optional numbers, its unchecked twin, and the one check between them.
///
/// Each field names its check: `whole` (u64), `share` (0 to 1), `bits` (entropy, 0 to 8) or
/// `bits_change` (-8 to 8).
macro_rules! numbers {
    (
        $(#[$doc:meta])*
        pub struct $Name:ident, unchecked $Record:ident {
            $($(#[$field_doc:meta])* $field:ident: $check:ident,)*
        }
        $($(#[$extra_doc:meta])* + $extra:ident: $Extra:ty)?
    ) => {
        $(#[$doc])*
        ///
        /// Fields that a tool does not report are `None`, never 0. Build one with
        /// [`Default::default`] and the setters of the fields' names; the values are checked when
        /// the job that holds them is built.
        #[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
        #[non_exhaustive]
        pub struct $Name {
            $(
                $(#[$field_doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $field: Option<$crate::numbers::$check::Number>,
            )*
            $(
                $(#[$extra_doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $extra: Option<$Extra>,
            )?
        }

        impl $Name {
            $(
                #[doc = concat!("Sets `", stringify!($field), "`.")]
                #[must_use]
                pub fn $field(
                    mut self,
                    value: impl Into<Option<$crate::numbers::$check::Number>>,
                ) -> Self {
                    self.$field = value.into();
                    self
                }
            )*
            $(
                #[doc = concat!("Sets `", stringify!($extra), "`.")]
                #[must_use]
                pub fn $extra(mut self, value: impl Into<Option<$Extra>>) -> Self {
                    self.$extra = value.into();
                    self
                }
            )?
        }

        #[derive(Debug, Clone, Default)]
        pub(crate) struct $Record {
            $($field: Option<$crate::raw::Raw>,)*
        }

        impl $Record {
            /// Keeps the value if `key` is one of the fields; says whether it was.
            pub(crate) fn set(&mut self, key: &str, value: Option<$crate::raw::Raw>) -> bool {
                match key {
                    $(stringify!($field) => self.$field = value,)*
                    _ => return false,
                }
                true
            }

            pub(crate) fn check(&self) -> Result<$Name, $crate::ModelError> {
                Ok($Name {
                    $($field: match &self.$field {
                        Some(raw) => Some($crate::numbers::$check::check(raw, stringify!($field))?),
                        None => None,
                    },)*
                    $($extra: None,)?
                })
            }
        }

        impl From<&$Name> for $Record {
            fn from(numbers: &$Name) -> Self {
                Self { $($field: numbers.$field.map(Into::into),)* }
            }
        }
    };
}
pub(crate) use numbers;

macro_rules! checks {
    ($($check:ident: $Number:ty, |$raw:ident, $field:ident| $body:expr;)*) => {$(
        pub(crate) mod $check {
            use crate::ModelError;
            use crate::raw::Raw;

            pub(crate) type Number = $Number;

            pub(crate) fn check($raw: &Raw, $field: &'static str) -> Result<Number, ModelError> {
                $body
            }
        }
    )*};
}

checks! {
    whole: u64, |raw, field| raw.whole(field);
    share: f64, |raw, field| raw.real(field, &(0.0..=1.0));
    bits: f64, |raw, field| raw.real(field, &(0.0..=8.0));
    bits_change: f64, |raw, field| raw.real(field, &(-8.0..=8.0));
}
