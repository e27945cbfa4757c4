//! The generated protobuf and gRPC code of `proto/`.
//!
//! Nobody edits it; `grpc` and the command line's clients use it, and nothing inside the
//! engine may. Personal data prints redacted, which is why its `Debug` is written here.

use std::fmt;

/// The contract with gateways, agents, supervisors and on-call staff.
#[allow(
    missing_docs,
    unreachable_pub,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::too_many_lines,
    reason = "generated"
)]
pub mod v1 {
    tonic::include_proto!("surgeline.v1");
}

/// The descriptors of every file under `proto/`, for reflection.
pub const DESCRIPTORS: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/surgeline.descriptors.bin"));

impl fmt::Debug for v1::Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(redacted)")
    }
}

impl fmt::Debug for v1::Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Customer(redacted)")
    }
}
