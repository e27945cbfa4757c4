//! Between protobuf and the engine's own types, both ways.
//!
//! Requests are checked here field by field, so that the engine gets ids and values in
//! range only; what a request means in the present state is the engine's to say.

pub(super) mod act;
pub(super) mod announce;
pub(super) mod check;
mod feedback;
pub(super) mod intake;
pub(super) mod order;
pub(super) mod owed;
pub(super) mod participants;
pub(super) mod person;
pub(super) mod report;
pub(super) mod say;
pub(super) mod tell;
pub(super) mod words;
