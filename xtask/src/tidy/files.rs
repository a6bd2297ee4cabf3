//! The text of the repository, file by file.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Directories whose content nobody wrote; in a further worktree, `.git` is a
/// file.
const GENERATED: &[&str] = &[".git", "target"];

#[derive(Debug)]
pub(super) struct TextFile {
    /// Relative to the root, with `/` between the parts.
    pub(super) path: String,
    pub(super) text: String,
}

/// Every file of the repository that is text, in the order of their paths.
///
/// The directory is walked, not git asked: an unpacked archive has no git, and
/// a file not yet added is as much to be checked as the others.
pub(super) fn all(root: &Path) -> Result<Vec<TextFile>> {
    let mut files = Vec::new();
    walk(root, "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(root: &Path, below: &str, files: &mut Vec<TextFile>) -> Result<()> {
    let directory = root.join(below);
    let context = || format!("cannot read {}", directory.display());
    for entry in fs::read_dir(&directory).with_context(context)? {
        let entry = entry.with_context(context)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if GENERATED.contains(&name.as_str()) {
            continue;
        }
        let path = match below {
            "" => name.clone(),
            below => format!("{below}/{name}"),
        };
        let kind = entry.file_type().with_context(context)?;
        if kind.is_dir() {
            walk(root, &path, files)?;
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).with_context(context)?;
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(TextFile { path, text });
            }
        }
    }
    Ok(())
}
