//! How closed lists of words are written.

/// Defines an enum that is written as one of a closed list of words.
macro_rules! words {
    (
        $(#[$doc:meta])*
        pub enum $Name:ident, $field:literal {
            $($(#[$variant_doc:meta])* $Variant:ident = $word:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize,
        )]
        #[non_exhaustive]
        pub enum $Name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $Variant,)*
        }

        impl $Name {
            /// Every value, in ascending order.
            pub const ALL: &[Self] = &[$(Self::$Variant),*];

            /// The word that stands for it in every format.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$Variant => $word,)* }
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $Name {
            type Err = $crate::ModelError;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$Variant),)*
                    _ => Err($crate::ModelError::invalid(
                        $field,
                        &$crate::raw::Raw::from(word.to_owned()),
                        format!("one of {}", [$($word),*].join(", ")),
                    )),
                }
            }
        }
    };
}
pub(crate) use words;
