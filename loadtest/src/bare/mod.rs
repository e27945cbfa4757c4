//! What the machine can do without a router: a bare echo over gRPC and a bare disk sync.
//! Everything that the router takes is judged as a ratio to these, in the same run.

pub mod disk;
pub mod echo;
