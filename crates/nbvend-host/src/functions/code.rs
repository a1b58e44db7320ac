//! Deployment packages: checked, unpacked once for each content, shared by all processes that use it.
//!
//! A package is a stranger's file. Names that leave the folder are refused; symbolic links are made last, so
//! that nothing is ever written through one; sizes are counted while writing, whatever the headers claim.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use zip::ZipArchive;

/// AWS's limit on an unpacked package: 250 MiB.
pub const UNPACKED_LIMIT: u64 = 262_144_000;
const ENTRY_LIMIT: usize = 100_000;
const LINK_LIMIT: u64 = 4096;
/// Of a name in a package, in bytes and in folders; the folders that names imply are entries too.
const NAME_LIMIT: usize = 1024;
const DEPTH_LIMIT: usize = 128;

/// Why a package cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    #[error("Could not unzip uploaded file: {0}")]
    NotAZip(#[from] zip::result::ZipError),
    #[error("the package has a name that is not allowed: {0:?}")]
    Name(String),
    #[error("the package has {0:?} both as a file and as a folder")]
    Clash(String),
    #[error("Unzipped size must be smaller than {0} bytes")]
    TooLarge(u64),
    #[error("the package has more than {ENTRY_LIMIT} entries")]
    TooMany,
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Reads a package through without writing anything, to refuse a bad one when it is uploaded.
/// Returns its unpacked size in bytes.
///
/// # Errors
/// As unpacking it would give.
pub fn check(package: &Path) -> Result<u64, CodeError> {
    walk(package, UNPACKED_LIMIT, &mut |_, _, content| match content {
        Content::File(from) => io::copy(from, &mut io::sink()).map(|_| ()),
        Content::Folder | Content::Link(_) => Ok(()),
    })
}

/// A package on disk; the folder goes when the last user does.
#[derive(Debug)]
pub(super) struct Unpacked {
    root: PathBuf,
}

impl Unpacked {
    pub(super) fn root(&self) -> &Path {
        &self.root
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        if let Err(error) = crate::remove_tree(&self.root) {
            tracing::debug!(root = %self.root.display(), %error, "unpacked code stays until the next start");
        }
    }
}

type Cell = Arc<tokio::sync::Mutex<Weak<Unpacked>>>;

/// The packages in use.
#[derive(Debug)]
pub(super) struct CodeCache {
    dir: PathBuf,
    limit: u64,
    cells: Mutex<HashMap<String, Cell>>,
}

impl CodeCache {
    pub(super) fn new(dir: PathBuf, limit: u64) -> Self {
        Self { dir, limit, cells: Mutex::new(HashMap::new()) }
    }

    /// The package `id`, unpacked from `package` if nobody has it yet. Callers at the same time wait for one.
    pub(super) async fn get(&self, id: &str, package: &Path) -> Result<Arc<Unpacked>, CodeError> {
        let cell = {
            let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
            cells.retain(|_, cell| {
                Arc::strong_count(cell) > 1 || cell.try_lock().is_ok_and(|c| c.strong_count() > 0)
            });
            cells.entry(id.to_string()).or_default().clone()
        };
        let mut cell = cell.lock().await;
        if let Some(unpacked) = cell.upgrade() {
            return Ok(unpacked);
        }
        // A new name each time: an older folder of the same content may be on its way out.
        let root = self.dir.join(super::rundir::random_hex(8));
        let (package, limit) = (package.to_path_buf(), self.limit);
        let unpacked = tokio::task::spawn_blocking(move || unpack(&package, root, limit))
            .await
            .map_err(io::Error::other)??;
        let unpacked = Arc::new(unpacked);
        *cell = Arc::downgrade(&unpacked);
        Ok(unpacked)
    }
}

fn unpack(package: &Path, root: PathBuf, limit: u64) -> Result<Unpacked, CodeError> {
    folder(&root)?;
    let unpacked = Unpacked { root };
    let mut links: BTreeMap<PathBuf, String> = BTreeMap::new();
    walk(package, limit, &mut |name, mode, content| {
        let path = unpacked.root.join(name);
        match content {
            Content::Folder => folder(&path),
            Content::Link(target) => {
                links.insert(path, target);
                Ok(())
            }
            Content::File(from) => {
                if let Some(parent) = path.parent() {
                    folder(parent)?;
                }
                let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
                io::copy(from, &mut file)?;
                file.flush()?;
                // After writing, so that neither the umask nor a missing write bit is in the way.
                file.set_permissions(fs::Permissions::from_mode(mode))
            }
        }
    })?;
    for (path, target) in links {
        if let Some(parent) = path.parent() {
            folder(parent)?;
        }
        symlink(target, path)?;
    }
    Ok(unpacked)
}

/// Readable whatever the umask: the function may be a user of its own.
fn folder(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.is_dir()).collect();
    missing.into_iter().rev().try_for_each(|folder| {
        fs::create_dir(folder)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
    })
}

enum Content<'a> {
    Folder,
    Link(String),
    File(&'a mut dyn Read),
}

type Visit<'a> = &'a mut dyn FnMut(&Path, u32, Content<'_>) -> io::Result<()>;

/// Visits each entry with its safe relative name and its permission bits. Returns the sum of sizes.
fn walk(package: &Path, limit: u64, visit: Visit<'_>) -> Result<u64, CodeError> {
    let mut archive = ZipArchive::new(io::BufReader::new(File::open(package)?))?;
    if archive.len() > ENTRY_LIMIT {
        return Err(CodeError::TooMany);
    }
    let mut names = Names::default();
    let mut left = limit;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let raw = entry.name()?.into_owned();
        let name = safe_name(&raw).ok_or_else(|| CodeError::Name(raw.clone()))?;
        names.add(&name, entry.is_dir()).map_err(|()| CodeError::Clash(raw))?;
        if names.folder.len() > ENTRY_LIMIT {
            return Err(CodeError::TooMany);
        }
        // Packages made where there are no permission bits carry none; such a file can be read, not executed.
        let mode = entry.unix_mode().unwrap_or(0o644) & 0o777 | 0o444;
        // AWS would refuse what only its owner may execute; here whoever made the package is meant by that.
        let mode = if mode & 0o100 == 0 { mode } else { mode | 0o111 };
        if entry.is_dir() {
            visit(&name, mode, Content::Folder)?;
        } else if entry.is_symlink() {
            let mut target = String::new();
            (&mut entry).take(LINK_LIMIT).read_to_string(&mut target)?;
            visit(&name, mode, Content::Link(target))?;
        } else {
            // One byte more than is left: reaching it means the limit is broken.
            let mut counted = Counted { from: (&mut entry).take(left + 1), read: 0 };
            visit(&name, mode, Content::File(&mut counted))?;
            left = left.checked_sub(counted.read).ok_or(CodeError::TooLarge(limit))?;
        }
    }
    Ok(limit - left)
}

struct Counted<R> {
    from: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.read += count as u64;
        Ok(count)
    }
}

/// The name as a path below the root, or nothing if it is absolute, empty or climbs.
fn safe_name(raw: &str) -> Option<PathBuf> {
    if raw.contains('\0') || raw.contains('\\') || raw.len() > NAME_LIMIT {
        return None;
    }
    let mut name = PathBuf::new();
    for component in Path::new(raw).components() {
        match component {
            Component::Normal(part) if part.len() <= 255 => name.push(part),
            Component::CurDir => {}
            Component::Normal(_) | Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return None;
            }
        }
    }
    if name.components().count() > DEPTH_LIMIT {
        return None;
    }
    // "./" names the root itself, which is there already.
    (!name.as_os_str().is_empty() || raw.ends_with('/')).then_some(name)
}

/// Every path seen, to refuse one that is used both as a file (or link) and as a folder.
#[derive(Default)]
struct Names {
    folder: HashMap<PathBuf, bool>,
}

impl Names {
    fn add(&mut self, name: &Path, is_folder: bool) -> Result<(), ()> {
        for parent in name.ancestors().skip(1) {
            if !*self.folder.entry(parent.to_path_buf()).or_insert(true) {
                return Err(());
            }
        }
        match self.folder.insert(name.to_path_buf(), is_folder) {
            None => Ok(()),
            Some(true) if is_folder => Ok(()),
            Some(_) => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    enum Entry {
        File(&'static str, u32, Vec<u8>),
        Link(&'static str, &'static str),
        Folder(&'static str),
    }
    use Entry::{File as F, Folder as D, Link as L};

    fn package(dir: &Path, entries: &[Entry]) -> PathBuf {
        let path = dir.join("package.zip");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        let options = SimpleFileOptions::default();
        for entry in entries {
            match entry {
                F(name, mode, content) => {
                    zip.start_file(*name, options.unix_permissions(*mode)).unwrap();
                    zip.write_all(content).unwrap();
                }
                L(name, target) => zip.add_symlink(*name, *target, options).unwrap(),
                D(name) => zip.add_directory(*name, options).unwrap(),
            }
        }
        zip.finish().unwrap();
        path
    }

    #[test]
    fn contents_modes_and_links_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let zip = package(
            dir.path(),
            &[
                F("bootstrap", 0o755, b"run".to_vec()),
                F("lib/data.txt", 0o4640, b"data".to_vec()),
                F("locked", 0o000, b"".to_vec()),
                L("lib/link", "../bootstrap"),
                L("outside", "/etc/hostname"),
                D("empty/"),
            ],
        );
        assert_eq!(check(&zip).unwrap(), 7);
        let unpacked = unpack(&zip, dir.path().join("out"), UNPACKED_LIMIT).unwrap();
        let mode =
            |name: &str| fs::metadata(unpacked.root().join(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode("bootstrap"), 0o755);
        assert_eq!(mode("lib/data.txt"), 0o644, "the set-uid bit is not kept");
        assert_eq!(mode("locked"), 0o444, "the function can always read");
        assert_eq!(fs::read(unpacked.root().join("lib/link")).unwrap(), b"run");
        assert_eq!(fs::read_link(unpacked.root().join("outside")).unwrap(), Path::new("/etc/hostname"));
        assert!(unpacked.root().join("empty").is_dir());
        let root = unpacked.root().to_path_buf();
        drop(unpacked);
        assert!(!root.exists());
    }

    #[test]
    fn hostile_packages_are_refused_and_leave_nothing() {
        let evil = || b"evil".to_vec();
        let name =
            |folders: &str, last: usize| -> &'static str { (folders.to_owned() + &"x".repeat(last)).leak() };
        let cases: Vec<(&str, Vec<Entry>)> = vec![
            ("name", vec![F("../escape", 0o644, evil())]),
            ("name", vec![F("a/../../escape", 0o644, evil())]),
            ("name", vec![F("/etc/escape", 0o644, evil())]),
            ("name", vec![F("..\\escape", 0o644, evil())]),
            ("name", vec![L("../escape", "x")]),
            ("name", vec![F(name(&"a/".repeat(2), 1020), 0o644, evil())]),
            ("name", vec![F(name(&"a/".repeat(128), 1), 0o644, evil())]),
            ("name", vec![F(name("", 256), 0o644, evil())]),
            ("both as", vec![L("dir", "/tmp"), F("dir/escape", 0o644, evil())]),
            ("both as", vec![F("dir/escape", 0o644, evil()), L("dir", "/tmp")]),
            ("both as", vec![F("x", 0o644, evil()), F("x/y", 0o644, evil())]),
            ("smaller than", vec![F("big", 0o644, vec![0; 2000])]),
            ("smaller than", vec![F("a", 0o644, vec![0; 600]), F("b", 0o644, vec![0; 600])]),
        ];
        for (wanted, entries) in cases {
            let dir = tempfile::tempdir().unwrap();
            let zip = package(dir.path(), &entries);
            let inner = dir.path().join("inner");
            fs::create_dir(&inner).unwrap();
            let error = unpack(&zip, inner.join("out"), 1000).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error:?} should have {wanted:?}");
            assert!(!inner.join("escape").exists() && !dir.path().join("escape").exists());
            assert!(!inner.join("out").exists());
        }
    }

    #[test]
    fn what_is_no_zip_is_said_so() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.zip");
        fs::write(&path, "hello").unwrap();
        assert!(matches!(check(&path), Err(CodeError::NotAZip(_))));
        assert!(matches!(check(&dir.path().join("none")), Err(CodeError::Io(_))));
    }

    #[tokio::test]
    async fn one_content_is_unpacked_once_and_kept_while_used() {
        let dir = tempfile::tempdir().unwrap();
        let zip = package(dir.path(), &[F("x", 0o644, b"x".to_vec())]);
        let cache = CodeCache::new(dir.path().to_path_buf(), UNPACKED_LIMIT);
        let (first, second) = tokio::join!(cache.get("id", &zip), cache.get("id", &zip));
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(first.root(), second.root());
        let old = first.root().to_path_buf();
        drop((first, second));
        assert!(!old.exists());
        assert!(cache.get("id", &zip).await.unwrap().root().join("x").exists());
    }
}
