//! Lists that are shipped as text: a key, a tab, and the family.

/// The keys and families of a list, in its order. Lines that begin with `#` are comments.
pub(crate) fn entries(list: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    list.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'))
}
