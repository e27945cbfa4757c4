//! The `surgeline` binary.

fn main() {}
