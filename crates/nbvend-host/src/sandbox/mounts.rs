//! The file system that a notebook or a function sees: built as a tree of mounts on a file system in memory, then made
//! the root.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::mount::{MoveMountFlags, move_mount};

use super::etc;
use super::spec::{HOME, RUN, Spec, WORK};
use super::sys::{self, ATTR_NODEV, ATTR_NOEXEC, ATTR_NOSUID, ATTR_RDONLY};

/// Where the new root is put together: a folder every system has and nothing needed comes from.
const PLACES: &[&str] = &["/sys", "/mnt", "/media", "/srv", "/boot"];

const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom", "tty"];

/// Parts of `/proc` that are about the machine. Some are barred by being another user's already, not all in all levels.
const PROC_FROZEN: &[&str] = &["sys", "sysrq-trigger", "irq", "bus", "fs"];
const PROC_HIDDEN: &[&str] =
    &["kcore", "keys", "key-users", "timer_list", "kallsyms", "kmsg", "sched_debug", "latency_stats"];

/// Inodes of each file system in memory.
const INODES: u32 = 200_000;

/// Says what was being done when it failed.
fn at<T>(what: &Path, result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", what.display())))
}

struct Root {
    place: PathBuf,
    /// Whose it is.
    uid: u32,
    /// Bytes that he may use.
    memory: u64,
}

/// What a function sees of the host besides the system.
#[derive(Debug)]
pub(super) struct View {
    /// Its code: read-only at its path, and `/var/task`.
    pub(super) code: PathBuf,
    /// Read-only at their paths.
    pub(super) shown: Vec<PathBuf>,
    /// Its own folder, at its path and, where nothing else lies there, `/tmp`.
    pub(super) scratch: PathBuf,
}

/// Replaces the root of this process's mount namespace by one for a function. Processes, the network and the machine's
/// name are the host's.
pub(super) fn enter_function(view: &View, uid: u32, memory: u64) -> io::Result<()> {
    let sources: Vec<&Path> =
        [&view.code, &view.scratch].into_iter().chain(&view.shown).map(PathBuf::as_path).collect();
    let root = Root::begin(&sources, uid, memory)?;
    root.system()?;
    for path in ["/etc/resolv.conf", "/etc/hosts"] {
        if let Ok(real) = fs::canonicalize(path) {
            root.bind(&real, path, ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC)?;
        }
    }
    root.devices()?;
    root.processes("hidepid=invisible")?;
    if sources.iter().any(|source| source.starts_with("/tmp") || source.starts_with("/var/tmp")) {
        root.scratch_memory()?;
    } else {
        root.bind(&view.scratch, "/tmp", ATTR_NOSUID | ATTR_NODEV)?;
    }
    for path in view.shown.iter().chain([&view.code]) {
        root.read_only_at_its_path(path)?;
    }
    root.bind(&view.scratch, &view.scratch, ATTR_NOSUID | ATTR_NODEV)?;
    symlink(&view.code, root.inside("/var/task"))?;
    root.finish()
}

/// Replaces the root of this process's mount namespace; `volume` is the work folder's mount, if it has one of its own.
pub(super) fn enter(spec: &Spec, volume: Option<OwnedFd>) -> io::Result<()> {
    let sources = [&spec.work, &spec.run_dir, &spec.environment, &spec.interpreter_prefix];
    let root = Root::begin(&sources.map(PathBuf::as_path), spec.uid, spec.limits.memory)?;
    root.system()?;
    root.memory()?;
    root.devices()?;
    root.processes("")?;
    // Over what is in memory, so that these are found wherever they lie on the host.
    root.read_only_at_its_path(&spec.environment)?;
    root.read_only_at_its_path(&spec.interpreter_prefix)?;
    match volume {
        Some(volume) => {
            let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
            let moved = move_mount(volume, "", CWD, root.folder(WORK)?, flags);
            at(&spec.work, moved.map_err(io::Error::from))?;
        }
        None if spec.volume.is_some() => {
            return at(&spec.work, Err(io::Error::other("its volume is missing")));
        }
        None => root.bind(&spec.work, WORK, ATTR_NOSUID | ATTR_NODEV)?,
    }
    for (path, content) in &spec.files {
        root.file(path, content)?;
    }
    root.finish()
}

/// A folder that none of the sources is in.
fn place(sources: &[&Path]) -> io::Result<PathBuf> {
    let free = PLACES.iter().map(Path::new).find(|place| {
        let used = sources.iter().any(|source| source.starts_with(place));
        !used && fs::symlink_metadata(place).is_ok_and(|meta| meta.is_dir())
    });
    free.map(Path::to_path_buf).ok_or_else(|| io::Error::other("no folder to put the root together in"))
}

impl Root {
    fn begin(sources: &[&Path], uid: u32, memory: u64) -> io::Result<Self> {
        let none = Path::new("none");
        // Nothing mounted from here on is seen outside, and nothing mounted outside is seen here.
        at(Path::new("/"), sys::mount(none, Path::new("/"), "", libc::MS_REC | libc::MS_PRIVATE, ""))?;
        let root = Self { place: place(sources)?, uid, memory };
        let options = "size=16m,nr_inodes=20000,mode=755";
        at(&root.place, sys::mount(none, &root.place, "tmpfs", libc::MS_NOSUID | libc::MS_NODEV, options))?;
        Ok(root)
    }

    fn finish(self) -> io::Result<()> {
        std::env::set_current_dir(&self.place)?;
        sys::pivot_root_here()?;
        // The old root now lies over the new one.
        sys::unmount_detached(Path::new("/"))?;
        std::env::set_current_dir("/")?;
        sys::mount_attributes(Path::new("/dev"), ATTR_RDONLY, false)?;
        sys::mount_attributes(Path::new("/"), ATTR_RDONLY, false)
    }

    fn inside(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.place.join(path.strip_prefix("/").unwrap_or(path))
    }

    fn folder(&self, path: impl AsRef<Path>) -> io::Result<PathBuf> {
        let folder = self.inside(path);
        at(&folder, DirBuilder::new().recursive(true).mode(0o755).create(&folder))?;
        Ok(folder)
    }

    fn bind(&self, source: &Path, target: impl AsRef<Path>, attributes: u64) -> io::Result<()> {
        let target = self.inside(target);
        if at(source, fs::metadata(source))?.is_dir() {
            self.folder(target.strip_prefix(&self.place).unwrap_or(&target))?;
        } else if !target.exists() {
            let parent = target.parent().unwrap_or(&self.place);
            at(parent, DirBuilder::new().recursive(true).mode(0o755).create(parent))?;
            at(&target, File::create(&target))?;
        }
        at(source, sys::mount(source, &target, "", libc::MS_BIND | libc::MS_REC, ""))?;
        at(&target, sys::mount_attributes(&target, attributes, true))
    }

    fn system(&self) -> io::Result<()> {
        let read_only = ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV;
        self.bind(Path::new("/usr"), "/usr", read_only)?;
        for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
            let path = Path::new("/").join(name);
            match fs::symlink_metadata(&path) {
                Ok(meta) if meta.is_symlink() => symlink(fs::read_link(&path)?, self.inside(&path))?,
                Ok(_) => self.bind(&path, &path, read_only)?,
                Err(_) => {}
            }
        }
        for path in etc::SHARED.iter().map(Path::new) {
            // A link may lead to where nothing is bound: what it leads to is bound in its place.
            if let Ok(real) = fs::canonicalize(path) {
                if real.starts_with("/usr")
                    && !path.parent().is_some_and(|parent| parent.ends_with("alternatives"))
                {
                    self.folder(path.parent().unwrap_or(Path::new("/etc")))?;
                    symlink(real, self.inside(path))?;
                } else {
                    self.bind(&real, path, read_only | ATTR_NOEXEC)?;
                }
            }
        }
        for (path, text) in etc::own(self.uid) {
            self.file(Path::new(path), text.as_bytes())?;
        }
        for empty in ["/run", "/var", "/opt", "/srv"] {
            self.folder(empty)?;
        }
        // Relative: until this is the root, the host's would be meant.
        symlink("../tmp", self.inside("/var/tmp"))
    }

    fn file(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.folder(path.parent().unwrap_or(Path::new("/")))?;
        at(path, fs::write(self.inside(path), content))
    }

    fn tmpfs(&self, path: &str, flags: u64, options: &str) -> io::Result<()> {
        let target = self.folder(path)?;
        let flags = flags | libc::MS_NOSUID;
        at(Path::new(path), sys::mount(Path::new("none"), &target, "tmpfs", flags, options))
    }

    /// What a notebook may write besides its work folder. It counts as its memory; together less than all of it, so
    /// that full files alone do not make the kernel kill.
    fn memory(&self) -> io::Result<()> {
        let (uid, size) = (self.uid, self.share());
        self.scratch_memory()?;
        self.tmpfs(HOME, libc::MS_NODEV, &format!("{size},mode=700,uid={uid},gid={uid}"))?;
        // On the host it would be a way to fill the host's disk.
        self.tmpfs(RUN, libc::MS_NODEV, &format!("size=16m,nr_inodes=4000,mode=700,uid={uid},gid={uid}"))
    }

    fn scratch_memory(&self) -> io::Result<()> {
        self.tmpfs("/tmp", libc::MS_NODEV, &format!("{},mode=1777", self.share()))
    }

    fn share(&self) -> String {
        format!("size={},nr_inodes={INODES}", self.memory / 4)
    }

    fn devices(&self) -> io::Result<()> {
        self.tmpfs("/dev", libc::MS_NOEXEC, "size=64k,nr_inodes=64,mode=755")?;
        for name in DEVICES {
            let device = Path::new("/dev").join(name);
            self.bind(&device, &device, ATTR_NOSUID | ATTR_NOEXEC)?;
        }
        let pts = self.folder("/dev/pts")?;
        let flags = libc::MS_NOSUID | libc::MS_NOEXEC;
        at(&pts, sys::mount(Path::new("none"), &pts, "devpts", flags, "newinstance,ptmxmode=0666,mode=620"))?;
        self.tmpfs("/dev/shm", libc::MS_NODEV, &format!("{},mode=1777", self.share()))?;
        let links = [
            ("ptmx", "pts/ptmx"),
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
        ];
        links.iter().try_for_each(|(name, target)| symlink(target, self.inside("/dev").join(name)))
    }

    fn processes(&self, options: &str) -> io::Result<()> {
        let proc = self.folder("/proc")?;
        let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
        at(&proc, sys::mount(Path::new("none"), &proc, "proc", flags, options))?;
        for path in PROC_FROZEN.iter().map(|name| proc.join(name)).filter(|path| path.exists()) {
            at(&path, sys::mount(&path, &path, "", libc::MS_BIND | libc::MS_REC, ""))?;
            at(&path, sys::mount_attributes(&path, ATTR_RDONLY, true))?;
        }
        for path in PROC_HIDDEN.iter().map(|name| proc.join(name)).filter(|path| path.exists()) {
            at(&path, sys::mount(Path::new("/dev/null"), &path, "", libc::MS_BIND, ""))?;
        }
        Ok(())
    }

    fn read_only_at_its_path(&self, path: &Path) -> io::Result<()> {
        // What is there already is not bound again; a prefix of `/` would bring in the host.
        if path.starts_with("/usr") {
            return Ok(());
        }
        let system =
            ["/", "/etc", "/proc", "/dev", "/sys", "/run", "/home", "/tmp", "/var", "/root", HOME, WORK, RUN];
        if !path.is_absolute() || system.iter().any(|folder| path == Path::new(folder)) {
            return at(path, Err(io::Error::other("cannot be shown inside")));
        }
        self.bind(path, path, ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV)
    }
}
