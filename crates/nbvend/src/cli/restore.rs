//! `nbvend restore FILE`: a data folder as it was when the backup was made.
//!
//! Into an empty folder only, and only while no engine runs on it. Everything is unpacked aside first; the database
//! comes to its place last, so that a restore that fails leaves a folder that can be restored into again.

use std::fs::{File, Permissions};
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::backup::{BLOBS, DATABASE, FORMAT, KEYS, MANIFEST, Manifest, NOTEBOOKS};
use crate::failure::Failure;
use crate::home::Home;
use crate::printer::Printer;

#[derive(Args)]
pub struct Restore {
    /// What `nbvend backup` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Restore {
    pub fn run(self, data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
        let home = Home::open(data)?;
        let root = home.root();
        if let Some(running) = home.running() {
            return Err(Failure::new(format!(
                "an engine runs on {} (pid {}); stop it with `nbvend down`, or restore into another folder with --data DIR",
                root.display(),
                running.pid
            )));
        }
        // Held until the end, so that none starts meanwhile.
        let _lock = nbvend_cloud::store::lock(root)?;
        if root.join(DATABASE).exists() {
            return Err(Failure::new(format!(
                "{} holds data already; restore into an empty folder with --data DIR, or move this one away",
                root.display()
            )));
        }
        let manifest = self.manifest()?;
        let work = printer.work("restoring");
        let aside = tempfile::Builder::new().prefix("restore-").tempdir_in(root);
        let aside = aside.map_err(|error| Failure::io("the data folder", root, &error))?;
        self.unpack(aside.path())?;
        place(aside.path(), root)?;
        work.done("restored");
        printer
            .document(&json!({"data": root, "version": manifest.version, "notebooks": manifest.notebooks}));
        printer.line(&format!("restored into {}; start it with `nbvend up`", root.display()));
        Ok(())
    }

    fn open(&self) -> Result<tar::Archive<File>, Failure> {
        let file = File::open(&self.file).map_err(|error| Failure::io("the backup", &self.file, &error))?;
        Ok(tar::Archive::new(file))
    }

    /// The first entry. What does not begin with it, or is newer, is refused.
    fn manifest(&self) -> Result<Manifest, Failure> {
        let none = || Failure::new(format!("{} is not a backup of nbvend", self.file.display()));
        let mut archive = self.open()?;
        let mut entries = archive.entries().map_err(|_| none())?;
        let first = entries.next().and_then(Result::ok).ok_or_else(none)?;
        if first.path().ok().as_deref() != Some(Path::new(MANIFEST)) {
            return Err(none());
        }
        let mut text = String::new();
        first.take(65_536).read_to_string(&mut text).map_err(|_| none())?;
        let manifest: Manifest = serde_json::from_str(&text).map_err(|_| none())?;
        if manifest.format > FORMAT || manifest.schema > nbvend_cloud::store::schema_known() {
            return Err(Failure::new(format!(
                "{} was written by a newer nbvend ({}); restore it with that version",
                self.file.display(),
                manifest.version
            )));
        }
        Ok(manifest)
    }

    /// Names that lead out of the folder, and links on the way, are not followed.
    fn unpack(&self, to: &Path) -> Result<(), Failure> {
        let damaged = |error: std::io::Error| {
            let cause =
                std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            Failure::new(format!("{} is damaged or cannot be unpacked: {error}{cause}", self.file.display()))
        };
        let mut archive = self.open()?;
        // Whom a notebook's files belong to matters where each has a user of its own; only root can say it.
        archive.set_preserve_ownerships(rustix::process::geteuid().is_root());
        archive.set_preserve_mtime(true);
        let mut folders = Vec::new();
        for entry in archive.entries().map_err(damaged)? {
            let mut entry = entry.map_err(damaged)?;
            if !ours(&entry) {
                return Err(damaged(std::io::Error::other("it holds what `nbvend backup` does not write")));
            }
            entry.unpack_in(to).map_err(damaged)?;
            if entry.header().entry_type().is_dir() {
                let path = to.join(entry.path().map_err(damaged)?);
                // A folder that its owner may not write to gets its files first.
                let folder = Folder::open(&path).map_err(damaged)?;
                let mode = folder.mode().map_err(damaged)?;
                folder.set_mode(mode | 0o700).map_err(damaged)?;
                folders.push((path, mode));
            }
        }
        for (path, mode) in folders.into_iter().rev() {
            Folder::open(&path).and_then(|folder| folder.set_mode(mode)).map_err(damaged)?;
        }
        if to.join(DATABASE).exists() { Ok(()) } else { Err(Failure::new("the backup holds no database")) }
    }
}

/// A folder itself, not what a link in its place leads to; one that is closed even to its owner, too.
struct Folder(OwnedFd);

impl Folder {
    fn open(path: &Path) -> std::io::Result<Self> {
        use rustix::fs::{Mode, OFlags, open};
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(open(path, flags, Mode::empty())?))
    }

    fn mode(&self) -> std::io::Result<u32> {
        Ok(rustix::fs::fstat(&self.0)?.st_mode & 0o7777)
    }

    fn set_mode(&self, mode: u32) -> std::io::Result<()> {
        // A descriptor that only names a file cannot be given to `fchmod`.
        let itself = format!("/proc/self/fd/{}", self.0.as_raw_fd());
        std::fs::set_permissions(itself, Permissions::from_mode(mode))
    }
}

/// Whether `nbvend backup` writes such an entry: below the names it knows, and links only among a notebook's files.
fn ours(entry: &tar::Entry<'_, File>) -> bool {
    let Ok(path) = entry.path() else { return false };
    let mut names = path.components().map(|name| name.as_os_str().to_string_lossy());
    let Some(top) = names.next() else { return false };
    let known = [MANIFEST, DATABASE, BLOBS, NOTEBOOKS].contains(&&*top) || KEYS.contains(&&*top);
    let kind = entry.header().entry_type();
    let plain = kind.is_file()
        || kind.is_gnu_sparse()
        || kind.is_dir()
        || kind.is_gnu_longname()
        || kind.is_gnu_longlink();
    known && (plain || kind.is_symlink() && top == NOTEBOOKS && names.count() > 1)
}

fn place(from: &Path, root: &Path) -> Result<(), Failure> {
    // The database says last that all is there: it has to be on the disk by then.
    let synced = File::open(from).and_then(|folder| Ok(rustix::fs::syncfs(folder)?));
    synced.map_err(|error| Failure::io("the data folder", root, &error))?;
    let put = |name: &str| -> std::io::Result<()> {
        let (source, target) = (from.join(name), root.join(name));
        if !source.exists() {
            return Ok(());
        }
        if target.is_dir() {
            // An earlier restore that failed, or a folder that was made and never used.
            nbvend_host::remove_tree(&target)?;
        }
        std::fs::rename(source, target)
    };
    for name in [BLOBS, NOTEBOOKS].iter().chain(&KEYS).chain([&DATABASE]) {
        put(name).map_err(|error| Failure::io("the data folder", &root.join(name), &error))?;
    }
    Ok(())
}
