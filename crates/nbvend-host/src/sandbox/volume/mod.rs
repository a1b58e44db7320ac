//! A work folder of a fixed size: a file system in a sparse file.
//!
//! The image is mounted through a loop device, in the sandbox's mount namespace alone: it is never part of the host's
//! tree, and kernel and device let go of it when the last process of the sandbox has ended.
//!
//! ```text
//!   folder ──► a copy under another name, whole and on the disk ──► the image ──► the folder is emptied ──► mounted
//!      └ killed before the image has its name: the copy is swept, the folder is what counts
//!                                    └ killed from here on: the image is what counts, the folder is emptied again
//! ```
//!
//! Who uses an image holds the lock of the very file description that the loop device keeps: as long as anything has it
//! mounted, or a tool works on it, nobody else can. Nothing has to be undone after a kill.
//!
//! Pieces: `image` (making, checking, growing), `sparse` (copying), `loops`, `mount` (mounting, looking into one), `tools`.

mod image;
mod loops;
mod mount;
mod sparse;
mod tools;

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{SandboxError, ids};

pub use mount::Shown;
pub use sparse::holes;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// A file that is made when it is not there; what is in the work folder then becomes its content.
    pub image: PathBuf,
    /// Grown when it is more than the image has; never shrunk.
    pub bytes: u64,
}

impl Volume {
    /// Where a work folder's image lies: beside it, where no notebook sees it.
    #[must_use]
    pub fn image_of(work: &Path) -> PathBuf {
        work.with_added_extension("img")
    }

    /// What the notebook of a work folder has in an image, if it has one: to be read by whoever backs it up.
    pub fn look(work: &Path) -> Result<Option<Shown>, SandboxError> {
        mount::look(&Self::image_of(work))
    }

    /// Removes a work folder's image and what was left of attempts to make one.
    pub fn remove(work: &Path) -> std::io::Result<()> {
        image::remove(&Self::image_of(work))
    }
}

/// Whether this machine has what volumes need beyond a kernel that mounts them.
pub(super) fn tools() -> Result<(), SandboxError> {
    tools::complete()
}

/// The mount of the volume, in no tree yet. Blocks, for as long as copying the folder's content takes when the image is made.
pub(super) fn open(volume: &Volume, work: &Path, uid: u32) -> Result<OwnedFd, SandboxError> {
    let image: File = image::ready(volume, work, uid)?;
    let mount = mount::attach(&image, &volume.image, false)?;
    let said = |error| SandboxError::Volume(format!("{}: {error}", volume.image.display()));
    let root = mount::root(&mount).map_err(said)?;
    // All that is in it is the notebook's already: it was written in there, or had its owner when it was copied.
    ids::take(&root, uid).map_err(said)?;
    Ok(mount)
}
