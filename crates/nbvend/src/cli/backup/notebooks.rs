//! Where the files of each notebook are just now, and whom to ask for them.
//!
//! A running notebook's volume is read through its own sandbox, a stopped one's is mounted for as long as it is read; both
//! go into the backup as files, so that a backup can be restored where there are no volumes.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use nbvend_host::jupyter;
use nbvend_host::sandbox::{Shown, Volume};
use rustix::fs::{CWD, Mode, OFlags, openat};

use super::{NOTEBOOKS, files};

/// How long a notebook that is just being started or stopped is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the engine keeps what it knows of running servers.
const SERVERS: &str = "servers";

enum Found {
    Folder(OwnedFd),
    Stopped(Shown),
    /// An image that does not mount: it is kept as it is.
    Image(File),
    Gone,
}

impl Found {
    fn folder(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Folder(folder) => Some(folder.as_fd()),
            Self::Stopped(shown) => Some(shown.as_fd()),
            Self::Image(_) | Self::Gone => None,
        }
    }
}

pub(super) fn append<W: Write>(archive: &mut tar::Builder<W>, root: &Path) -> io::Result<()> {
    let folder = root.join(NOTEBOOKS);
    if !folder.exists() {
        return Ok(());
    }
    archive.append_dir(NOTEBOOKS, &folder)?;
    let mut ids = BTreeSet::new();
    for path in super::list(&folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Copies that are not finished have further dots in their names.
        let id = name.strip_suffix(".img").unwrap_or(&name);
        if !id.contains('.') {
            ids.insert(id.to_owned());
        }
    }
    for id in ids {
        let found = find(root, &id)
            .map_err(|error| io::Error::new(error.kind(), format!("the files of notebook {id}: {error}")))?;
        let name = Path::new(NOTEBOOKS).join(&id);
        if let Some(folder) = found.folder() {
            files::folder(archive, folder, &name)?;
        } else if let Found::Image(file) = &found {
            files::file(archive, file, &name.with_added_extension("img"))?;
        }
    }
    Ok(())
}

fn find(root: &Path, id: &str) -> io::Result<Found> {
    let work = root.join(NOTEBOOKS).join(id);
    let until = Instant::now() + PATIENCE;
    loop {
        let busy = match Volume::look(&work) {
            Ok(Some(shown)) => return Ok(Found::Stopped(shown)),
            Ok(None) => return plain(&work),
            Err(error) if error.is_busy() => error,
            Err(error) => {
                tracing::warn!(id, %error, "a notebook's volume is backed up as it is, without a look into it");
                return File::open(Volume::image_of(&work)).map(Found::Image);
            }
        };
        if let Some(folder) = jupyter::work_folder(&root.join(SERVERS), id) {
            return Ok(Found::Folder(folder));
        }
        if Instant::now() > until {
            return Err(io::Error::other(busy));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn plain(work: &Path) -> io::Result<Found> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(CWD, work, flags, Mode::empty()) {
        Ok(folder) => Ok(Found::Folder(folder)),
        Err(rustix::io::Errno::NOENT) => Ok(Found::Gone),
        Err(error) => Err(error.into()),
    }
}
