//! Content-addressed files: objects' bodies and functions' packages. A blob is written whole to a temporary file,
//! synced, renamed to its SHA-256, and only then pointed to by a record; a crash in between leaves a file that
//! nobody points to, which [`Blobs::sweep`] removes.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use sha2::{Digest, Sha256};

use super::{StoreError, file_error};

/// The folder of blobs. Cheap to clone.
#[derive(Clone)]
pub struct Blobs {
    folder: Arc<PathBuf>,
    /// Held while a blob is put in its place and while one is removed, so that a sweep never takes what is just being
    /// written a second time.
    placing: Arc<Mutex<()>>,
}

impl Blobs {
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        for sub in [folder.to_path_buf(), folder.join("tmp")] {
            std::fs::create_dir_all(&sub).map_err(|e| file_error(&sub, e))?;
        }
        Ok(Self { folder: Arc::new(folder.to_path_buf()), placing: Arc::default() })
    }

    /// Begins a blob.
    pub fn writer(&self) -> Result<BlobWriter, StoreError> {
        let folder = self.folder.join("tmp");
        let file = tempfile::NamedTempFile::new_in(&folder).map_err(|e| file_error(&folder, e))?;
        Ok(BlobWriter { blobs: self.clone(), file, digest: Sha256::new(), size: 0 })
    }

    /// Writes a whole blob; its id is the hex of its SHA-256.
    pub fn put(&self, bytes: &[u8]) -> Result<String, StoreError> {
        let mut writer = self.writer()?;
        writer.write(bytes)?;
        Ok(writer.finish()?.0)
    }

    /// Where the blob of that id lies.
    pub fn path(&self, id: &str) -> PathBuf {
        self.folder.join(id.get(..2).unwrap_or("__")).join(id)
    }

    /// The whole blob in memory: for templates and packages, not for objects of any size.
    pub fn read(&self, id: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.path(id);
        std::fs::read(&path).map_err(|e| file_error(&path, e))
    }

    /// Makes a blob young again, so that a sweep spares it until another record points to it too. False if it is gone.
    pub fn refresh(&self, id: &str) -> Result<bool, StoreError> {
        let path = self.path(id);
        let _placing = self.placing();
        match File::options().append(true).open(&path) {
            Ok(file) => {
                file.set_modified(std::time::SystemTime::now()).map_err(|e| file_error(&path, e))?;
                Ok(true)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(file_error(&path, error)),
        }
    }

    /// Removes blobs that `keep` does not know and that are older than an hour (younger ones may be on their
    /// way to being pointed to). Answers how many went.
    pub fn sweep(&self, keep: &dyn Fn(&str) -> bool) -> Result<usize, StoreError> {
        let mut gone = 0;
        for shard in list(&self.folder)? {
            for file in if shard.is_dir() { list(&shard)? } else { Vec::new() } {
                let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                let _placing = self.placing();
                let old = file
                    .metadata()
                    .and_then(|m| m.modified())
                    .is_ok_and(|t| t.elapsed().is_ok_and(|age| age.as_secs() > 3600));
                if old && !keep(&name) && std::fs::remove_file(&file).is_ok() {
                    gone += 1;
                }
            }
        }
        Ok(gone)
    }

    fn placing(&self) -> MutexGuard<'_, ()> {
        self.placing.lock().expect("nobody panics while placing a blob")
    }
}

/// A blob being written; dropped unfinished, it leaves nothing.
pub struct BlobWriter {
    blobs: Blobs,
    file: tempfile::NamedTempFile,
    digest: Sha256,
    size: u64,
}

impl BlobWriter {
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.digest.update(bytes);
        self.size += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|e| file_error(self.file.path(), e))
    }

    /// Makes it durable; answers its id and size.
    pub fn finish(self) -> Result<(String, u64), StoreError> {
        let id = hex::encode(self.digest.finalize());
        let path = self.blobs.path(&id);
        let sync = || self.file.as_file().sync_all().map_err(|e| file_error(&path, e));
        // The slow part is outside the lock; a blob that is there already was synced when it came.
        let synced = !path.exists();
        if synced {
            sync()?;
        }
        let _placing = self.blobs.placing();
        if let Ok(present) = File::options().append(true).open(&path) {
            // Young again, so that a sweep spares it until it is pointed to.
            present.set_modified(std::time::SystemTime::now()).map_err(|e| file_error(&path, e))?;
        } else {
            let folder = path.parent().unwrap_or(&path).to_path_buf();
            std::fs::create_dir_all(&folder).map_err(|e| file_error(&folder, e))?;
            if !synced {
                sync()?;
            }
            self.file.persist(&path).map_err(|e| file_error(&path, e.error))?;
            File::open(&folder).and_then(|f| f.sync_all()).map_err(|e| file_error(&folder, e))?;
        }
        Ok((id, self.size))
    }
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = std::fs::read_dir(folder).map_err(|e| file_error(folder, e))?;
    Ok(entries.filter_map(|entry| entry.ok().map(|e| e.path())).collect())
}
