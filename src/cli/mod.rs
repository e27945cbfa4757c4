//! The subcommands: each turns its arguments into text, rows and an exit code.
//!
//! One file a subcommand. Arguments are parsed and output is printed in `main`.

pub mod config;
