//! Tests of the parts together: the engine in simulation, and the running router.

mod archive;
mod forgotten;
mod record;
mod simulation;
mod snapshot;

// As in the shipped binary: a test here measures starts.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
