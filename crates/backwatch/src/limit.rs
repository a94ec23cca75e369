//! Lists that end before all is listed.

/// What to ask for to see whether there are more than `limit`.
pub(crate) fn one_more(limit: usize) -> usize {
    limit.saturating_add(1)
}

/// Leaves the first `limit`, and says whether there are more.
pub(crate) fn cut<T>(items: &mut Vec<T>, limit: usize) -> bool {
    let has_more = items.len() > limit;
    items.truncate(limit);
    has_more
}

/// That there are more, and how to see them.
pub(crate) fn more(limit: usize) -> String {
    format!("There are more than {limit}: see them with a larger --limit.")
}
