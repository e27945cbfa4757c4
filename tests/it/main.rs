//! Tests of the parts together: the engine in simulation, and the running router.

mod archive;
mod forgotten;
mod simulation;
mod snapshot;
