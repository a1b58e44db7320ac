//! Folders that people work in: files come and go, grow and shrink while they are read, and links may be put where files
//! were. Nothing is followed, nothing is read twice, holes stay holes.

use std::ffi::{CStr, OsStr};
use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

use nbvend_host::sandbox::holes;
use rustix::fs::{Dir, Mode, OFlags, openat, readlinkat};
use rustix::io::Errno;

/// Folders within folders, as deep as a notebook that is restored may have them.
const DEEPEST: u32 = 300;

pub(super) fn folder<W: Write>(
    archive: &mut tar::Builder<W>,
    folder: impl AsFd,
    name: &Path,
) -> io::Result<()> {
    walk(archive, folder.as_fd().try_clone_to_owned()?, name, 0)
}

fn walk<W: Write>(archive: &mut tar::Builder<W>, folder: OwnedFd, name: &Path, depth: u32) -> io::Result<()> {
    if depth > DEEPEST {
        return Err(io::Error::other(format!("{} is nested too deep", name.display())));
    }
    let folder = File::from(folder);
    let mut header = header(&folder.metadata()?);
    header.set_size(0);
    archive.append_data(&mut header, name, io::empty())?;
    for entry in Dir::read_from(&folder)? {
        let entry = entry?;
        let own = entry.file_name();
        // The file system's own, at the top of each volume.
        if own == c"." || own == c".." || depth == 0 && own == c"lost+found" {
            continue;
        }
        let name = name.join(OsStr::from_bytes(own.to_bytes()));
        match one(archive, &folder, own, &name, depth) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => done?,
        }
    }
    Ok(())
}

fn one<W: Write>(
    archive: &mut tar::Builder<W>,
    folder: &File,
    own: &CStr,
    name: &Path,
    depth: u32,
) -> io::Result<()> {
    // Sockets and pipes are no content, and are not opened for what they do then.
    let seen = openat(folder, own, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let seen = File::from(seen).metadata()?;
    if seen.is_symlink() {
        let target = match readlinkat(folder, own, Vec::new()) {
            // Another thing by now.
            Err(Errno::INVAL) => return Ok(()),
            target => target?,
        };
        let mut header = header(&seen);
        header.set_size(0);
        return archive.append_link(&mut header, name, Path::new(OsStr::from_bytes(target.to_bytes())));
    }
    if !seen.is_dir() && !seen.is_file() {
        return Ok(());
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = match openat(folder, own, flags, Mode::empty()) {
        // A link by now, or a socket.
        Err(Errno::LOOP | Errno::NXIO) => return Ok(()),
        opened => opened?,
    };
    let opened = File::from(opened);
    let now = opened.metadata()?;
    if now.is_dir() {
        walk(archive, opened.into(), name, depth + 1)
    } else if now.is_file() {
        file(archive, &opened, name)
    } else {
        Ok(())
    }
}

fn header(meta: &Metadata) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_metadata(meta);
    header
}

/// A file as long as it is now: one that grows meanwhile is cut, one that shrinks is filled up with zeros.
pub(super) fn file<W: Write>(archive: &mut tar::Builder<W>, file: &File, name: &Path) -> io::Result<()> {
    let meta = file.metadata()?;
    let length = meta.len();
    let mut header = header(&meta);
    let Some(parts) = holes(file)? else {
        header.set_size(length);
        return archive.append_data(
            &mut header,
            name,
            Parts::new(file, std::iter::once(0..length).collect()),
        );
    };
    // GNU's form of files with holes: the parts in the header and in blocks behind it, an empty one at the end.
    let mut parts: Vec<Range<u64>> = parts.into_iter().filter(|part| part.start < length).collect();
    parts.push(length..length);
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_size(parts.iter().map(|part| part.end - part.start).sum());
    let gnu = header.as_gnu_mut().ok_or(io::ErrorKind::InvalidData)?;
    let gnu_slots = gnu.sparse.len();
    gnu.set_real_size(length);
    gnu.set_is_extended(parts.len() > gnu_slots);
    for (entry, part) in gnu.sparse.iter_mut().zip(&parts) {
        entry.set_offset(part.start);
        entry.set_length(part.end - part.start);
    }
    let mut blocks = Vec::new();
    let mut rest = parts.iter().skip(gnu_slots).cloned().collect::<Vec<_>>();
    while !rest.is_empty() {
        let mut block = tar::GnuExtSparseHeader::new();
        let next = rest.split_off(rest.len().min(block.sparse.len()));
        for (entry, part) in block.sparse.iter_mut().zip(&rest) {
            entry.set_offset(part.start);
            entry.set_length(part.end - part.start);
        }
        block.set_is_extended(!next.is_empty());
        blocks.extend_from_slice(block.as_bytes());
        rest = next;
    }
    archive.append_data(&mut header, name, io::Cursor::new(blocks).chain(Parts::new(file, parts)))
}

/// Reads parts of a file one after the other, zeros where it has become shorter.
struct Parts<'a> {
    file: &'a File,
    parts: std::vec::IntoIter<Range<u64>>,
    now: Range<u64>,
}

impl<'a> Parts<'a> {
    fn new(file: &'a File, parts: Vec<Range<u64>>) -> Self {
        Self { file, parts: parts.into_iter(), now: 0..0 }
    }
}

impl Read for Parts<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.now.is_empty() {
            match self.parts.next() {
                Some(part) => self.now = part,
                None => return Ok(0),
            }
        }
        let left = usize::try_from(self.now.end - self.now.start).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let buffer = &mut buffer[..wanted];
        let mut read = self.file.read_at(buffer, self.now.start)?;
        if read == 0 {
            buffer.fill(0);
            read = buffer.len();
        }
        self.now.start += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    fn roundtrip(from: &Path, to: &Path) -> usize {
        let mut archive = tar::Builder::new(Vec::new());
        folder(&mut archive, File::open(from).unwrap(), Path::new("x")).unwrap();
        let bytes = archive.into_inner().unwrap();
        tar::Archive::new(bytes.as_slice()).unpack(to).unwrap();
        bytes.len()
    }

    #[test]
    fn what_is_packed_comes_back_and_holes_cost_nothing() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let at = |name: &str| from.path().join(name);
        std::fs::create_dir(at("deep")).unwrap();
        std::fs::create_dir(at("lost+found")).unwrap();
        std::fs::write(at("deep/ü"), "text").unwrap();
        std::fs::write(at(&"n".repeat(180)), "long name").unwrap();
        symlink("/etc/shadow", at("link")).unwrap();
        std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        // 0, 1, and more parts than one header and one block behind it hold.
        for (name, parts) in [("none", 0), ("one", 1), ("many", 60)] {
            let file = File::create(at(name)).unwrap();
            file.set_len((1 << 30) + 77).unwrap();
            for part in 0..parts {
                file.write_all_at(&[part as u8 + 1; 5000], part * (10 << 20) + 4096).unwrap();
            }
        }
        let file = File::create(at("ends")).unwrap();
        file.write_all_at(b"end", (1 << 30) - 3).unwrap();

        assert!(roundtrip(from.path(), to.path()) < 2 << 20);
        let back = |name: &str| to.path().join("x").join(name);
        assert_eq!(std::fs::read(back("deep/ü")).unwrap(), b"text");
        assert_eq!(std::fs::read(back(&"n".repeat(180))).unwrap(), b"long name");
        assert_eq!(std::fs::read_link(back("link")).unwrap(), Path::new("/etc/shadow"));
        assert!(!back("socket").exists() && !back("lost+found").exists());
        for (name, parts) in [("none", 0), ("one", 1), ("many", 60)] {
            let file = File::open(back(name)).unwrap();
            assert_eq!(file.metadata().unwrap().len(), (1 << 30) + 77);
            assert!(file.metadata().unwrap().blocks() * 512 < 2 << 20, "{name}");
            for part in 0..parts {
                let mut bytes = [0; 6000];
                file.read_exact_at(&mut bytes, part * (10 << 20) + 4096).unwrap();
                assert!(
                    bytes[..5000].iter().all(|byte| *byte == part as u8 + 1) && bytes[5999] == 0,
                    "{name}"
                );
            }
        }
        let mut bytes = [0; 6];
        File::open(back("ends")).unwrap().read_exact_at(&mut bytes, (1 << 30) - 6).unwrap();
        assert_eq!(&bytes, b"\0\0\0end");
    }

    #[test]
    fn a_file_that_shrinks_is_filled_up() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&[7; 100], 0).unwrap();
        let mut read = Vec::new();
        Parts::new(&file, vec![0..50, 90..150]).read_to_end(&mut read).unwrap();
        assert_eq!(read, [vec![7; 60], vec![0; 50]].concat());
    }
}
