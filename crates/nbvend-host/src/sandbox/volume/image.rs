//! Images: made of nothing, of a template or of a folder's content; locked, checked, made longer.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};

use super::tools::{Superblock, run};
use super::{SandboxError, Volume, sparse};
use crate::sandbox::ids;

/// A sandbox that was ended lets go of its image within a moment, a backup after it has read it.
const PATIENCE: Duration = Duration::from_secs(60);

/// One block less than what a file may have on ext4 with blocks of 4 KiB is 16 TiB; the greatest volume is to fit.
const LONGEST: u64 = (16 << 40) - (1 << 20);

/// The image, locked, sound, and as long as it is to be.
pub(super) fn ready(volume: &Volume, work: &Path, uid: u32) -> Result<File, SandboxError> {
    let named = |error| SandboxError::io(volume.image.display().to_string())(error);
    for _ in 0..10 {
        let image = match hold(&volume.image, PATIENCE).map_err(named)? {
            Some(image) => {
                mend(&image, volume)?;
                image
            }
            None => match make(volume, work, uid)? {
                Some(image) => image,
                // Somebody else was faster.
                None => continue,
            },
        };
        empty(work).map_err(SandboxError::io(work.display().to_string()))?;
        return Ok(image);
    }
    Err(SandboxError::Volume(format!("{} comes and goes", volume.image.display())))
}

/// An image that nobody else uses, if it is there. The lock lasts as long as any copy of the descriptor, a loop
/// device's too.
pub(super) fn hold(path: &Path, patience: Duration) -> io::Result<Option<File>> {
    let until = Instant::now() + patience;
    loop {
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) if leads_to(path, &file)? => return Ok(Some(file)),
            // It was replaced or removed meanwhile.
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(io::Error::new(ErrorKind::ResourceBusy, "it is in use"));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn leads_to(path: &Path, file: &File) -> io::Result<bool> {
    let own = file.metadata()?;
    match fs::metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (own.dev(), own.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn extend(image: &File, volume: &Volume) -> io::Result<()> {
    let bytes = volume.bytes.min(LONGEST);
    if image.metadata()?.len() < bytes { image.set_len(bytes) } else { Ok(()) }
}

/// Repairs and grows what is there. A machine that lost its power leaves a journal, which mounting replays; what is wrong
/// beyond that is seldom.
fn mend(image: &File, volume: &Volume) -> Result<(), SandboxError> {
    let path = &volume.image;
    let named = |error| SandboxError::io(path.display().to_string())(error);
    let Some(now) = Superblock::read(image).map_err(named)? else {
        return Err(SandboxError::Volume(format!("{} holds no ext4 file system", path.display())));
    };
    extend(image, volume).map_err(named)?;
    // Not by the file's length: whoever made it longer may have been killed before the rest was done.
    let grows = image.metadata().map_err(named)?.len() / now.block_size > now.blocks;
    if !grows && !now.faulty {
        return Ok(());
    }
    if now.faulty {
        tracing::warn!(image = %path.display(), "a notebook's volume has faults and is repaired");
    }
    // 1 and 2 say that something was repaired.
    run("e2fsck", &["-f".as_ref(), "-p".as_ref(), path.as_os_str()], 2, image).map_err(|error| {
        SandboxError::Volume(format!("{error}; repair it by hand with: e2fsck {}", path.display()))
    })?;
    if grows { run("resize2fs", &[path.as_os_str()], 0, image) } else { Ok(()) }
}

/// `None` if there is one already. It has its name only when it is whole.
fn make(volume: &Volume, work: &Path, uid: u32) -> Result<Option<File>, SandboxError> {
    let (partial, file) = begin(&volume.image)?;
    let made = fill(volume, work, uid, &partial, &file).and_then(|()| {
        match renameat_with(CWD, &partial, CWD, &volume.image, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::EXIST | rustix::io::Errno::NOENT) => Ok(false),
            Err(error) => Err(SandboxError::io(volume.image.display().to_string())(error.into())),
        }
    });
    if !matches!(made, Ok(true)) {
        let _ = fs::remove_file(&partial);
    }
    Ok(made?.then_some(file))
}

fn fill(volume: &Volume, work: &Path, uid: u32, partial: &Path, file: &File) -> Result<(), SandboxError> {
    let named = |error| SandboxError::io(partial.display().to_string())(error);
    if !has_entries(work).map_err(SandboxError::io(work.display().to_string()))? {
        return copy_template(volume, file);
    }
    // What is copied keeps its owner.
    ids::claim(work, Some(uid)).map_err(SandboxError::io(work.display().to_string()))?;
    format(partial, file, volume, &["-d".as_ref(), work.as_os_str()]).map_err(|error| {
        SandboxError::Volume(format!(
            "the files in {} cannot be copied into a volume of {} GiB ({error}); a larger VolumeSizeInGB may help",
            work.display(),
            volume.bytes >> 30
        ))
    })?;
    // The folder is emptied for it: it is looked over first, and on the disk.
    run("e2fsck", &["-f".as_ref(), "-n".as_ref(), partial.as_os_str()], 0, file)?;
    file.sync_all().map_err(named)
}

fn format(path: &Path, file: &File, volume: &Volume, more: &[&OsStr]) -> Result<(), SandboxError> {
    extend(file, volume).map_err(SandboxError::io(path.display().to_string()))?;
    let mut arguments: Vec<&OsStr> = ["-q", "-F", "-m", "0", "-E"].map(OsStr::new).into();
    arguments.push("lazy_itable_init=1,lazy_journal_init=1,nodiscard".as_ref());
    arguments.extend(more);
    arguments.push(path.as_os_str());
    run("mkfs.ext4", &arguments, 0, file)
}

/// An empty file system of the size that was wanted last, in a file without a name: making one costs several times what
/// copying one does.
static TEMPLATE: Mutex<Option<(u64, Arc<File>)>> = Mutex::new(None);

fn copy_template(volume: &Volume, to: &File) -> Result<(), SandboxError> {
    let named = |error| SandboxError::io(volume.image.display().to_string())(error);
    let wanted = volume.bytes.min(LONGEST);
    // Whoever comes meanwhile waits, and copies.
    let template = {
        let mut kept = TEMPLATE.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((bytes, template)) if *bytes == wanted => template.clone(),
            _ => {
                let (path, file) = begin(&volume.image)?;
                let made = format(&path, &file, volume, &[]);
                let _ = fs::remove_file(&path);
                made?;
                let template = Arc::new(file);
                *kept = Some((wanted, template.clone()));
                template
            }
        }
    };
    sparse::copy(&template, to).map_err(named)
}

/// A locked file to be renamed to `target` when it is done. What others left that were killed is swept.
fn begin(target: &Path) -> Result<(PathBuf, File), SandboxError> {
    static ATTEMPTS: AtomicU32 = AtomicU32::new(0);
    let attempt = ATTEMPTS.fetch_add(1, Ordering::Relaxed);
    let partial = target.with_added_extension(format!("partial-{}-{attempt}", std::process::id()));
    let create = || -> io::Result<File> {
        sweep(target)?;
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&partial)?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    };
    let file = create().map_err(SandboxError::io(partial.display().to_string()))?;
    Ok((partial, file))
}

/// Removes unfinished copies that nobody works on any more.
fn sweep(target: &Path) -> io::Result<()> {
    let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else { return Ok(()) };
    let prefix = format!("{}.partial-", name.to_string_lossy());
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix)
            && let Ok(file) = File::open(entry.path())
            && flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

pub(super) fn remove(image: &Path) -> io::Result<()> {
    sweep(image)?;
    match fs::remove_file(image) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn has_entries(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes what the image was made of. Nothing writes there any more once there is an image.
fn empty(work: &Path) -> io::Result<()> {
    if !has_entries(work)? {
        return Ok(());
    }
    for entry in fs::read_dir(work)? {
        crate::remove_tree(&entry?.path())?;
    }
    Ok(())
}
