//! Generates the protobuf and gRPC code from every file under `proto/`, and the descriptor
//! set that reflection serves. No `protoc` is needed: a bare machine with cargo builds it.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new("proto");
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=build.rs");
    let mut files = Vec::new();
    collect(root, &mut files)?;
    // Directory order differs between machines; generated code should not.
    files.sort();

    let mut compiler = protox::Compiler::new([root])?;
    compiler.include_imports(true).include_source_info(true).open_files(&files)?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("surgeline.descriptors.bin"), compiler.encode_file_descriptor_set())?;

    tonic_prost_build::configure()
        // A client's constructor `connect` would clash with the rpcs of that name; clients
        // are made from a channel.
        .build_transport(false)
        // These print by hand, redacted: see `pb`.
        .skip_debug([".surgeline.v1.Person", ".surgeline.v1.Customer"])
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
