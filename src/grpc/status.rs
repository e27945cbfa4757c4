//! What the edge says when something cannot be done: as a status, or as a message on a stream.
//!
//! It translates refusals of the engine and of the edge itself; it decides none of them.
//! The reason is stable and for programs, the message is for people.

use std::collections::HashMap;
use std::time::Duration;

use thiserror::Error;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::unix_ms;
use crate::engine::refusal::{Refusal, RefusalKind};
use crate::ids::ContactId;
use crate::pb::v1;
use crate::shard::ask::Rejection;
use crate::shard::handle::Stopped;

/// Who gives the reasons, in `google.rpc.ErrorInfo`.
pub(super) const DOMAIN: &str = "surgeline";
/// What `google.rpc.ErrorInfo` calls the next window that has room for a callback.
const NEXT_WINDOW: &str = "next_window_unix_ms";
/// How long to wait before trying again when a limit of the engine is reached: such limits
/// give way as contacts end, which takes seconds.
const LIMIT_DELAY: Duration = Duration::from_secs(2);

/// Why a request was not carried out.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(crate) enum Fault {
    /// A field that is required was not given.
    #[error("{field} is required")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A value is not allowed.
    #[error("{field} must be {expected}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A name is not in the configuration.
    #[error("no {what} is called {name:?}: see the router's configuration")]
    Unknown {
        /// The field.
        field: &'static str,
        /// What it should name.
        what: &'static str,
        /// What was given.
        name: Box<str>,
    },
    /// The request makes no sense here and now.
    #[error("{expected}")]
    Misplaced {
        /// The field.
        field: &'static str,
        /// What should be done instead.
        expected: &'static str,
    },
    /// Nothing is known about a contact.
    #[error("contact {0} is not known: it was closed too long ago or never was")]
    NoContact(ContactId),
    /// The engine or the shard said no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Rejected(Rejection::Refused(refusal))
    }
}

impl From<Stopped> for Fault {
    fn from(_: Stopped) -> Self {
        Self::Rejected(Rejection::Stopping)
    }
}

impl Fault {
    /// What it means for the one who asked.
    pub(crate) const fn code(&self) -> v1::RefusalCode {
        match self {
            Self::Missing { .. } | Self::Invalid { .. } => v1::RefusalCode::Invalid,
            Self::Unknown { .. } | Self::NoContact(_) => v1::RefusalCode::NotFound,
            Self::Misplaced { .. } => v1::RefusalCode::WrongState,
            Self::Rejected(Rejection::Busy { .. } | Rejection::LowSpace { .. }) => {
                v1::RefusalCode::Exhausted
            }
            Self::Rejected(Rejection::Draining { .. }) => v1::RefusalCode::Stopping,
            Self::Rejected(Rejection::Stopping) => v1::RefusalCode::Stopping,
            Self::Rejected(Rejection::Refused(refusal)) => match refusal.kind() {
                RefusalKind::NotFound => v1::RefusalCode::NotFound,
                RefusalKind::NotYours => v1::RefusalCode::NotYours,
                RefusalKind::WrongState => v1::RefusalCode::WrongState,
                RefusalKind::Conflict => v1::RefusalCode::Conflict,
                RefusalKind::Invalid => v1::RefusalCode::Invalid,
                RefusalKind::Exhausted => v1::RefusalCode::Exhausted,
            },
        }
    }

    /// The field of the request that it is about; empty if it is about none.
    pub(crate) const fn field(&self) -> &'static str {
        match self {
            Self::Missing { field }
            | Self::Invalid { field, .. }
            | Self::Unknown { field, .. }
            | Self::Misplaced { field, .. } => field,
            Self::NoContact(_) => "contact_id",
            Self::Rejected(Rejection::Refused(refusal)) => refusal.field(),
            Self::Rejected(_) => "",
        }
    }

    /// Which rule, for programs.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "MISSING",
            Self::Invalid { .. } => "OUT_OF_RANGE",
            Self::Unknown { .. } => "UNKNOWN_NAME",
            Self::Misplaced { .. } => "MISPLACED",
            Self::NoContact(_) => "NO_SUCH_CONTACT",
            Self::Rejected(Rejection::Busy { .. }) => "BUSY",
            Self::Rejected(Rejection::LowSpace { .. }) => "DISK_SPACE",
            Self::Rejected(Rejection::Draining { .. }) => "DRAINING",
            Self::Rejected(Rejection::Stopping) => "STOPPING",
            Self::Rejected(Rejection::Refused(refusal)) => reason(refusal),
        }
    }

    /// How long to wait before trying again, where trying again can help.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rejected(
                Rejection::Busy { retry_after }
                | Rejection::LowSpace { retry_after }
                | Rejection::Draining { retry_after },
            ) => Some(*retry_after),
            Self::Rejected(Rejection::Refused(Refusal::Limit { .. })) => Some(LIMIT_DELAY),
            _ => None,
        }
    }

    /// When the next window begins that has room for a callback, milliseconds since the Unix
    /// epoch; 0 where there is none, or where that was not asked.
    fn next_window(&self) -> u64 {
        match self {
            Self::Rejected(Rejection::Refused(Refusal::NoRoom { next: Some(next), .. })) => {
                unix_ms().saturating_add(next.as_millis())
            }
            _ => 0,
        }
    }

    /// As the message that a stream gets.
    pub(crate) fn refused(&self, request_id: &str) -> v1::Refused {
        let retry_after_ms = self.retry_after().map_or(0, |d| d.as_millis());
        v1::Refused {
            request_id: request_id.to_owned(),
            code: self.code().into(),
            reason: self.reason().to_owned(),
            field: self.field().to_owned(),
            message: self.to_string(),
            retry_after_ms: u32::try_from(retry_after_ms).unwrap_or(u32::MAX),
            next_window_unix_ms: self.next_window(),
        }
    }
}

impl From<Fault> for Status {
    fn from(fault: Fault) -> Self {
        let code = match fault.code() {
            v1::RefusalCode::NotFound => Code::NotFound,
            v1::RefusalCode::NotYours => Code::PermissionDenied,
            v1::RefusalCode::WrongState => Code::FailedPrecondition,
            v1::RefusalCode::Conflict => Code::AlreadyExists,
            v1::RefusalCode::Invalid => Code::InvalidArgument,
            v1::RefusalCode::Exhausted => Code::ResourceExhausted,
            v1::RefusalCode::Stopping => Code::Unavailable,
            v1::RefusalCode::Unspecified => Code::Unknown,
        };
        let message = fault.to_string();
        let mut details = ErrorDetails::new();
        let window = Some(fault.next_window()).filter(|at| *at > 0);
        let window = window.map(|at| (NEXT_WINDOW.to_owned(), at.to_string()));
        details.set_error_info(
            fault.reason(),
            DOMAIN,
            window.into_iter().collect::<HashMap<_, _>>(),
        );
        if !fault.field().is_empty() {
            details.add_bad_request_violation(fault.field(), message.clone());
        }
        if let Some(delay) = fault.retry_after() {
            details.set_retry_info(Some(delay));
        }
        Self::with_error_details(code, message, details)
    }
}

/// The stream was read too slowly: what it missed is told again when it reconnects.
pub(crate) fn too_slow() -> Status {
    Status::aborted("resync: this stream was read too slowly, connect again")
}

/// Somebody of the same name came later.
pub(crate) fn superseded(what: &'static str) -> Status {
    Status::aborted(format!("a newer session of this {what} is in force"))
}

/// The router goes down.
pub(crate) fn stopping() -> Status {
    Fault::Rejected(Rejection::Stopping).into()
}

const fn reason(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NoSuchContact(_) => "NO_SUCH_CONTACT",
        Refusal::NotYourContact(_) => "NOT_YOUR_CONTACT",
        Refusal::WrongState { .. } => "WRONG_STATE",
        Refusal::ReservationOver(_) => "RESERVATION_OVER",
        Refusal::NotYourReservation(_) => "NOT_YOUR_RESERVATION",
        Refusal::NoSuchEffect(_) => "NO_SUCH_EFFECT",
        Refusal::NotYourEffect(_) => "NOT_YOUR_EFFECT",
        Refusal::KeyConflict { .. } => "KEY_CONFLICT",
        Refusal::RequestConflict => "REQUEST_CONFLICT",
        Refusal::NoSuchQueue(_) => "NO_SUCH_QUEUE",
        Refusal::ChannelNotTaken { .. } => "CHANNEL_NOT_TAKEN",
        Refusal::NeedsStream => "NEEDS_STREAM",
        Refusal::NoSuchAgent(_) => "NO_SUCH_AGENT",
        Refusal::AgentNotConnected(_) => "AGENT_NOT_CONNECTED",
        Refusal::StaleSession(_) => "STALE_SESSION",
        Refusal::HandsFull(_) => "HANDS_FULL",
        Refusal::NoWrapUp(_) => "NO_WRAP_UP",
        Refusal::NoConsult(_) => "NO_CONSULT",
        Refusal::ConsultOpen(_) => "CONSULT_OPEN",
        Refusal::NotLinked(_) => "NOT_LINKED",
        Refusal::SameAgent(_) => "SAME_AGENT",
        Refusal::OutOfRange { .. } => "OUT_OF_RANGE",
        Refusal::BadConfiguration(_) => "BAD_CONFIGURATION",
        Refusal::Limit { .. } => "LIMIT",
        Refusal::NoSuchRecall(_) => "NO_SUCH_RECALL",
        Refusal::ScopeTaken { .. } => "SCOPE_TAKEN",
        Refusal::EmptySafetyLane => "EMPTY_SAFETY_LANE",
        Refusal::AmendedMeanwhile(_) => "AMENDED_MEANWHILE",
        Refusal::SameLevel { .. } => "SAME_LEVEL",
        Refusal::NoNumber(_) => "NO_NUMBER",
        Refusal::InvalidNumber(_) => "INVALID_NUMBER",
        Refusal::NoCallbacks(_) => "NO_CALLBACKS",
        Refusal::NoRate(_) => "NO_RATE",
        Refusal::NoRoom { .. } => "NO_ROOM",
        Refusal::NoSuchPromise(_) => "NO_SUCH_PROMISE",
        Refusal::NoSuchRecovery(_) => "NO_SUCH_RECOVERY",
        Refusal::NotYourRecovery(_) => "NOT_YOUR_RECOVERY",
        Refusal::NeedsApproval(_) => "NEEDS_APPROVAL",
        Refusal::ReasonFull { .. } => "REASON_FULL",
        Refusal::SigningOut(_) => "SIGNING_OUT",
        Refusal::OthersThere(_) => "OTHERS_THERE",
        Refusal::NoSuchParticipant { .. } => "NO_SUCH_PARTICIPANT",
        Refusal::NotListening { .. } => "NOT_LISTENING",
        Refusal::NoSuchOrder(_) => "NO_SUCH_ORDER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::words::Channel;
    use crate::ids::{AgentId, EffectId, ReservationId};

    type Row = (Refusal, Code, &'static str, &'static str);

    fn about_contacts() -> Vec<Row> {
        let c = ContactId(7);
        let r = ReservationId(8);
        let e = EffectId(9);
        vec![
            (Refusal::NoSuchContact(c), Code::NotFound, "NO_SUCH_CONTACT", "contact_id"),
            (Refusal::NotLinked(c), Code::FailedPrecondition, "NOT_LINKED", "linked_contact_ids"),
            (Refusal::NotYourContact(c), Code::PermissionDenied, "NOT_YOUR_CONTACT", "contact_id"),
            (
                Refusal::WrongState { contact: c, is: "queued", expected: "assigned" },
                Code::FailedPrecondition,
                "WRONG_STATE",
                "contact_id",
            ),
            (
                Refusal::ReservationOver(r),
                Code::FailedPrecondition,
                "RESERVATION_OVER",
                "reservation_id",
            ),
            (
                Refusal::NotYourReservation(r),
                Code::PermissionDenied,
                "NOT_YOUR_RESERVATION",
                "reservation_id",
            ),
            (Refusal::NoSuchEffect(e), Code::NotFound, "NO_SUCH_EFFECT", "effect_id"),
            (Refusal::NotYourEffect(e), Code::PermissionDenied, "NOT_YOUR_EFFECT", "effect_id"),
            (
                Refusal::KeyConflict { key: "k".into(), contact: c },
                Code::AlreadyExists,
                "KEY_CONFLICT",
                "key",
            ),
            (Refusal::RequestConflict, Code::AlreadyExists, "REQUEST_CONFLICT", "request_id"),
        ]
    }

    fn about_others() -> Vec<Row> {
        let c = ContactId(7);
        let name = || std::sync::Arc::from("anne");
        vec![
            (Refusal::NoSuchQueue(name()), Code::NotFound, "NO_SUCH_QUEUE", "queue"),
            (
                Refusal::ChannelNotTaken { queue: name(), channel: Channel::Chat },
                Code::InvalidArgument,
                "CHANNEL_NOT_TAKEN",
                "channel",
            ),
            (Refusal::NeedsStream, Code::FailedPrecondition, "NEEDS_STREAM", "channel"),
            (Refusal::NoSuchAgent(AgentId(1)), Code::NotFound, "NO_SUCH_AGENT", "agent"),
            (
                Refusal::AgentNotConnected(name()),
                Code::FailedPrecondition,
                "AGENT_NOT_CONNECTED",
                "agent",
            ),
            (Refusal::StaleSession(name()), Code::FailedPrecondition, "STALE_SESSION", "agent"),
            (Refusal::HandsFull(name()), Code::FailedPrecondition, "HANDS_FULL", "agent"),
            (Refusal::NoWrapUp(c), Code::FailedPrecondition, "NO_WRAP_UP", "contact_id"),
            (Refusal::NoConsult(c), Code::FailedPrecondition, "NO_CONSULT", "contact_id"),
            (Refusal::ConsultOpen(c), Code::FailedPrecondition, "CONSULT_OPEN", "contact_id"),
            (Refusal::SameAgent(name()), Code::InvalidArgument, "SAME_AGENT", "agent"),
            (
                Refusal::OutOfRange { field: "lasting_ms", expected: "more" },
                Code::InvalidArgument,
                "OUT_OF_RANGE",
                "lasting_ms",
            ),
            (
                Refusal::BadConfiguration("queues"),
                Code::InvalidArgument,
                "BAD_CONFIGURATION",
                "queues",
            ),
            (
                Refusal::Limit { what: "contacts", most: 3 },
                Code::ResourceExhausted,
                "LIMIT",
                "contacts",
            ),
        ]
    }

    #[test]
    fn every_refusal_is_a_status_that_names_its_field() {
        for (refusal, code, reason, field) in about_contacts().into_iter().chain(about_others()) {
            let text = refusal.to_string();
            let retry = matches!(refusal, Refusal::Limit { .. });
            let fault = Fault::from(refusal);

            let message = fault.refused("r-1");
            assert_eq!(message.request_id, "r-1");
            assert_eq!((&*message.reason, &*message.field), (reason, field), "{text}");
            assert_eq!(message.message, text);
            assert_eq!(message.retry_after_ms > 0, retry, "{text}");

            let status = Status::from(fault);
            assert_eq!((status.code(), status.message()), (code, &*text));
            let details = status.get_error_details();
            assert_eq!(details.error_info().expect("a reason").reason, reason);
            assert_eq!(details.bad_request().expect("a field").field_violations[0].field, field);
            assert_eq!(details.retry_info().is_some(), retry, "{text}");
        }
    }

    #[test]
    fn who_finds_no_room_for_a_callback_hears_of_the_next_window() {
        let no_room = |next| Fault::from(Refusal::NoRoom { queue: "calls".into(), next });
        let before = unix_ms();
        let next = Some(crate::time::Span::seconds(900));
        let named = no_room(next).refused("r-1").next_window_unix_ms;
        assert!((before + 900_000..=unix_ms() + 900_000).contains(&named), "{named}");
        let metadata = |next| {
            let details = Status::from(no_room(next)).get_error_details();
            details.error_info().expect("a reason").metadata.clone()
        };
        let told: u64 = metadata(next)[NEXT_WINDOW].parse().expect("a number");
        assert!((named..=unix_ms() + 900_000).contains(&told), "{told}");
        assert_eq!(no_room(None).refused("r-1").next_window_unix_ms, 0);
        assert!(metadata(None).is_empty());
    }

    #[test]
    fn what_the_edge_itself_refuses_has_a_code_a_reason_and_a_field() {
        let busy = Rejection::Busy { retry_after: Duration::from_millis(250) };
        let table = [
            (Fault::Missing { field: "key" }, Code::InvalidArgument, "MISSING", "key"),
            (
                Fault::Invalid { field: "code", expected: "less" },
                Code::InvalidArgument,
                "OUT_OF_RANGE",
                "code",
            ),
            (
                Fault::Unknown { field: "to.queue", what: "queue", name: "x".into() },
                Code::NotFound,
                "UNKNOWN_NAME",
                "to.queue",
            ),
            (
                Fault::Misplaced { field: "hello", expected: "once" },
                Code::FailedPrecondition,
                "MISPLACED",
                "hello",
            ),
            (Fault::NoContact(ContactId(1)), Code::NotFound, "NO_SUCH_CONTACT", "contact_id"),
            (Fault::Rejected(busy), Code::ResourceExhausted, "BUSY", ""),
            (Fault::Rejected(Rejection::Stopping), Code::Unavailable, "STOPPING", ""),
        ];
        for (fault, code, reason, field) in table {
            let delay = fault.retry_after();
            let message = fault.refused("");
            assert_eq!((&*message.reason, &*message.field), (reason, field));
            let status = Status::from(fault);
            let details = status.get_error_details();
            assert_eq!(status.code(), code, "{reason}");
            assert_eq!(details.bad_request().is_some(), !field.is_empty(), "{reason}");
            assert_eq!(details.retry_info().and_then(|r| r.retry_delay), delay, "{reason}");
        }
    }
}
