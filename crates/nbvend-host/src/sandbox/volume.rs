//! A work folder of a fixed size: a file system in a sparse file.
//!
//! The image is mounted through a loop device in the sandbox's mount namespace alone: it is never part of the host's
//! tree, and kernel and device let go of it when the last process of the sandbox has ended.

use std::ffi::c_ulong;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use super::{SandboxError, sys};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// A file that is made when it is not there; what is in the work folder then is copied in.
    pub image: PathBuf,
    /// Grown when it is more than the image has; never shrunk.
    pub bytes: u64,
}

/// Where the tools may be when `PATH` leaves them out, as it does for users other than root.
const TOOLS: &[&str] = &["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

fn tool(name: &str) -> Result<PathBuf, SandboxError> {
    let found = TOOLS.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
    found.ok_or_else(|| SandboxError::Volume(format!("{name} is not installed")))
}

/// Runs a tool of e2fsprogs; codes up to `worst` are good.
fn run(name: &str, arguments: &[&std::ffi::OsStr], worst: i32) -> Result<(), SandboxError> {
    let mut command = Command::new(tool(name)?);
    command.args(arguments).env_clear().stdin(Stdio::null());
    let output = command.output().map_err(SandboxError::io(name))?;
    if output.status.code().is_some_and(|code| code <= worst) {
        return Ok(());
    }
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words);
    let last = words.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    Err(SandboxError::Volume(format!("{name}: {last}")))
}

/// Makes or grows the image. Blocks, for as long as copying the folder's content takes when it is made.
pub(super) fn prepare(volume: &Volume, work: &Path, uid: u32) -> Result<(), SandboxError> {
    let image = &volume.image;
    let size = match fs::metadata(image) {
        Ok(meta) => meta.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return make(volume, work, uid),
        Err(error) => return Err(SandboxError::io(image.display().to_string())(error)),
    };
    if size < volume.bytes {
        let file = OpenOptions::new().write(true).open(image);
        file.and_then(|file| file.set_len(volume.bytes))
            .map_err(SandboxError::io(image.display().to_string()))?;
        // A file system that was in use must be checked before it is grown: 1 and 2 say that something was repaired.
        run("e2fsck", &["-f".as_ref(), "-p".as_ref(), image.as_os_str()], 2)?;
        run("resize2fs", &[image.as_os_str()], 0)?;
    }
    Ok(())
}

fn make(volume: &Volume, work: &Path, uid: u32) -> Result<(), SandboxError> {
    // Under its name only when it is whole.
    let partial = volume.image.with_extension("partial");
    let made = || -> io::Result<()> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
        file.set_len(volume.bytes)
    };
    made().map_err(SandboxError::io(partial.display().to_string()))?;
    let owner = format!("root_owner={uid}:{uid},lazy_itable_init=1,lazy_journal_init=1,nodiscard");
    let mut arguments: Vec<&std::ffi::OsStr> =
        vec!["-q".as_ref(), "-F".as_ref(), "-m".as_ref(), "0".as_ref(), "-E".as_ref(), owner.as_ref()];
    // What is copied keeps its owner.
    super::ids::claim(work, Some(uid)).map_err(SandboxError::io(work.display().to_string()))?;
    let filled = fs::read_dir(work).is_ok_and(|mut entries| entries.next().is_some());
    if filled {
        arguments.extend(["-d".as_ref(), work.as_os_str()]);
    }
    arguments.push(partial.as_os_str());
    run("mkfs.ext4", &arguments, 0)?;
    fs::rename(&partial, &volume.image).map_err(SandboxError::io(volume.image.display().to_string()))
}

/// Whether this machine can do it: tried with a small image.
pub(super) fn probe(scratch: &Path) -> Result<(), String> {
    tool("mkfs.ext4")
        .and_then(|_| tool("resize2fs"))
        .and_then(|_| tool("e2fsck"))
        .map_err(|error| error.to_string())?;
    let path = scratch.join(format!("loop-probe-{}", std::process::id()));
    let attempt = || -> io::Result<()> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
        file.set_len(1 << 20)?;
        // The device lets go of the file when this descriptor is closed.
        attach(&file).map(drop)
    };
    let result = attempt().map_err(|error| format!("no loop device: {error}"));
    let _ = fs::remove_file(&path);
    result
}

// linux/loop.h
const LOOP_CTL_GET_FREE: c_ulong = 0x4C82;
const LOOP_CONFIGURE: c_ulong = 0x4C0A;
const LO_FLAGS_AUTOCLEAR: u32 = 4;

/// `struct loop_info64`.
#[repr(C)]
struct LoopInfo {
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    size_limit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; 64],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

/// `struct loop_config`.
#[repr(C)]
struct LoopConfig {
    fd: u32,
    block_size: u32,
    info: LoopInfo,
    reserved: [u64; 8],
}

/// A loop device on the file, gone when nobody holds it open or mounted.
fn attach(image: &File) -> io::Result<(PathBuf, File)> {
    let control = OpenOptions::new().read(true).write(true).open("/dev/loop-control")?;
    let fd = |fd: RawFd| u32::try_from(fd).map_err(io::Error::other);
    for _ in 0..64 {
        let number = sys::ioctl_number(&control, LOOP_CTL_GET_FREE, 0)?;
        let path = PathBuf::from(format!("/dev/loop{number}"));
        let device = OpenOptions::new().read(true).write(true).open(&path)?;
        let info = LoopInfo {
            device: 0,
            inode: 0,
            rdevice: 0,
            offset: 0,
            size_limit: 0,
            number: 0,
            encrypt_type: 0,
            encrypt_key_size: 0,
            flags: LO_FLAGS_AUTOCLEAR,
            file_name: [0; 64],
            crypt_name: [0; 64],
            encrypt_key: [0; 32],
            init: [0; 2],
        };
        let mut config = LoopConfig { fd: fd(image.as_raw_fd())?, block_size: 0, info, reserved: [0; 8] };
        match sys::ioctl(&device, LOOP_CONFIGURE, &mut config) {
            Ok(_) => return Ok((path, device)),
            // Somebody else was faster.
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("no free loop device"))
}

/// Mounts the image, in the namespace of this process.
pub(super) fn mount(volume: &Volume, target: &Path) -> io::Result<()> {
    let image = OpenOptions::new().read(true).write(true).open(&volume.image)?;
    // An empty read tells a file that cannot be read from one that is not a file system.
    image.read_at(&mut [0; 1], 0)?;
    let (path, device) = attach(&image)?;
    let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOATIME;
    // What is broken in it is not repaired by guessing; the rest stays readable.
    let mounted = sys::mount(&path, target, "ext4", flags, "errors=remount-ro,discard");
    drop(device);
    mounted.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", volume.image.display())))
}
