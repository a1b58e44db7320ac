//! Removes a folder that a stranger has filled.
//!
//! `std::fs::remove_dir_all` goes down by recursion: folders nested some ten thousand times deep overflow the stack of
//! whoever removes them. Here folders are lifted to the top before they are emptied, so that nothing goes deeper than two,
//! whatever the depth and the length of paths; and folders that their owner has closed to himself are opened first.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, chmodat, openat, renameat_with, statat, unlinkat,
};
use rustix::io::Errno;

/// Removes the folder and all in it; links are removed, not followed. Blocks. One that is not there is no error.
///
/// # Errors
/// What the system says of what cannot be removed; the rest may be gone by then.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    let found = match statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(()),
        found => found?,
    };
    if FileType::from_raw_mode(found.st_mode) != FileType::Directory {
        return Ok(unlinkat(CWD, path, AtFlags::empty())?);
    }
    let top = open(CWD, path)?;
    let mut lifted = 0;
    loop {
        let mut found = false;
        for entry in Dir::read_from(&top)? {
            let entry = entry?;
            let name = entry.file_name();
            if is_dots(name) {
                continue;
            }
            found = true;
            if is_folder(&top, name)? {
                empty(&open(&top, name)?, &top, &mut lifted)?;
                unlinkat(&top, name, AtFlags::REMOVEDIR)?;
            } else {
                unlinkat(&top, name, AtFlags::empty())?;
            }
        }
        if !found {
            break;
        }
    }
    Ok(unlinkat(CWD, path, AtFlags::REMOVEDIR)?)
}

/// Leaves nothing in a folder; what is no empty folder in it is lifted to the top.
fn empty(folder: &OwnedFd, top: &OwnedFd, lifted: &mut u64) -> io::Result<()> {
    loop {
        let mut found = false;
        for entry in Dir::read_from(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if is_dots(name) {
                continue;
            }
            found = true;
            if !is_folder(folder, name)? {
                unlinkat(folder, name, AtFlags::empty())?;
                continue;
            }
            match unlinkat(folder, name, AtFlags::REMOVEDIR) {
                Err(Errno::NOTEMPTY | Errno::EXIST) => lift(folder, name, top, lifted)?,
                done => done?,
            }
        }
        if !found {
            return Ok(());
        }
    }
}

fn lift(folder: &OwnedFd, name: &CStr, top: &OwnedFd, lifted: &mut u64) -> io::Result<()> {
    loop {
        *lifted += 1;
        let new = format!(".lifted-{lifted}");
        let rename = || renameat_with(folder, name, top, &*new, RenameFlags::NOREPLACE);
        // Moving a folder changes what its `..` means: it has to be open to us.
        match rename().or_else(|error| opened_to_us(folder, name, error).and_then(|()| rename())) {
            // Somebody knew the name.
            Err(Errno::EXIST) => {}
            done => return Ok(done?),
        }
    }
}

/// Never through a link. One that is closed even to its owner is opened.
fn open(at: impl AsFd + Copy, name: impl rustix::path::Arg + Copy) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = || openat(at, name, flags, Mode::empty());
    Ok(open().or_else(|error| opened_to_us(at, name, error).and_then(|()| open()))?)
}

/// Opens a folder of ours that is closed to us. Never done as root, whom nothing is closed to: this follows links.
fn opened_to_us(at: impl AsFd, name: impl rustix::path::Arg, error: Errno) -> Result<(), Errno> {
    match error {
        Errno::ACCESS => chmodat(at, name, Mode::RWXU, AtFlags::empty()),
        other => Err(other),
    }
}

fn is_folder(at: &OwnedFd, name: &CStr) -> io::Result<bool> {
    let status = statat(at, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(status.st_mode) == FileType::Directory)
}

fn is_dots(name: &CStr) -> bool {
    name == c"." || name == c".."
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn folders_nested_without_end_go_on_a_small_stack() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("tree");
        fs::create_dir(&path).unwrap();
        let mut at = open(CWD, &*path).unwrap();
        for _ in 0..20_000 {
            rustix::fs::mkdirat(&at, c"d", Mode::RWXU).unwrap();
            at = open(&at, c"d").unwrap();
        }
        drop(at);
        let run = std::thread::Builder::new().stack_size(128 << 10).spawn(move || {
            remove_tree(&path).unwrap();
            !path.exists()
        });
        assert!(run.unwrap().join().unwrap());
    }

    #[test]
    fn nothing_else_is_touched() {
        let place = tempfile::tempdir().unwrap();
        let (path, other) = (place.path().join("tree"), place.path().join("other"));
        fs::create_dir_all(path.join("a/b/c")).unwrap();
        fs::create_dir_all(path.join(".lifted-1/x/y")).unwrap();
        fs::create_dir_all(path.join("closed/inside/deep")).unwrap();
        fs::create_dir(&other).unwrap();
        fs::write(other.join("kept"), "kept").unwrap();
        symlink(&other, path.join("a/b/link")).unwrap();
        symlink("..", path.join("up")).unwrap();
        fs::write(path.join("a/file"), "x").unwrap();
        fs::set_permissions(path.join("closed/inside"), fs::Permissions::from_mode(0o000)).unwrap();
        fs::set_permissions(path.join("closed"), fs::Permissions::from_mode(0o500)).unwrap();
        remove_tree(&path).unwrap();
        assert!(!path.exists());
        assert_eq!(fs::read_to_string(other.join("kept")).unwrap(), "kept");
        remove_tree(&path).unwrap();
        // A link in its place is removed itself.
        symlink(&other, &path).unwrap();
        remove_tree(&path).unwrap();
        assert!(!path.is_symlink() && other.join("kept").exists());
    }
}
