//! Why an order about a recall is not carried out, beyond what the engine refuses.
//!
//! Every one names the field of the request, or of the playbook, that it is about, and says
//! what to do next.

use std::sync::Arc;

use thiserror::Error;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::super::status::{DOMAIN, Fault};
use crate::config::Report;
use crate::engine::refusal::Refusal;
use crate::ids::RecallId;
use crate::recall::{FolderError, PlanError, PrepareError, Slot};
use crate::shard::ask::Rejection;

/// Problems of a playbook that are told; `playbook check` tells all.
const MOST_PROBLEMS: usize = 5;

/// Why nothing was changed.
#[derive(Debug, Error)]
pub(super) enum RecallFault {
    /// As elsewhere.
    #[error(transparent)]
    Edge(#[from] Fault),
    /// Nobody is there for safety contacts: who would have to sign in.
    #[error("{fault}; kept for it: {kept}")]
    EmptyLane {
        /// As the engine has it.
        fault: Fault,
        /// Their names.
        kept: Box<str>,
    },
    /// There is no such playbook, or it cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The playbook is not sound.
    #[error("the playbook cannot be used: {}; `surgeline playbook check` tells more", problems(.0))]
    Playbook(Box<Report>),
    /// What fills the slots is not right.
    #[error("the slots cannot be filled so: {}", problems(.0))]
    Fills(Box<Report>),
    /// There is no such slot.
    #[error(
        "{name:?} is no slot: expected one of {}, with .en or another language of the \
         playbook behind it to fill it in that language alone",
        slot_names()
    )]
    NoSlot {
        /// What was given.
        name: Box<str>,
    },
    /// A slot is filled twice.
    #[error("{name:?} is filled twice")]
    SlotTwice {
        /// Which.
        name: Box<str>,
    },
    /// The text is not one that can be said.
    #[error("the text of {name:?} must be 1 to 600 characters, without braces")]
    SlotText {
        /// Of which slot.
        name: Box<str>,
    },
    /// A playbook that was approved as it is.
    #[error(
        "this playbook was approved as it is: only a generic one has slots that are filled \
         on the day; start it without slots"
    )]
    NotGeneric,
    /// Another version lies there.
    #[error(
        "the playbook that is there is version {there}, not {wanted}: look at what changed, \
         then give the version that is meant"
    )]
    OtherVersion {
        /// What was given.
        wanted: Box<str>,
        /// The version that is there.
        there: Box<str>,
    },
    /// The playbook names what the configuration does not have, or is not complete.
    #[error("{}{}", before(.0), .0)]
    Plan(#[from] PlanError),
    /// The playbook could not be prepared.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// No recall has this id.
    #[error("recall {id} is not known: `surgeline recall status` lists those in force")]
    NoSuchRecall {
        /// What was given.
        id: u64,
    },
    /// None is in force.
    #[error("no recall is in force: there is nothing to change")]
    NoneInForce,
    /// Which one?
    #[error("several recalls are in force, name one: {}", listed(.0))]
    Several(Box<[(RecallId, Arc<str>)]>),
    /// The engine's answer is to another question.
    #[error("the request id was used for another kind of request")]
    Odd,
    /// Reading the playbook panicked.
    #[error("the playbook could not be read")]
    Panicked(#[from] tokio::task::JoinError),
}

impl RecallFault {
    /// What the engine says to a start, with the names that it does not know.
    pub(super) fn of_start(fault: Fault, kept: &str) -> Self {
        match fault {
            Fault::Rejected(Rejection::Refused(Refusal::EmptySafetyLane)) => {
                Self::EmptyLane { fault, kept: kept.into() }
            }
            fault => Self::Edge(fault),
        }
    }

    const fn code(&self) -> Code {
        match self {
            Self::Folder(FolderError::NoSuchPlaybook { .. })
            | Self::NoSuchRecall { .. }
            | Self::NoneInForce => Code::NotFound,
            Self::EmptyLane { .. }
            | Self::Playbook(_)
            | Self::OtherVersion { .. }
            | Self::NotGeneric => Code::FailedPrecondition,
            Self::Plan(PlanError::Unknown(_) | PlanError::NoScope { .. }) => {
                Code::FailedPrecondition
            }
            Self::Fills(_)
            | Self::NoSlot { .. }
            | Self::SlotTwice { .. }
            | Self::SlotText { .. }
            | Self::Plan(PlanError::OpenSlots(_))
            | Self::Several(_) => Code::InvalidArgument,
            Self::Odd => Code::AlreadyExists,
            Self::Edge(_) | Self::Folder(_) | Self::Prepare(_) | Self::Panicked(_) => {
                Code::Internal
            }
        }
    }

    const fn reason(&self) -> &'static str {
        match self {
            Self::Edge(fault) | Self::EmptyLane { fault, .. } => fault.reason(),
            Self::Folder(FolderError::NoSuchPlaybook { .. }) => "NO_SUCH_PLAYBOOK",
            Self::Folder(FolderError::Read { .. }) | Self::Panicked(_) => "PLAYBOOK_UNREADABLE",
            Self::Playbook(_) | Self::Prepare(_) => "BAD_PLAYBOOK",
            Self::NoSlot { .. } => "NO_SUCH_SLOT",
            Self::Fills(_) | Self::SlotText { .. } => "BAD_SLOT",
            Self::SlotTwice { .. } => "SLOT_TWICE",
            Self::NotGeneric => "NOT_GENERIC",
            Self::OtherVersion { .. } => "OTHER_VERSION",
            Self::Plan(PlanError::OpenSlots(_)) => "OPEN_SLOTS",
            Self::Plan(_) => "NOT_IN_CONFIGURATION",
            Self::NoSuchRecall { .. } => "NO_SUCH_RECALL",
            Self::NoneInForce => "NO_RECALL",
            Self::Several(_) => "WHICH_RECALL",
            Self::Odd => "REQUEST_CONFLICT",
        }
    }

    fn fields(&self) -> Vec<&'static str> {
        match self {
            Self::Plan(error) => error.fields(),
            Self::Edge(_) => Vec::new(),
            Self::Folder(_) | Self::Playbook(_) | Self::Prepare(_) | Self::Panicked(_) => {
                vec!["playbook"]
            }
            Self::NoSlot { .. } | Self::SlotTwice { .. } => vec!["slots.name"],
            Self::Fills(_) | Self::SlotText { .. } => vec!["slots.text"],
            Self::EmptyLane { .. } => vec!["accept_empty_safety_lane"],
            Self::NotGeneric => vec!["slots"],
            Self::OtherVersion { .. } => vec!["playbook_hash"],
            Self::NoSuchRecall { .. } | Self::NoneInForce | Self::Several(_) => {
                vec!["recall_id"]
            }
            Self::Odd => vec!["request_id"],
        }
    }
}

impl From<RecallFault> for Status {
    fn from(fault: RecallFault) -> Self {
        if let RecallFault::Edge(fault) = fault {
            return fault.into();
        }
        let message = fault.to_string();
        let mut details = ErrorDetails::new();
        details.set_error_info(fault.reason(), DOMAIN, std::collections::HashMap::new());
        for field in fault.fields() {
            details.add_bad_request_violation(field, message.clone());
        }
        Self::with_error_details(fault.code(), message, details)
    }
}

/// Open slots are for who starts it to fill; names are between the playbook and the router.
const fn before(error: &PlanError) -> &'static str {
    match error {
        PlanError::OpenSlots(_) => "",
        PlanError::NoScope { .. } | PlanError::Unknown(_) => {
            "the playbook does not fit this router: "
        }
    }
}

/// A report in one line.
fn problems(report: &Report) -> String {
    let errors = || report.problems().iter().filter(|p| !p.fault.is_warning());
    let told: Vec<String> = errors()
        .take(MOST_PROBLEMS)
        .map(|problem| {
            let (line, _) = report.place(problem);
            format!("line {line}, {}: {}", problem.path, problem.fault)
        })
        .collect();
    match errors().count() - told.len() {
        0 => told.join("; "),
        more => format!("{} and {more} more", told.join("; ")),
    }
}

fn slot_names() -> String {
    Slot::ALL.map(Slot::name).join(", ")
}

fn listed(recalls: &[(RecallId, Arc<str>)]) -> String {
    let told: Vec<String> = recalls.iter().map(|(id, title)| format!("{id} ({title})")).collect();
    told.join(", ")
}
