//! The functions' packages: from a source tree they are built with cargo in a target folder of their own, and built
//! again only when their sources change.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::failure::Failure;
use crate::home::Home;
use crate::printer::Printer;

/// A function's package.
pub struct Package {
    /// Its logical id in `lambda/template.yaml`.
    pub function: &'static str,
    pub zip: Bytes,
    /// SHA-256 of the zip, hex.
    pub id: String,
}

/// Logical ids and the binaries that become their `bootstrap`.
const FUNCTIONS: [(&str, &str); 2] =
    [("EventBridgeFunction", "event-processor"), ("RefreshURLFunction", "refresh-url")];

/// Where the functions' sources are: the tree this binary was built from, or the one it is run in.
fn sources() -> Option<PathBuf> {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lambda");
    let run_in = PathBuf::from("lambda");
    [built_from, run_in].into_iter().find(|folder| folder.join("Cargo.toml").is_file())
}

/// A fingerprint of the sources; empty where there are none.
pub fn sources_id() -> String {
    sources().map(|folder| hash_of(&folder)).unwrap_or_default()
}

/// Both packages, built if need be.
pub async fn packages(home: &Home, printer: &Printer) -> Result<Vec<Package>, Failure> {
    let folder = sources().ok_or_else(|| {
        Failure::new(
            "the functions' sources (lambda/) are not here; run nbvend from its source tree, or deploy with sam",
        )
    })?;
    let built = home.path("functions-built").join(hash_of(&folder));
    let missing = FUNCTIONS.iter().any(|(_, binary)| !built.join(binary).is_file());
    if missing {
        build(home, &folder, &built, printer).await?;
    }
    FUNCTIONS.iter().map(|(function, binary)| package(function, &built.join(binary))).collect()
}

async fn build(home: &Home, folder: &Path, built: &Path, printer: &Printer) -> Result<(), Failure> {
    let work = printer.work("building the functions, once (about a minute)");
    let target = home.path("functions-target");
    let output = tokio::process::Command::new("cargo")
        .args(["build", "--release", "--locked", "--bins", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| Failure::new(format!("cargo cannot be run to build the functions: {error}")))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let errors: Vec<&str> = text.lines().rev().take(15).collect();
        let errors: Vec<&str> = errors.into_iter().rev().collect();
        return Err(Failure::new(format!("the functions cannot be built:\n{}", errors.join("\n"))));
    }
    std::fs::create_dir_all(built).map_err(|e| Failure::io("the folder", built, &e))?;
    for (_, binary) in FUNCTIONS {
        let (from, part) = (target.join("release").join(binary), built.join(format!("{binary}.part")));
        // The name appears only once the file is whole.
        std::fs::copy(&from, &part)
            .and_then(|_| std::fs::rename(&part, built.join(binary)))
            .map_err(|e| Failure::io("the function", &from, &e))?;
    }
    work.done("the functions are built");
    Ok(())
}

/// A zip with the binary as `bootstrap`; the same bytes give the same zip.
fn package(function: &'static str, binary: &Path) -> Result<Package, Failure> {
    let bytes = std::fs::read(binary).map_err(|e| Failure::io("the function", binary, &e))?;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    let packed = zip
        .start_file("bootstrap", options)
        .and_then(|()| zip.write_all(&bytes).map_err(Into::into))
        .and_then(|()| zip.finish());
    let packed =
        packed.map_err(|error| Failure::new(format!("{function} cannot be packed: {error}")))?.into_inner();
    let id = hex::encode(Sha256::digest(&packed));
    Ok(Package { function, zip: Bytes::from(packed), id })
}

/// SHA-256 over names and contents of the sources, build outputs left out.
fn hash_of(folder: &Path) -> String {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        let name = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().into_owned();
        digest.update(name.as_bytes());
        digest.update([0]);
        digest.update(std::fs::read(&file).unwrap_or_default());
        digest.update([0]);
    }
    hex::encode(digest.finalize())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            if name == "src" || path.starts_with(folder.join("src")) {
                collect(&path, files);
            }
        } else if name == "Cargo.toml" || name == "Cargo.lock" || path.extension().is_some_and(|e| e == "rs")
        {
            files.push(path);
        }
    }
}
