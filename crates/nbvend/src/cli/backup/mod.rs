//! `nbvend backup FILE`: all that the engine keeps in one file, while it runs or not.
//!
//! The database is copied as one snapshot. Blobs are linked aside before it and again after it: one that the snapshot
//! names was there before, or is too young to be swept. So every object in the copy has its body. Notebooks' files are
//! taken as they are at that moment; who wants them still stops the notebook first. `notebooks` finds them, `files` packs
//! them.

mod files;
mod notebooks;

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::failure::Failure;
use crate::home::Home;
use crate::printer::Printer;

/// Names at the top of the file, as in the data folder.
pub const DATABASE: &str = "nbvend.db";
pub const BLOBS: &str = "blobs";
pub const NOTEBOOKS: &str = "notebooks";
/// The root key, the certificate authority, and the key of SecureStrings.
pub const KEYS: [&str; 4] = ["root-key", "ca.pem", "ca.key", "ssm.key"];
pub const MANIFEST: &str = "manifest.json";
/// Of the file's own form. 2 may hold files with holes.
pub const FORMAT: u32 = 2;

/// What stands first in the file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// The version that wrote it.
    pub version: String,
    /// The database's schema.
    pub schema: i64,
    pub notebooks: bool,
}

#[derive(Args)]
pub struct Backup {
    /// The file to write; it holds keys, so only you may read it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Leave the notebooks' own files out
    #[arg(long)]
    no_notebooks: bool,
}

impl Backup {
    pub fn run(self, data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
        let root = Home::locate(data)?;
        if !root.join(DATABASE).exists() {
            return Err(Failure::new(format!(
                "there is nothing to back up in {}; name the data folder with --data DIR",
                root.display()
            )));
        }
        if self.file.exists() {
            return Err(Failure::new(format!("{} exists already; choose another name", self.file.display())));
        }
        let work = printer.work("writing the backup");
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let fail = |error: std::io::Error| Failure::io("the file", &self.file, &error);
        // Half a backup helps nobody: it has the name only when it is whole, and goes otherwise.
        let part = tempfile::Builder::new().prefix(".nbvend-").suffix(".part").tempfile_in(folder);
        let part = part.map_err(fail)?;
        write(&root, part.as_file(), part.path(), !self.no_notebooks)?;
        part.persist_noclobber(&self.file).map_err(|error| fail(error.error))?;
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(fail)?;
        let bytes = std::fs::metadata(&self.file).map_or(0, |data| data.len());
        work.done("written");
        printer.document(&json!({"file": self.file, "bytes": bytes, "notebooks": !self.no_notebooks}));
        printer.line(&format!("{} ({} KiB)", self.file.display(), bytes.div_ceil(1024)));
        Ok(())
    }
}

fn write(root: &Path, file: &File, to: &Path, with_notebooks: bool) -> Result<(), Failure> {
    // In the data folder: links cannot leave their file system, and the folder is its owner's alone.
    let aside = tempfile::Builder::new().prefix("backup-").tempdir_in(root);
    let aside = aside.map_err(|error| Failure::io("the data folder", root, &error))?;
    let blobs = aside.path().join(BLOBS);
    link(&root.join(BLOBS), &blobs)?;
    let database = aside.path().join(DATABASE);
    let schema = nbvend_cloud::store::copy(&root.join(DATABASE), &database)?;
    link(&root.join(BLOBS), &blobs)?;

    let version = env!("CARGO_PKG_VERSION").to_owned();
    let manifest = Manifest { format: FORMAT, version, schema, notebooks: with_notebooks };
    let manifest = serde_json::to_vec(&manifest).map_err(|error| Failure::new(error.to_string()))?;
    let pack = || -> std::io::Result<()> {
        let mut archive = tar::Builder::new(std::io::BufWriter::new(file));
        archive.follow_symlinks(false);
        let mut header = tar::Header::new_gnu();
        header.set_metadata(&std::fs::metadata(&database)?);
        header.set_size(manifest.len() as u64);
        header.set_mode(0o600);
        archive.append_data(&mut header, MANIFEST, manifest.as_slice())?;
        archive.append_path_with_name(&database, DATABASE)?;
        archive.append_dir_all(BLOBS, &blobs)?;
        for key in KEYS {
            if root.join(key).exists() {
                archive.append_path_with_name(root.join(key), key)?;
            }
        }
        if with_notebooks {
            notebooks::append(&mut archive, root)?;
        }
        let mut out = archive.into_inner()?;
        out.flush()?;
        out.get_ref().sync_all()
    };
    pack().map_err(|error| Failure::io("the backup", to, &error))
}

/// Links every blob that is not linked yet. One that goes away meanwhile is nobody's.
fn link(from: &Path, to: &Path) -> Result<(), Failure> {
    let pass = || -> std::io::Result<()> {
        std::fs::create_dir_all(to)?;
        for shard in list(from)? {
            let name = shard.file_name().unwrap_or_default();
            if name == "tmp" || !shard.is_dir() {
                continue;
            }
            std::fs::create_dir_all(to.join(name))?;
            for blob in list(&shard)? {
                let target = to.join(name).join(blob.file_name().unwrap_or_default());
                match std::fs::hard_link(&blob, target) {
                    Err(error) if !matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => {
                        return Err(error);
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    };
    pass().map_err(|error| Failure::io("the blobs' folder", from, &error))
}

fn list(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    match std::fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
