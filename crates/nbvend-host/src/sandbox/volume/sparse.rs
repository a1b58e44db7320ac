//! Files with holes.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};

use rustix::io::Errno;

/// The parts of a file that hold data, `None` where it has no holes to speak of or its file system cannot tell.
pub fn holes(file: &File) -> io::Result<Option<Vec<Range<u64>>>> {
    let meta = file.metadata()?;
    let length = meta.len();
    if meta.blocks() * 512 >= length {
        return Ok(None);
    }
    let mut parts = Vec::new();
    let mut at = 0;
    while at < length {
        let start = match rustix::fs::seek(file, rustix::fs::SeekFrom::Data(at)) {
            Ok(start) if start < length => start,
            Ok(_) | Err(Errno::NXIO) => break,
            Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let end = rustix::fs::seek(file, rustix::fs::SeekFrom::Hole(start))?.min(length);
        parts.push(start..end);
        at = end;
    }
    Ok(Some(parts))
}

/// Copies a file into an empty one, holes as holes. Several may copy from one description at once.
pub(super) fn copy(from: &File, to: &File) -> io::Result<()> {
    let length = from.metadata()?.len();
    let parts = holes(from)?.unwrap_or_else(|| std::iter::once(0..length).collect());
    to.set_len(length)?;
    let mut buffer = vec![0; 256 << 10];
    for part in parts {
        let mut at = part.start;
        while at < part.end {
            let wanted = buffer.len().min(usize::try_from(part.end - at).unwrap_or(usize::MAX));
            let read = from.read_at(&mut buffer[..wanted], at)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            to.write_all_at(&buffer[..read], at)?;
            at += read as u64;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_the_same_and_as_sparse() {
        let (from, to) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        from.set_len(1 << 30).unwrap();
        from.write_all_at(b"begin", 0).unwrap();
        from.write_all_at(b"end", (1 << 30) - 3).unwrap();
        from.write_all_at(&[7; 10_000], 5 << 20).unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(to.metadata().unwrap().len(), 1 << 30);
        assert!(to.metadata().unwrap().blocks() * 512 < 1 << 20, "{}", to.metadata().unwrap().blocks());
        let part = |file: &File, at: u64, length: usize| {
            let mut bytes = vec![0; length];
            file.read_exact_at(&mut bytes, at).unwrap();
            bytes
        };
        for (at, length) in [(0, 9000), ((5 << 20) - 5000, 20_000), ((1 << 30) - 9000, 9000)] {
            assert_eq!(part(&from, at, length), part(&to, at, length));
        }
        assert_eq!(holes(&to).unwrap().unwrap().len(), 3);
    }

    #[test]
    fn a_full_file_has_no_holes() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&[1; 100_000], 0).unwrap();
        assert_eq!(holes(&file).unwrap(), None);
        file.set_len(1 << 20).unwrap();
        assert_eq!(holes(&file).unwrap().unwrap().len(), 1);
        file.set_len(0).unwrap();
        file.set_len(1 << 20).unwrap();
        assert_eq!(holes(&file).unwrap(), Some(vec![]));
    }
}
