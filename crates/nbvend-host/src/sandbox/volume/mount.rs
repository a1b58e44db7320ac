//! Mounting an image without a place in any tree, and looking into one.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Mode, OFlags, openat};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string,
    fsmount, fsopen,
};

use super::image::hold;
use super::{SandboxError, loops};

/// Mounts a held image.
pub(super) fn attach(image: &File, path: &Path, read_only: bool) -> Result<OwnedFd, SandboxError> {
    let (device, open) = loops::attach(image)
        .map_err(|error| SandboxError::Volume(format!("no loop device for {}: {error}", path.display())))?;
    let mounted = mount(&device, read_only);
    drop(open);
    mounted.map_err(|error| SandboxError::Volume(format!("{}: {error}", path.display())))
}

fn mount(device: &Path, read_only: bool) -> io::Result<OwnedFd> {
    let fs = fsopen("ext4", FsOpenFlags::FSOPEN_CLOEXEC)?;
    let configure = || -> rustix::io::Result<()> {
        fsconfig_set_string(&fs, "source", device)?;
        // What is broken in it is not repaired by guessing; the rest stays readable.
        fsconfig_set_string(&fs, "errors", "remount-ro")?;
        // What a person deletes is the host's again.
        fsconfig_set_flag(&fs, "discard")?;
        // Holes are zeros: nothing has to be written for the tables of inodes.
        fsconfig_set_flag(&fs, "noinit_itable")?;
        if read_only {
            fsconfig_set_flag(&fs, "ro")?;
        }
        fsconfig_create(&fs)
    };
    configure().map_err(|error| io::Error::other(explained(&fs, error)))?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOATIME;
    Ok(fsmount(&fs, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?)
}

/// The kernel says more than a number, in lines to be read one by one.
fn explained(fs: &OwnedFd, error: rustix::io::Errno) -> String {
    let mut line = [0; 1024];
    let mut words = error.to_string();
    while let Ok(length @ 1..) = rustix::io::read(fs, &mut line) {
        words.push_str(": ");
        words.push_str(String::from_utf8_lossy(&line[..length]).trim());
    }
    words
}

/// The folder at the top of a mount.
pub(super) fn root(mount: &OwnedFd) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(mount, ".", flags, Mode::empty())?)
}

/// An image's content, to be read. Nobody can use the image meanwhile.
#[derive(Debug)]
pub struct Shown {
    folder: OwnedFd,
    _mount: OwnedFd,
}

impl AsFd for Shown {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.folder.as_fd()
    }
}

/// `None` if there is no image. An error of kind `ResourceBusy` in an `Io` says that it is in use.
pub(super) fn look(path: &Path) -> Result<Option<Shown>, SandboxError> {
    let named = |error| SandboxError::io(path.display().to_string())(error);
    let Some(image) = hold(path, Duration::from_millis(100)).map_err(named)? else { return Ok(None) };
    let mount = attach(&image, path, true)?;
    let folder = root(&mount).map_err(named)?;
    Ok(Some(Shown { folder, _mount: mount }))
}
