//! Tests of the parts together: the engine in simulation, and the running router.

mod simulation;
mod snapshot;
