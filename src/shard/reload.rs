//! Another configuration for a router that runs: what it would do, and doing it.
//!
//! One change at a time: each is merged with the one before it, so that a name keeps its id.
//! What is decided is the engine's; this reads no file and knows no signals but that it looks
//! whether the router's own file agrees with what was applied.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use thiserror::Error as ThisError;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::ask::Rejection;
use super::calendar::{self, Told};
use super::handle::{ShardHandle, Stopped};
use super::health::Health;
use super::owner::Decider;
use super::recovery::StartError;
use crate::config::diff::FieldChange;
use crate::config::preview::{Preview, Standing, preview};
use crate::config::{self, Config, MergeError, merge};
use crate::engine::command::Command;
use crate::engine::entry::Actor;
use crate::engine::routing::Routing;
use crate::ids::RequestId;

/// What changes of the configuration go by.
#[derive(Debug, Default)]
pub struct Reloads {
    turn: Mutex<()>,
    own: OnceLock<Own>,
    told: Mutex<Told>,
}

/// What a router was started with.
#[derive(Clone, Debug)]
pub struct Own {
    /// Its own file; none if it was given none.
    pub file: Option<PathBuf>,
    /// What the process goes by, whatever is applied later.
    pub started: Config,
}

/// What a configuration comes to.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What it changes.
    pub preview: Preview,
    /// What stays as it is until a restart.
    pub needs_restart: Vec<FieldChange>,
    /// The router's own file, if that says otherwise.
    pub own_file: Option<Box<Path>>,
}

/// Why a configuration was not applied, or nobody knows what it would do.
#[derive(Clone, PartialEq, Eq, Debug, ThisError)]
pub enum NotApplied {
    /// It cannot follow the one in force.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// The router said no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
}

impl From<Stopped> for NotApplied {
    fn from(_: Stopped) -> Self {
        Self::Rejected(Rejection::Stopping)
    }
}

/// A configuration that cannot be applied at a start: the journal's stays in force, if it has one,
/// because customers are better served by yesterday's than by nobody.
pub(super) fn journaled_stays(
    why: StartError,
    configured: bool,
    health: &Health,
) -> Result<(), StartError> {
    if !configured || !matches!(why, StartError::Wanted(_) | StartError::Configuration(_)) {
        return Err(why);
    }
    let cause = why.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    let told = format!("{why}{cause}");
    tracing::error!(why = told, "the journal's configuration stays in force");
    health.set_configuration_fault(Some(told.into()));
    Ok(())
}

impl Reloads {
    /// Says what the router was started with; the first word counts.
    pub fn started(&self, own: Own) {
        // There is one start in a process's life.
        let _ = self.own.set(own);
    }

    /// What the engine was last told of calendars.
    pub(super) fn told(&self) -> &Mutex<Told> {
        &self.told
    }
}

impl ShardHandle {
    /// What a configuration would change. Changes nothing.
    ///
    /// # Errors
    /// See [`NotApplied`].
    pub async fn preview_config(&self, wanted: &Arc<Config>) -> Result<Planned, NotApplied> {
        let standing = self.read(|view| Standing::of(view.engine)).await?;
        let (now, wanted) = (self.directory().routing.clone(), Arc::clone(wanted));
        let own = self.reloads.own.get().cloned();
        // Every agent is compared with every queue: too long for a thread that serves others.
        let planned = spawn_blocking(move || {
            let preview = preview(&now, &standing, &wanted.routing)?;
            let needs_restart =
                own.as_ref().map(|own| config::needs_restart(&own.started, &wanted));
            let own_file = own.and_then(|own| own.file).filter(|file| {
                let said = config::load(file).ok();
                let said = said.and_then(|said| merge(Some(&now), &said.config.routing).ok());
                said.is_none_or(|said| said != preview.routing)
            });
            Ok(Planned {
                preview,
                needs_restart: needs_restart.unwrap_or_default(),
                own_file: own_file.map(PathBuf::into_boxed_path),
            })
        });
        planned.await.unwrap_or(Err(Rejection::Stopping.into()))
    }

    /// Applies a configuration, and says what that changed.
    ///
    /// # Errors
    /// See [`NotApplied`]; nothing was changed.
    pub async fn apply_config(
        &self,
        wanted: &Arc<Config>,
        actor: Actor,
        request: Option<RequestId>,
        why: Arc<str>,
    ) -> Result<Planned, NotApplied> {
        let _turn = self.reloads.turn.lock().await;
        let planned = self.preview_config(wanted).await?;
        let routing = Arc::new(planned.preview.routing.clone());
        self.call(actor, request, Command::Reload { routing, why }, None).await?;
        // A calendar of which nothing was said yet is taken for open.
        calendar::tell(self).await;
        // A file that was mended by hand, and applied from another place.
        if self.health.configuration_fault().is_some() && planned.own_file.is_none() {
            self.health.set_configuration_fault(None);
        }
        Ok(planned)
    }

    /// What changes of the configuration go by.
    #[must_use]
    pub fn reloads(&self) -> &Reloads {
        &self.reloads
    }
}

/// Has a start follow what is wanted.
pub(super) fn configure(decider: &mut Decider, wanted: Routing) -> Result<(), StartError> {
    let command = Command::Configure(Arc::new(wanted));
    match decider.own(command) {
        Ok(_) => Ok(()),
        Err(Rejection::Refused(refusal)) => Err(StartError::Configuration(refusal)),
        Err(other) => Err(StartError::Restart(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Kind, built_in};
    use crate::engine::entry::Role;
    use crate::engine::event::Event;
    use crate::engine::queue_life::Calendar;
    use crate::engine::refusal::RefusalKind;
    use crate::engine::routing::Routing;
    use crate::ids::CalendarId;
    use crate::shard::testing::Recorded;
    use crate::shard::tests::bench::{Memory, actor, start, start_with};

    fn wanted(change: impl FnOnce(&mut Config)) -> Arc<Config> {
        let mut config = built_in().expect("it is sound").config;
        change(&mut config);
        Arc::new(config)
    }

    async fn apply(handle: &ShardHandle, wanted: &Arc<Config>) -> Result<Planned, NotApplied> {
        handle.apply_config(wanted, actor(Role::Admin), None, "a test".into()).await
    }

    #[tokio::test]
    async fn a_change_is_an_entry_with_who_and_why_and_names_keep_their_ids() {
        let memory = Arc::new(Memory::default());
        let (handle, shard) = start(&memory, Arc::new(Recorded::default()));
        let support = handle.directory().queue("support");
        let planned = apply(&handle, &wanted(|_| ())).await.expect("it is applied");
        assert!(!planned.preview.changes.is_empty());
        assert_eq!(handle.directory().queue("support"), None, "it is retired");
        assert!(handle.directory().queue("support-voice").is_some());
        let again = apply(&handle, &wanted(|_| ())).await.expect("it is in force already");
        assert_eq!(again.preview.changes, []);
        let entries: Vec<_> =
            memory.batches().iter().flat_map(|batch| batch.entries.clone()).collect();
        let last = entries.last().expect("it is written");
        assert_eq!(last.actor, actor(Role::Admin));
        assert!(
            matches!(&last.events[..2], [Event::Ordered { why }, Event::Configured(_)] if &**why == "a test"),
            "{:?}",
            last.events
        );
        let back = wanted(|config| config.routing.queues[0].name = "support".into());
        apply(&handle, &back).await.expect("it is applied");
        assert_eq!(handle.directory().queue("support"), support);
        shard.stop();
    }

    #[tokio::test]
    async fn a_configuration_that_cannot_follow_leaves_the_journals_in_force_at_a_start() {
        let memory = Arc::new(Memory::default());
        let (handle, shard) = start(&memory, Arc::new(Recorded::default()));
        let before = handle.directory().routing.clone();
        shard.stop();
        let another = || {
            let mut routing = (*before).clone();
            routing.queues[0].name = "another".into();
            routing
        };
        let refused = |wanted: Result<Routing, MergeError>| {
            let (handle, shard) = start_with(&memory, Arc::new(Recorded::default()), wanted);
            assert_eq!(handle.directory().routing, before);
            let fault = handle.health().configuration_fault().expect("it says so");
            assert!(handle.health().ready().is_ok(), "and serves");
            shard.stop();
            fault
        };
        let full = MergeError::TableFull { kind: Kind::Skill, found: 65_537, most: 65_536 };
        assert!(refused(Err(full)).contains("65537 skill names"));
        assert!(refused(Ok(another())).contains("queues do not agree"), "an id has another name");
    }

    #[tokio::test]
    async fn a_queue_that_is_closed_is_so_before_the_answer() {
        let memory = Arc::new(Memory::default());
        let (handle, shard) = start(&memory, Arc::new(Recorded::default()));
        let never = wanted(|config| {
            let (name, zone) = ("never".into(), "Europe/Berlin".into());
            config.routing.calendars = vec![Calendar { name, zone, ..Calendar::default() }];
            config.routing.queues[0].life.hours = Some(CalendarId(0));
        });
        apply(&handle, &never).await.expect("it is applied");
        let name = never.routing.queues[0].name.clone();
        let queue = handle.directory().queue(&name).expect("it is there");
        assert_eq!(handle.read(move |view| view.engine.is_open(queue)).await, Ok(false));
        let entries = memory.batches().len();
        apply(&handle, &never).await.expect("it is in force");
        assert_eq!(memory.batches().len(), entries, "what was told is no news");
        shard.stop();
    }

    #[tokio::test]
    async fn two_at_once_are_one_after_the_other() {
        let memory = Arc::new(Memory::default());
        let (handle, shard) = start(&memory, Arc::new(Recorded::default()));
        let named = |name: &str| wanted(|config| config.routing.queues[0].name = name.into());
        let (one, other) = (named("one"), named("other"));
        let both = tokio::join!(apply(&handle, &one), apply(&handle, &other));
        assert!(both.0.is_ok() && both.1.is_ok(), "{both:?}");
        let directory = handle.directory();
        assert!(directory.queue("one").is_some() != directory.queue("other").is_some());
        shard.stop();
    }

    #[tokio::test]
    async fn a_reason_that_is_too_long_changes_nothing() {
        let memory = Arc::new(Memory::default());
        let (handle, shard) = start(&memory, Arc::new(Recorded::default()));
        let before = handle.directory().routing.clone();
        let long = "x".repeat(513).into();
        let refused = handle.apply_config(&wanted(|_| ()), actor(Role::Admin), None, long).await;
        let Err(NotApplied::Rejected(Rejection::Refused(refusal))) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(refusal.kind(), RefusalKind::Invalid);
        assert_eq!(handle.directory().routing, before);
        shard.stop();
    }

    #[tokio::test]
    async fn what_needs_a_restart_and_a_file_that_says_otherwise_are_told() {
        let memory = Arc::new(Memory::default());
        let (handle, shard) = start(&memory, Arc::new(Recorded::default()));
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("centre.toml");
        std::fs::write(&file, "skills = [\"another\"]\n").expect("it can be written");
        let started = built_in().expect("it is sound").config;
        handle.reloads().started(Own { file: Some(file.clone()), started });
        let moved = wanted(|config| config.server.http.set_port(1));
        let planned = handle.preview_config(&moved).await.expect("it is looked at");
        assert_eq!(planned.own_file.as_deref(), Some(&*file));
        let fields: Vec<&str> = planned.needs_restart.iter().map(|f| f.field).collect();
        assert_eq!(fields, ["server.http"]);
        handle.health().set_configuration_fault(Some("it is broken".into()));
        apply(&handle, &moved).await.expect("it is applied");
        assert!(handle.health().configuration_fault().is_some(), "the file is another still");
        std::fs::write(&file, include_str!("../config/default.toml")).expect("it is written");
        apply(&handle, &moved).await.expect("it is in force");
        assert!(handle.health().configuration_fault().is_none(), "the file agrees");
        shard.stop();
    }
}
