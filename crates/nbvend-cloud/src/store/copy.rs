//! A copy of the whole database, made while an engine runs on it: one snapshot, whatever is committed meanwhile.

use std::path::Path;

use super::{StoreError, schema};

/// Copies the database at `from` to a new file at `to`. Answers the copy's schema version.
pub fn copy(from: &Path, to: &Path) -> Result<i64, StoreError> {
    let source = schema::open_reader(from)?;
    // Unlike SQLite's step-by-step backup, which begins anew when another process writes, this is one read transaction.
    source.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
    let version = source.pragma_query_value(None, "user_version", |row| row.get(0))?;
    std::fs::File::open(to).and_then(|file| file.sync_all()).map_err(|error| super::file_error(to, error))?;
    Ok(version)
}

/// The newest schema version this program can read.
pub fn schema_known() -> i64 {
    schema::known()
}
