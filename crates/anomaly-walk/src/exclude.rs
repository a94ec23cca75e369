//! What is left out.

use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::{WalkError, WalkOptions};

/// The patterns of what is left out, relative to `root`.
pub(crate) fn patterns(root: &Path, options: &WalkOptions) -> Result<Gitignore, WalkError> {
    let mut patterns = GitignoreBuilder::new(root);
    for file in &options.exclude_from {
        if let Some(source) = patterns.add(file) {
            return Err(WalkError::ExcludeFile {
                path: file.clone(),
                source: source.into(),
            });
        }
    }
    let failed = |pattern: &String, source: ignore::Error| WalkError::Exclude {
        pattern: pattern.clone(),
        source: source.into(),
    };
    for pattern in &options.exclude {
        patterns
            .add_line(None, pattern)
            .map_err(|source| failed(pattern, source))?;
    }
    patterns.build().map_err(|source| WalkError::Exclude {
        pattern: options.exclude.join(", "),
        source: source.into(),
    })
}
