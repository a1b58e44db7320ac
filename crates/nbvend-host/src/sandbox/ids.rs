//! Whose the work folder is.
//!
//! In `full` every notebook has a user of its own, so its folder has to be that user's; a folder made under another
//! level, or copied in from a backup, is somebody else's. The folder itself is given away last: as long as it is not
//! the notebook's, the walk is repeated.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, chownat, fchmod, fchown, fstat, mkdirat, openat, statat,
};
use rustix::process::{Gid, Uid};

/// Folders within folders; each level of the walk holds two descriptors.
const DEEPEST: u32 = 300;

/// Makes the folder if need be; it belongs to `owner` afterwards (if given), with all in it, and to nobody else.
pub(super) fn claim(path: &Path, owner: Option<u32>) -> io::Result<()> {
    match mkdirat(CWD, path, Mode::RWXU) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let folder = open_folder(CWD, path)?;
    if let Some(owner) = owner
        && fstat(&folder)?.st_uid != owner
    {
        walk(&folder, owner, 0)?;
        fchown(&folder, Some(Uid::from_raw(owner)), Some(Gid::from_raw(owner)))?;
    }
    fchmod(&folder, Mode::RWXU)?;
    Ok(())
}

/// Makes one folder the owner's, and nobody else's.
pub(super) fn take(folder: &OwnedFd, owner: u32) -> io::Result<()> {
    if fstat(folder)?.st_uid != owner {
        fchown(folder, Some(Uid::from_raw(owner)), Some(Gid::from_raw(owner)))?;
    }
    Ok(fchmod(folder, Mode::RWXU)?)
}

fn open_folder(at: impl AsFd, name: impl rustix::path::Arg) -> io::Result<OwnedFd> {
    // Never through a link: the notebook may have put one there that leads elsewhere.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(at, name, flags, Mode::empty())?)
}

fn walk(folder: &OwnedFd, owner: u32, depth: u32) -> io::Result<()> {
    if depth > DEEPEST {
        return Err(io::Error::other("folders are nested too deep"));
    }
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let status = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(status.st_mode) == FileType::Directory {
            walk(&open_folder(folder, name)?, owner, depth + 1)?;
        }
        let (uid, gid) = (Uid::from_raw(owner), Gid::from_raw(owner));
        chownat(folder, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
    }
    Ok(())
}
