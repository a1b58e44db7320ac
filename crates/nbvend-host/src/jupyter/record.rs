//! What the next engine must know of a server to find it: one small file each, written before the process exists.
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Environment;
use super::place::View;
use super::process::{self, Identity};
use crate::sandbox;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) generation: u64,
    /// Which process leads the server; none between the decision to start it and its birth.
    pub(super) leader: Option<Identity>,
    /// Forks its kernels; ends with it.
    pub(super) forker: Option<Identity>,
    /// It has answered once. What an engine left before that is begun anew.
    pub(super) ready: bool,
    pub(super) marker: String,
    pub(super) boot: String,
    pub(super) socket: PathBuf,
    pub(super) log: PathBuf,
    pub(super) home: PathBuf,
    pub(super) view: View,
    /// The control socket of its sandbox, which leads to one that is not noted here yet.
    pub(super) control: PathBuf,
    pub(super) sandbox: Option<sandbox::Record>,
    /// What it was started from, for what is started beside it later.
    pub(super) environment: Environment,
}

impl Record {
    fn path(folder: &Path, id: &str) -> PathBuf {
        folder.join(format!("{id}.server"))
    }

    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let path = Self::path(folder, &self.id);
        let partial = path.with_extension("partial");
        let mut file =
            OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&partial)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        drop(file);
        fs::rename(partial, path)
    }

    /// The record of a server, if there is one that this boot of the machine can still have processes of.
    pub(super) fn read(folder: &Path, id: &str) -> Option<Self> {
        let record: Self = serde_json::from_slice(&fs::read(Self::path(folder, id)).ok()?).ok()?;
        (record.id == id && record.boot == process::boot_id()).then_some(record)
    }

    pub(super) fn remove(folder: &Path, id: &str) -> io::Result<()> {
        match fs::remove_file(Self::path(folder, id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The ids that have a record.
    pub(super) fn ids(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
        names.filter_map(|name| Some(name.to_str()?.strip_suffix(".server")?.to_owned())).collect()
    }
}

/// The work folder of a server that runs now in a sandbox, as it is seen inside; for whoever reads along without being its
/// supervisor.
pub fn work_folder(state_dir: &Path, id: &str) -> Option<OwnedFd> {
    Record::read(state_dir, id)?.sandbox?.work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_another_boot_or_half_written_ones_are_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut record = Record {
            id: "a".to_owned(),
            generation: 3,
            leader: Some(Identity { pid: 1, started: 2 }),
            forker: None,
            ready: true,
            marker: "m".to_owned(),
            boot: process::boot_id(),
            socket: "/s".into(),
            log: "/l".into(),
            home: "/h".into(),
            control: "/c".into(),
            sandbox: None,
            view: View { home: "/h".into(), work: "/h".into(), run: "/r".into() },
            environment: serde_json::from_str(r#"{"root": "/e", "version": "4.6.6"}"#).unwrap(),
        };
        record.write(dir.path()).unwrap();
        assert_eq!(Record::ids(dir.path()), ["a"]);
        assert_eq!(Record::read(dir.path(), "a").unwrap().leader, record.leader);
        record.boot = "another".to_owned();
        record.write(dir.path()).unwrap();
        assert!(Record::read(dir.path(), "a").is_none());
        fs::write(dir.path().join("b.server"), "{\"id\":").unwrap();
        assert!(Record::read(dir.path(), "b").is_none());
        Record::remove(dir.path(), "a").unwrap();
        Record::remove(dir.path(), "a").unwrap();
    }
}
