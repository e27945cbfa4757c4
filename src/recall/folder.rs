//! The folder of playbooks: found by name, read and checked at the moment when one is
//! wanted, so that what is started is what lies there.
//!
//! A generic playbook is built in, and is there under the name `generic` if the folder has
//! none: the recall that matches no plan needs no file. It remembers nothing.

use std::io;
use std::path::{Path, PathBuf};

use super::{Loaded, PlaybookError, parse};

/// The name of the playbook for the recall that matches no plan.
pub const GENERIC: &str = "generic";
/// The generic playbook of a folder that has none.
const BUILT_IN: &str = include_str!("../../playbooks/generic.toml");
/// What playbook files end with.
const ENDING: &str = "toml";
/// Largest file that is read: one that no journal entry could hold is no playbook.
const MOST_BYTES: u64 = 4 << 20;

/// The folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folder(PathBuf);

/// A playbook's file as it was found.
#[derive(Clone, Debug)]
pub struct Source {
    /// What reports call it.
    pub file: Box<str>,
    /// Its text.
    pub text: Box<str>,
}

/// Why a playbook was not found.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// No file there has this name.
    #[error(
        "no playbook is called {name:?}: {} has {}",
        folder.display(),
        has.join(", ")
    )]
    NoSuchPlaybook {
        /// What was asked for.
        name: Box<str>,
        /// Where it was looked for.
        folder: Box<Path>,
        /// What is there.
        has: Vec<Box<str>>,
    },
    /// Its file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which file.
        path: Box<Path>,
        /// Why.
        source: io::Error,
    },
}

impl Folder {
    /// The folder at a path; it need not be there.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The names of the playbooks in it, sorted; `generic` is always one of them.
    #[must_use]
    pub fn names(&self) -> Vec<Box<str>> {
        let mut names: Vec<Box<str>> = vec![GENERIC.into()];
        for entry in std::fs::read_dir(&self.0).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.file_stem().and_then(|stem| stem.to_str());
            if let Some(name) = name.filter(|_| path.extension().is_some_and(|e| e == ENDING)) {
                names.push(name.into());
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The file of a playbook as it is now. Blocks on the disk.
    ///
    /// # Errors
    /// See [`FolderError`].
    pub fn find(&self, name: &str) -> Result<Source, FolderError> {
        // A name is no path: nothing outside the folder can be asked for.
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let none = || FolderError::NoSuchPlaybook {
            name: name.into(),
            // In full: the router's working folder is not that of who asks.
            folder: std::path::absolute(&self.0).unwrap_or_else(|_| self.0.clone()).into(),
            has: self.names(),
        };
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            return Err(none());
        }
        let path = self.0.join(format!("{name}.{ENDING}"));
        match read(&path) {
            Ok(text) => Ok(Source { file: path.display().to_string().into(), text: text.into() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound && name == GENERIC => {
                Ok(Source { file: "the built-in generic playbook".into(), text: BUILT_IN.into() })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(none()),
            Err(source) => Err(FolderError::Read { path: path.into(), source }),
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    if std::fs::metadata(path)?.len() > MOST_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    std::fs::read_to_string(path)
}

impl Source {
    /// The playbook in it, its slots filled.
    ///
    /// # Errors
    /// [`PlaybookError::Invalid`] with everything that is wrong in it.
    pub fn parse(&self, fills: &[super::Fill<'_>]) -> Result<Loaded, PlaybookError> {
        parse(&self.file, &self.text, fills)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_playbook_is_found_by_its_name_and_nothing_else_is() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path().join("playbooks"));
        std::fs::create_dir(folder.path()).unwrap();
        std::fs::write(place.path().join("secret.toml"), "x = 1").unwrap();
        std::fs::write(folder.path().join("sensor.toml"), "title = 1").unwrap();
        std::fs::write(folder.path().join("notes.md"), "").unwrap();
        assert_eq!(&*folder.find("sensor").unwrap().text, "title = 1");
        assert_eq!(folder.names(), ["generic".into(), Box::<str>::from("sensor")]);
        for name in ["", "notes", "../secret", "/etc/passwd", ".", "..", "sensor.toml", "a/b"] {
            let told = folder.find(name).unwrap_err().to_string();
            assert!(told.contains(&format!("{name:?}")), "{told}");
            assert!(told.ends_with(" has generic, sensor"), "{told}");
        }
    }

    #[test]
    fn a_generic_playbook_is_always_there_and_a_file_goes_before_it() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path().join("not-there"));
        let loaded = folder.find(GENERIC).unwrap().parse(&[]).unwrap();
        assert!(!loaded.playbook.open_slots.is_empty());
        assert!(loaded.warnings.problems().is_empty(), "{}", loaded.warnings);
        let folder = Folder::new(place.path().to_owned());
        std::fs::write(place.path().join("generic.toml"), "mine").unwrap();
        assert_eq!(&*folder.find(GENERIC).unwrap().text, "mine");
    }
}
