//! The tools of e2fsprogs, and what they and the kernel write at the beginning of a file system.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::SandboxError;

/// Where the tools may be when `PATH` leaves them out, as it does for users other than root.
const TOOLS: &[&str] = &["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

fn find(name: &str) -> Result<PathBuf, SandboxError> {
    let found = TOOLS.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
    found.ok_or_else(|| SandboxError::Volume(format!("{name} is not installed (e2fsprogs)")))
}

/// Whether all are there that a volume may need in its life.
pub(super) fn complete() -> Result<(), SandboxError> {
    ["mkfs.ext4", "e2fsck", "resize2fs"].iter().try_for_each(|name| find(name).map(drop))
}

/// Runs a tool of e2fsprogs on an image that is held; codes up to `worst` are good.
pub(super) fn run(name: &str, arguments: &[&OsStr], worst: i32, held: &File) -> Result<(), SandboxError> {
    let program = find(name)?;
    // Its input holds the lock: should this process be killed, nobody else comes near before the tool is done.
    let lock = held.try_clone().map_err(SandboxError::io(name))?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().stdin(Stdio::from(lock));
    let output = command.output().map_err(SandboxError::io(name))?;
    if output.status.code().is_some_and(|code| code <= worst) {
        return Ok(());
    }
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words);
    let last = words.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    Err(SandboxError::Volume(format!("{name}: {last}")))
}

/// What a file system says of itself.
pub(super) struct Superblock {
    pub(super) blocks: u64,
    pub(super) block_size: u64,
    /// The kernel, or a tool, met something wrong in it or was stopped half-way.
    pub(super) faulty: bool,
}

impl Superblock {
    /// `struct ext4_super_block`; `None` for anything else.
    pub(super) fn read(image: &File) -> io::Result<Option<Self>> {
        let mut block = [0; 1024];
        match image.read_exact_at(&mut block, 1024) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let word = |at: usize| u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
        if word(0x38) & 0xffff != 0xef53 || word(0x18) > 6 {
            return Ok(None);
        }
        let wide = word(0x60) & 0x80 != 0;
        let high = if wide { u64::from(word(0x150)) << 32 } else { 0 };
        // `s_state`: 1 for unmounted in order, 2 for errors. One that is mounted, or was when the machine lost its power,
        // has neither, which its journal makes good.
        let faulty = word(0x38) >> 16 & 2 != 0;
        Ok(Some(Self { blocks: high | u64::from(word(4)), block_size: 1024 << word(0x18), faulty }))
    }
}
