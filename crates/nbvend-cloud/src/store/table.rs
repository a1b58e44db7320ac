//! Records: versioned JSON documents, found by key or by a declared index.

use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{StoreError, Tx};

/// The version number a record type is stored under.
pub type Version = u32;

/// A stored noun. Never a wire type: what is stored outlives the API's shapes.
pub trait Record: Serialize + DeserializeOwned {
    /// `service.noun`, as it stands in the `kind` column.
    const KIND: &'static str;
    const VERSION: Version = 1;
    /// Names of the indexes that [`Record::indexes`] fills.
    const INDEXES: &'static [&'static str] = &[];

    /// Unique within kind and region.
    fn key(&self) -> String;

    /// (index name, value) pairs under which [`Tx::find`] finds it.
    fn indexes(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Brings a body of an older version to this one.
    fn upgrade(from: Version, body: Value) -> Result<Value, String> {
        let _ = body;
        Err(format!("no way from version {from} to {}", Self::VERSION))
    }
}

/// The region column of records that belong to no region (IAM's).
pub const GLOBAL: &str = "";

impl Tx<'_> {
    /// The record of that key.
    pub fn get<R: Record>(&self, region: &str, key: &str) -> Result<Option<R>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT version, body FROM record WHERE kind = ?1 AND region = ?2 AND key = ?3",
        )?;
        let row = statement
            .query_row(params![R::KIND, region, key], |row| {
                Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?))
            })
            .optional()?;
        row.map(|(version, body)| read::<R>(key, version, &body)).transpose()
    }

    /// Writes a record, replacing the one of the same key.
    pub fn put<R: Record>(&self, region: &str, record: &R) -> Result<(), StoreError> {
        self.must_write(R::KIND)?;
        let key = record.key();
        if !R::INDEXES.is_empty() {
            let old = self.get::<R>(region, &key)?.map(|old| old.indexes()).unwrap_or_default();
            let new = record.indexes();
            for (name, value) in old.iter().filter(|entry| !new.contains(entry)) {
                self.index("DELETE FROM record_index WHERE kind = ?1 AND name = ?2 AND value = ?3 AND region = ?4 AND key = ?5", R::KIND, name, value, region, &key)?;
            }
            for (name, value) in new.iter().filter(|entry| !old.contains(entry)) {
                debug_assert!(R::INDEXES.contains(name), "index {name} of {} is not declared", R::KIND);
                self.index("INSERT OR REPLACE INTO record_index (kind, name, value, region, key) VALUES (?1, ?2, ?3, ?4, ?5)", R::KIND, name, value, region, &key)?;
            }
        }
        let body = serde_json::to_string(record).map_err(|e| broken::<R>(&key, &e))?;
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO record (kind, region, key, version, body) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![R::KIND, region, key, R::VERSION, body])?;
        Ok(())
    }

    /// Deletes the record of that key; false if there was none.
    pub fn delete<R: Record>(&self, region: &str, key: &str) -> Result<bool, StoreError> {
        self.must_write(R::KIND)?;
        if !R::INDEXES.is_empty()
            && let Some(old) = self.get::<R>(region, key)?
        {
            for (name, value) in old.indexes() {
                self.index("DELETE FROM record_index WHERE kind = ?1 AND name = ?2 AND value = ?3 AND region = ?4 AND key = ?5", R::KIND, name, &value, region, key)?;
            }
        }
        let gone = self
            .connection
            .prepare_cached("DELETE FROM record WHERE kind = ?1 AND region = ?2 AND key = ?3")?
            .execute(params![R::KIND, region, key])?;
        Ok(gone > 0)
    }

    /// Records whose key starts with `prefix` and sorts after `after`, by key, at most `limit`.
    pub fn list<R: Record>(
        &self,
        region: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<R>, StoreError> {
        // Keys are compared as bytes, so the keys with a prefix lie between it and itself with the last code point added.
        let last = format!("{prefix}\u{10FFFF}");
        let mut statement = self.connection.prepare_cached(
            "SELECT key, version, body FROM record WHERE kind = ?1 AND region = ?2 AND key >= ?3 AND key <= ?4 AND key > ?5 ORDER BY key LIMIT ?6",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement
            .query_map(params![R::KIND, region, prefix, last, after.unwrap_or(""), limit], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?, row.get::<_, String>(2)?))
            })?;
        rows.map(|row| {
            row.map_err(StoreError::from).and_then(|(key, version, body)| read::<R>(&key, version, &body))
        })
        .collect()
    }

    /// Records of one region that stand in an index under `value`, by key.
    pub fn find<R: Record>(
        &self,
        region: &str,
        index: &'static str,
        value: &str,
    ) -> Result<Vec<R>, StoreError> {
        let all = self.find_everywhere::<R>(index, value)?;
        Ok(all.into_iter().filter(|(at, _)| at == region).map(|(_, record)| record).collect())
    }

    /// Records of every region that stand in an index under `value`, with their region.
    pub fn find_everywhere<R: Record>(
        &self,
        index: &'static str,
        value: &str,
    ) -> Result<Vec<(String, R)>, StoreError> {
        self.standing(index, value, "i.value = ?3 ORDER BY i.region, i.key", u32::MAX)
    }

    /// Up to `limit` records of every region that stand in an index under less than `value`, by the order of their
    /// bytes, with their region.
    pub fn find_below<R: Record>(
        &self,
        index: &'static str,
        value: &str,
        limit: u32,
    ) -> Result<Vec<(String, R)>, StoreError> {
        self.standing(index, value, "i.value < ?3 ORDER BY i.value", limit)
    }

    fn standing<R: Record>(
        &self,
        index: &'static str,
        value: &str,
        which: &'static str,
        limit: u32,
    ) -> Result<Vec<(String, R)>, StoreError> {
        debug_assert!(R::INDEXES.contains(&index), "index {index} of {} is not declared", R::KIND);
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT i.region, i.key, r.version, r.body FROM record_index i
             JOIN record r ON r.kind = i.kind AND r.region = i.region AND r.key = i.key
             WHERE i.kind = ?1 AND i.name = ?2 AND {which} LIMIT ?4",
        ))?;
        let rows = statement.query_map(params![R::KIND, index, value, limit], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, u32>(2)?,
                row.get::<_, String>(3)?,
            ))
        })?;
        rows.map(|row| {
            let (region, key, version, body) = row?;
            Ok((region, read::<R>(&key, version, &body)?))
        })
        .collect()
    }

    /// Whether any record, in any region, stands in an index under `value`.
    pub fn stands_in<R: Record>(&self, index: &'static str, value: &str) -> Result<bool, StoreError> {
        debug_assert!(R::INDEXES.contains(&index), "index {index} of {} is not declared", R::KIND);
        self.kind_stands_in(R::KIND, index, value)
    }

    /// The same for a kind that is known by name only.
    pub fn kind_stands_in(&self, kind: &str, index: &str, value: &str) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT 1 FROM record_index WHERE kind = ?1 AND name = ?2 AND value = ?3 LIMIT 1",
        )?;
        Ok(statement.exists(params![kind, index, value])?)
    }

    fn index(
        &self,
        sql: &str,
        kind: &str,
        name: &str,
        value: &str,
        region: &str,
        key: &str,
    ) -> Result<(), StoreError> {
        self.connection.prepare_cached(sql)?.execute(params![kind, name, value, region, key])?;
        Ok(())
    }
}

fn read<R: Record>(key: &str, version: Version, body: &str) -> Result<R, StoreError> {
    if version == R::VERSION {
        return serde_json::from_str(body).map_err(|e| broken::<R>(key, &e));
    }
    let old = serde_json::from_str(body).map_err(|e| broken::<R>(key, &e))?;
    let new = R::upgrade(version, old).map_err(|e| broken::<R>(key, &e))?;
    serde_json::from_value(new).map_err(|e| broken::<R>(key, &e))
}

fn broken<R: Record>(key: &str, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Record { kind: R::KIND, key: key.to_owned(), error: error.to_string() }
}
