//! System calls that rustix has not, or not with the features built here: each a plain function with the error as
//! `io::Error`. All `unsafe` of the sandbox but the fork is here.

use std::ffi::{CString, c_int, c_long, c_ulong, c_void};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub(super) const ATTR_RDONLY: u64 = 0x1;
pub(super) const ATTR_NOSUID: u64 = 0x2;
pub(super) const ATTR_NODEV: u64 = 0x4;
pub(super) const ATTR_NOEXEC: u64 = 0x8;

fn check(result: c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn check_long(result: c_long) -> io::Result<c_long> {
    if result >= 0 { Ok(result) } else { Err(io::Error::last_os_error()) }
}

fn text(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

pub(super) fn mount(source: &Path, target: &Path, kind: &str, flags: c_ulong, data: &str) -> io::Result<()> {
    let (source, target) = (text(source)?, text(target)?);
    let (kind, data) = (CString::new(kind)?, CString::new(data)?);
    // SAFETY: four strings that end in NUL and outlive the call.
    #[allow(unsafe_code)]
    let result = unsafe {
        libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, data.as_ptr().cast::<c_void>())
    };
    check(result)
}

/// Adds attributes to a mount, and to all below it if `deep`. Unlike a remount it keeps those that are locked.
pub(super) fn mount_attributes(target: &Path, add: u64, deep: bool) -> io::Result<()> {
    /// `struct mount_attr` of linux/mount.h.
    #[repr(C)]
    struct Attributes {
        set: u64,
        clear: u64,
        propagation: u64,
        userns: u64,
    }
    let target = text(target)?;
    let attributes = Attributes { set: add, clear: 0, propagation: 0, userns: 0 };
    let flags = if deep { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the kernel reads the path and as many bytes of the structure as its size says.
    #[allow(unsafe_code)]
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            target.as_ptr(),
            flags,
            &raw const attributes,
            size_of::<Attributes>(),
        )
    };
    check_long(result).map(drop)
}

pub(super) fn unmount_detached(target: &Path) -> io::Result<()> {
    let target = text(target)?;
    // SAFETY: one string that outlives the call.
    #[allow(unsafe_code)]
    let result = unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
    check(result)
}

/// The new root is the current folder; the old one is left stacked on it.
pub(super) fn pivot_root_here() -> io::Result<()> {
    // SAFETY: two constant strings.
    #[allow(unsafe_code)]
    let result = unsafe { libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr()) };
    check_long(result).map(drop)
}

pub(super) fn unshare(flags: c_int) -> io::Result<()> {
    // SAFETY: no pointers. CLONE_FILES and CLONE_FS are never asked for, so that Rust's picture of its descriptors
    // holds; the process has one thread.
    #[allow(unsafe_code)]
    let result = unsafe { libc::unshare(flags) };
    check(result)
}

pub(super) fn set_host_name(name: &str) -> io::Result<()> {
    // SAFETY: pointer and length of one string.
    #[allow(unsafe_code)]
    let result = unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) };
    check(result)
}

/// Who this process is from now on: user and group in all three forms, no other groups.
pub(super) fn become_user(uid: u32, gid: u32, drop_groups: bool) -> io::Result<()> {
    // SAFETY: no memory is handed over but an empty list.
    #[allow(unsafe_code)]
    unsafe {
        if drop_groups {
            check(libc::setgroups(0, std::ptr::null()))?;
        }
        check(libc::setresgid(gid, gid, gid))?;
        check(libc::setresuid(uid, uid, uid))
    }
}

fn prctl(option: c_int, a: c_ulong, b: c_ulong) -> io::Result<c_int> {
    // SAFETY: only used with options whose arguments are numbers.
    #[allow(unsafe_code)]
    let result = unsafe { libc::prctl(option, a, b, 0 as c_ulong, 0 as c_ulong) };
    if result >= 0 { Ok(result) } else { Err(io::Error::last_os_error()) }
}

/// Takes away every capability that a later exec could bring back, then those held now.
pub(super) fn drop_bounding() -> io::Result<()> {
    for capability in 0..64 {
        match prctl(libc::PR_CAPBSET_DROP, capability, 0) {
            Ok(_) => {}
            // Beyond the kernel's last.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(super) fn drop_capabilities() -> io::Result<()> {
    prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as c_ulong, 0)?;
    /// `_LINUX_CAPABILITY_VERSION_3`.
    const VERSION: u32 = 0x2008_0522;
    let header: [u32; 2] = [VERSION, 0];
    let none = [0u32; 6];
    // SAFETY: a header of two words and data of six, as version 3 has them.
    #[allow(unsafe_code)]
    let result = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) };
    check_long(result).map(drop)
}

pub(super) fn no_new_privileges() -> io::Result<()> {
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0).map(drop)
}

pub(super) fn not_dumpable() -> io::Result<()> {
    prctl(libc::PR_SET_DUMPABLE, 0, 0).map(drop)
}

pub(super) fn become_subreaper() -> io::Result<()> {
    prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0).map(drop)
}

/// What `ps` shows, 15 bytes.
pub(super) fn set_title(title: &std::ffi::CStr) {
    // SAFETY: a string that ends in NUL; the kernel copies 16 bytes at most and stops at NUL.
    #[allow(unsafe_code)]
    unsafe {
        libc::prctl(libc::PR_SET_NAME, title.as_ptr());
    }
}

pub(super) fn install_filter(program: &[libc::sock_filter]) -> io::Result<()> {
    let length = u16::try_from(program.len()).map_err(io::Error::other)?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: the kernel copies `length` instructions from a slice of that length and does not write.
    #[allow(unsafe_code)]
    let result = unsafe {
        libc::prctl(libc::PR_SET_SECCOMP, c_ulong::from(libc::SECCOMP_MODE_FILTER), &raw const program)
    };
    check(result)
}

/// Holds SIGCHLD back and gives a descriptor that is readable when one is pending.
pub(super) fn child_signals() -> io::Result<OwnedFd> {
    // SAFETY: the set is initialised by sigemptyset before it is read; the descriptor is new and ours.
    #[allow(unsafe_code)]
    unsafe {
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        check(libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()))?;
        let fd = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(fd)) }
    }
}

/// Lets all signals through again; for a child between fork and exec.
pub(super) fn unblock_signals() -> io::Result<()> {
    // SAFETY: as above.
    #[allow(unsafe_code)]
    unsafe {
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&raw mut set);
        check(libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut()))
    }
}

/// Waits for one of the descriptors; which are readable or hung up.
pub(super) fn poll(fds: &[i32], patience: Option<std::time::Duration>) -> io::Result<Vec<bool>> {
    let mut polled: Vec<libc::pollfd> =
        fds.iter().map(|&fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 }).collect();
    let until = patience.and_then(|time| std::time::Instant::now().checked_add(time));
    loop {
        let left = until.map(|until| until.saturating_duration_since(std::time::Instant::now()));
        let millis = left.map_or(-1, |time| c_int::try_from(time.as_millis()).unwrap_or(c_int::MAX));
        // SAFETY: pointer and length of one vector.
        #[allow(unsafe_code)]
        let result = unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, millis) };
        if result >= 0 {
            return Ok(polled.iter().map(|fd| fd.revents != 0).collect());
        }
        let error = io::Error::last_os_error();
        // The engine has children, whose ends interrupt.
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// An ioctl whose argument is a structure the kernel reads or fills.
pub(super) fn ioctl<T>(fd: impl AsFd, request: c_ulong, argument: &mut T) -> io::Result<c_int> {
    // SAFETY: callers pair each request with the structure that the kernel's interface names for it.
    #[allow(unsafe_code)]
    let result = unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), request as _, std::ptr::from_mut(argument)) };
    if result >= 0 { Ok(result) } else { Err(io::Error::last_os_error()) }
}

/// An ioctl whose argument is a number.
pub(super) fn ioctl_number(fd: impl AsFd, request: c_ulong, argument: c_ulong) -> io::Result<c_int> {
    // SAFETY: no memory is handed over.
    #[allow(unsafe_code)]
    let result = unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), request as _, argument) };
    if result >= 0 { Ok(result) } else { Err(io::Error::last_os_error()) }
}

/// Joins a control group through a file of it that is held open.
pub(super) fn write_zero(door: i32) -> io::Result<()> {
    // SAFETY: the descriptor is held open by the process this one was forked from.
    #[allow(unsafe_code)]
    let written = unsafe { libc::write(door, b"0".as_ptr().cast(), 1) };
    if written == 1 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Makes `to` stand for what `from` does, kept over exec.
pub(super) fn duplicate(from: i32, to: i32) -> io::Result<()> {
    // SAFETY: no memory is involved; after the fork no Rust value stands for `to`.
    #[allow(unsafe_code)]
    let result = unsafe { libc::dup2(from, to) };
    if result == to { Ok(()) } else { Err(io::Error::last_os_error()) }
}

pub(super) fn close(fd: i32) {
    // SAFETY: a descriptor that no Rust value stands for: made by `duplicate`.
    #[allow(unsafe_code)]
    unsafe {
        libc::close(fd);
    }
}

/// Closes all but the standard three: whatever a parent forgot to mark must not reach a notebook.
pub(super) fn close_others() -> io::Result<()> {
    // SAFETY: called first of all, when no Rust value stands for a descriptor.
    #[allow(unsafe_code)]
    let result = unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0) };
    check_long(result).map(drop)
}

/// Two processes from one; `None` in the child.
pub(super) fn fork() -> io::Result<Option<i32>> {
    // SAFETY: called in processes with a single thread only, where the child may do whatever its parent could.
    #[allow(unsafe_code)]
    let result = unsafe { libc::fork() };
    match result {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(None),
        pid => Ok(Some(pid)),
    }
}

/// One ended child, if there is any: its pid and raw status.
pub(super) fn reap_any() -> Option<(i32, c_int)> {
    let mut status = 0;
    // SAFETY: the kernel writes one number.
    #[allow(unsafe_code)]
    let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
    (pid > 0).then_some((pid, status))
}

/// Ends the process without running anything more of it.
pub(super) fn exit(code: i32) -> ! {
    // SAFETY: takes a number and does not return.
    #[allow(unsafe_code)]
    unsafe {
        libc::_exit(code)
    }
}
