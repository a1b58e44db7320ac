//! The database's tables and their migrations. A file from a newer version is refused, never guessed at.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::StoreError;

/// One step a schema version; step `n` brings a file of version `n` to `n + 1`.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE record (
        kind TEXT NOT NULL, region TEXT NOT NULL, key TEXT NOT NULL,
        version INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (kind, region, key)
    ) WITHOUT ROWID;
    CREATE TABLE record_index (
        kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, region TEXT NOT NULL, key TEXT NOT NULL,
        PRIMARY KEY (kind, name, value, region, key)
    ) WITHOUT ROWID;
    CREATE TABLE trail (
        id INTEGER PRIMARY KEY, event_id TEXT NOT NULL, time INTEGER NOT NULL, region TEXT NOT NULL,
        source TEXT NOT NULL, name TEXT NOT NULL, principal TEXT NOT NULL, access_key TEXT NOT NULL,
        read_only INTEGER NOT NULL, body TEXT NOT NULL
    );
    CREATE INDEX trail_time ON trail (region, time);
    CREATE INDEX trail_name ON trail (region, name, time);
    CREATE INDEX trail_principal ON trail (region, principal, time);
    CREATE UNIQUE INDEX trail_event ON trail (event_id);
    CREATE TABLE trail_resource (
        name TEXT NOT NULL, trail_id INTEGER NOT NULL, PRIMARY KEY (name, trail_id)
    ) WITHOUT ROWID;
    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT, region TEXT NOT NULL, bus TEXT NOT NULL, body TEXT NOT NULL
    );
", "
    CREATE TABLE log_group (id INTEGER PRIMARY KEY AUTOINCREMENT, bytes INTEGER NOT NULL);
    CREATE TABLE log_stream (
        id INTEGER PRIMARY KEY AUTOINCREMENT, group_id INTEGER NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL,
        first_event INTEGER NOT NULL, last_event INTEGER NOT NULL, last_ingestion INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX log_stream_name ON log_stream (group_id, name);
    CREATE INDEX log_stream_last ON log_stream (group_id, last_event, name);
    CREATE TABLE log_event (
        id INTEGER PRIMARY KEY AUTOINCREMENT, group_id INTEGER NOT NULL, stream_id INTEGER NOT NULL,
        time INTEGER NOT NULL, ingested INTEGER NOT NULL, message TEXT NOT NULL
    );
    CREATE INDEX log_event_group ON log_event (group_id, time, id);
    CREATE INDEX log_event_stream ON log_event (stream_id, time, id);
    CREATE TABLE log_debris (id INTEGER PRIMARY KEY, group_id INTEGER NOT NULL, stream_id INTEGER);
", "
    ALTER TABLE trail ADD COLUMN resources TEXT NOT NULL DEFAULT '[]';
"];

/// Opens the file for the one writer: locked against other engines, durable at each commit.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    restrict(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.set_prepared_statement_cache_capacity(64);
    migrate(&connection)?;
    Ok(connection)
}

/// Opens the file for one reader.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// The version a file of today has.
pub(super) fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Refuses a file of a newer version; the version of one that is none.
pub(super) fn check(connection: &Connection) -> Result<i64, StoreError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = known();
    if found > known { Err(StoreError::Newer { found, known }) } else { Ok(found) }
}

fn migrate(connection: &Connection) -> Result<(), StoreError> {
    let found = check(connection)?;
    for (version, step) in MIGRATIONS.iter().enumerate().skip(usize::try_from(found).unwrap_or(0)) {
        let next = version + 1;
        connection
            .execute_batch(&format!("BEGIN IMMEDIATE; {step}; PRAGMA user_version = {next}; COMMIT;"))?;
    }
    Ok(())
}

/// The file holds keys: its owner alone may read it. SQLite gives its WAL the same mode.
fn restrict(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .map_err(|e| super::file_error(path, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_newer_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        open_writer(&path).unwrap().pragma_update(None, "user_version", 4_000).unwrap();
        let error = open_writer(&path).unwrap_err().to_string();
        assert!(error.contains("newer nbvend (schema 4000"), "{error}");
    }
}
