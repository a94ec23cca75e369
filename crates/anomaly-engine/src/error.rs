//! What can go wrong with a stored model.

/// Why a stored [`StreamModel`](crate::StreamModel) could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The bytes were written by a newer version of this crate.
    #[error(
        "the model state has format {found}, and this version reads up to {supported}: use the \
         version that wrote it, or a newer one"
    )]
    NewerState {
        /// The format found.
        found: u8,
        /// The newest format that can be read.
        supported: u8,
    },
    /// The bytes are not a model state.
    #[error(
        "the model state is damaged: restore it from a backup, or forget the stream to learn it anew"
    )]
    DamagedState {
        /// Where reading failed; `None` when something was left over.
        source: Option<postcard::Error>,
    },
    /// There are no bytes at all.
    #[error(
        "the model state is empty: restore it from a backup, or forget the stream to learn it anew"
    )]
    EmptyState,
    /// A model could not be written.
    #[error("the model state could not be written")]
    Encode(#[source] postcard::Error),
}
