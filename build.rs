//! Compiles every `.proto` under `proto/` without needing `protoc` on the machine.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    compile_protos(Path::new("proto"))
}

/// Generates Rust for all protos under `root`, and the descriptor set that reflection serves.
fn compile_protos(root: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", root.display());
    let mut protos = Vec::new();
    collect(root, &mut protos)?;
    // The order of a directory differs between machines; the output should not.
    protos.sort();
    let mut compiler = protox::Compiler::new([root])?;
    compiler.include_source_info(true).include_imports(true).open_files(&protos)?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("surgeline_descriptor.bin"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure().compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, into)?;
        } else if path.extension().is_some_and(|e| e == "proto") {
            into.push(path);
        }
    }
    Ok(())
}
