//! How queries are put together.

/// Methods that set one optional field each.
macro_rules! setters {
    ($Query:ident { $($field:ident: $Type:ty,)* }) => {
        impl $Query {
            $(
                #[doc = concat!("Sets `", stringify!($field), "`.")]
                #[must_use]
                pub fn $field(mut self, value: impl Into<Option<$Type>>) -> Self {
                    self.$field = value.into();
                    self
                }
            )*
        }
    };
}
pub(crate) use setters;
