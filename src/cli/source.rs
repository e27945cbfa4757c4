//! The configuration that a router starts with: its file, what is built in, or, when the file
//! cannot be used, what the last good one said of the process.
//!
//! It prints nothing and starts nothing. A broken file is an error only where there is no last
//! good one: a router without a journal has nothing to serve by.

use std::path::{Path, PathBuf};

use super::args::Serve;
use crate::app::{LAST_GOOD, Source, told};
use crate::config::{self, ConfigError, Loaded};

/// There is nothing to start with.
#[derive(Debug)]
pub(super) struct Unusable {
    pub(super) file: PathBuf,
    pub(super) error: ConfigError,
}

/// What to start with, and what is wrong with the file if that is something else.
type Found = (Loaded, (Source, Option<ConfigError>));

pub(super) fn of(args: &Serve) -> Result<Found, Unusable> {
    let Some(file) = args.config.clone() else {
        let unusable = |error| Unusable { file: PathBuf::new(), error };
        let loaded = config::built_in().map_err(unusable)?;
        let started = loaded.config.clone();
        // What was applied since is in the journal, and in no file that a start could read.
        let source = Source { started, keep_journaled: true, ..Source::default() };
        return Ok((loaded, (source, None)));
    };
    let text = match config::read_file(&file) {
        Ok(text) => text,
        Err(error) => return last_good(args, file, None, error),
    };
    match config::parse_file(&file, &text) {
        Ok(loaded) => {
            let (started, text) = (as_written(&file, &text, &loaded), Some(text.into()));
            let source = Source { file: Some(file), text, started, ..Source::default() };
            Ok((loaded, (source, None)))
        }
        Err(error) => last_good(args, file, Some(&text), error),
    }
}

/// The same with paths as they are written, which what is applied later is compared with.
fn as_written(file: &Path, text: &str, loaded: &Loaded) -> config::Config {
    let parsed = config::parse(&file.display().to_string(), text);
    parsed.map_or_else(|_| loaded.config.clone(), |parsed| parsed.config)
}

fn last_good(
    args: &Serve,
    file: PathBuf,
    text: Option<&str>,
    error: ConfigError,
) -> Result<Found, Unusable> {
    let kept = args
        .data
        .clone()
        .or_else(|| text.and_then(data_of))
        .and_then(|data| std::fs::read_to_string(data.join(LAST_GOOD)).ok());
    let Some((loaded, kept)) =
        kept.and_then(|kept| Some((config::parse_file(&file, &kept).ok()?, kept)))
    else {
        return Err(Unusable { file, error });
    };
    let source = Source {
        started: as_written(&file, &kept, &loaded),
        text: None,
        keep_journaled: true,
        fault: Some(told(&file, &error)),
        file: Some(file),
    };
    // Nothing is to be said of a file that is not in force.
    Ok((loaded, (source, Some(error))))
}

/// The data directory that a file names, as far as it can be read.
fn data_of(text: &str) -> Option<PathBuf> {
    let table: toml::Table = text.parse().ok()?;
    table.get("server")?.get("data")?.as_str().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(file: &Path, data: Option<&Path>) -> Serve {
        let (config, data) = (Some(file.into()), data.map(Into::into));
        Serve { config, data, ..Serve::default() }
    }

    #[test]
    fn a_broken_file_starts_by_the_last_good_one_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let (file, data) = (folder.path().join("centre.toml"), folder.path().join("data"));
        std::fs::create_dir(&data).unwrap();
        std::fs::write(&file, "skills = [\"a\", \"a\"]\n").unwrap();
        let first = of(&serve(&file, Some(&data))).unwrap_err();
        assert!(matches!(first.error, ConfigError::Invalid(_)), "there is no last good one");
        std::fs::write(data.join(LAST_GOOD), "[server]\ngrpc = \"127.0.0.1:7\"\n").unwrap();
        let (loaded, (source, error)) = of(&serve(&file, Some(&data))).unwrap();
        assert_eq!(loaded.config.server.grpc.port(), 7);
        assert_eq!(loaded.config.server.playbooks, folder.path().join("playbooks"));
        assert!(source.keep_journaled && source.text.is_none() && error.is_some());
        let fault = source.fault.unwrap();
        assert!(fault.contains("centre.toml has 1 error:"), "{fault}");
        // Without --data it is the file that says where the last good one is.
        let broken =
            format!("skills = [\"a\", \"a\"]\n[server]\ndata = {:?}\n", data.display().to_string());
        std::fs::write(&file, broken).unwrap();
        assert!(of(&serve(&file, None)).is_ok());
        std::fs::write(&file, "no = toml = at all").unwrap();
        assert!(of(&serve(&file, None)).is_err(), "nobody knows where the data is");
        std::fs::remove_file(&file).unwrap();
        let (_, (source, _)) = of(&serve(&file, Some(&data))).unwrap();
        assert!(source.fault.unwrap().contains("cannot be read"));
    }

    #[test]
    fn without_a_file_what_was_applied_stays() {
        let (_, (source, _)) = of(&Serve::default()).unwrap();
        assert!(source.keep_journaled && source.file.is_none());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("centre.toml");
        std::fs::write(&file, "skills = [\"a\"]\n").unwrap();
        let (_, (source, error)) = of(&serve(&file, None)).unwrap();
        assert!(!source.keep_journaled && error.is_none(), "a file is what is wanted");
        assert_eq!(source.started.server.playbooks, Path::new("playbooks"));
    }
}
