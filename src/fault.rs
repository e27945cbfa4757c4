//! Kill points: places where a test lets the process die, as if somebody had killed it.
//!
//! Owned by whoever writes the code around one. They exist only with the feature
//! `failpoints` and strike only where the environment's `FAILPOINTS` says so, for example
//! `journal-after-write=500*off->return`.

/// Reads what is to strike, for as long as what is returned lives. Nothing without the
/// feature.
#[must_use]
pub fn armed() -> Option<impl Sized> {
    cfg!(feature = "failpoints").then(fail::FailScenario::setup)
}

/// Dies here and now: nothing is flushed, closed or said.
#[cfg_attr(not(feature = "failpoints"), expect(dead_code, reason = "named by the points alone"))]
pub(crate) fn die() -> ! {
    std::process::abort()
}
