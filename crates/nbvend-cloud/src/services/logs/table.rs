//! Streams and events in the database: appending costs the same however much is there, and a read by time takes only
//! the rows it answers with.
//!
//! An event is found by its group or by its stream, in the order of its time and then of its arrival ([`Place`]).
//! What was deleted disappears from reads at once and from the file piece by piece ([`sweep`]).

use nbvend_wire::timestamp::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::error::Error;
use crate::store::{StoreError, Tx};

/// What CloudWatch Logs adds to an event's bytes when it counts them.
pub const OVERHEAD: i64 = 26;

/// A stream as it is stored; times are 0 where there is no event yet.
#[derive(Debug, Clone)]
pub struct Stream {
    pub id: i64,
    pub name: String,
    pub created: Timestamp,
    pub first_event: i64,
    pub last_event: i64,
    pub last_ingestion: i64,
}

/// Where an event stands: its time, then its arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub time: i64,
    pub id: i64,
}

/// Before the first and after the last event of a time.
pub const FIRST: i64 = 0;
pub const LAST: i64 = i64::MAX;

/// An event as it is stored.
#[derive(Debug, Clone)]
pub struct Event {
    pub place: Place,
    pub stream: String,
    pub ingested: Timestamp,
    pub message: String,
}

pub fn new_group(tx: &Tx<'_>) -> Result<i64, StoreError> {
    tx.connection().prepare_cached("INSERT INTO log_group (bytes) VALUES (0)")?.execute([])?;
    Ok(tx.connection().last_insert_rowid())
}

/// What the events of a group take, by AWS's count.
pub fn bytes(tx: &Tx<'_>, group: i64) -> Result<i64, StoreError> {
    let mut statement = tx.connection().prepare_cached("SELECT bytes FROM log_group WHERE id = ?1")?;
    Ok(statement.query_row([group], |row| row.get(0)).optional()?.unwrap_or(0))
}

fn add_bytes(tx: &Tx<'_>, group: i64, bytes: i64) -> Result<(), StoreError> {
    tx.connection()
        .prepare_cached("UPDATE log_group SET bytes = bytes + ?2 WHERE id = ?1")?
        .execute([group, bytes])?;
    Ok(())
}

/// Makes a stream; false if it exists.
pub fn new_stream(tx: &Tx<'_>, group: i64, name: &str, now: Timestamp) -> Result<bool, StoreError> {
    let made = tx
        .connection()
        .prepare_cached(
            "INSERT OR IGNORE INTO log_stream (group_id, name, created, first_event, last_event, last_ingestion)
             VALUES (?1, ?2, ?3, 0, 0, 0)",
        )?
        .execute(params![group, name, now.0])?;
    Ok(made > 0)
}

const STREAM: &str = "SELECT id, name, created, first_event, last_event, last_ingestion FROM log_stream";

fn stream_of(row: &Row<'_>) -> rusqlite::Result<Stream> {
    Ok(Stream {
        id: row.get(0)?,
        name: row.get(1)?,
        created: Timestamp(row.get(2)?),
        first_event: row.get(3)?,
        last_event: row.get(4)?,
        last_ingestion: row.get(5)?,
    })
}

pub fn stream(tx: &Tx<'_>, group: i64, name: &str) -> Result<Stream, Error> {
    let mut statement =
        tx.connection().prepare_cached(&format!("{STREAM} WHERE group_id = ?1 AND name = ?2"))?;
    statement.query_row(params![group, name], stream_of).optional()?.ok_or(Error::NoStream)
}

/// Streams by name, those after (or, descending, before) `after`.
pub fn streams_by_name(
    tx: &Tx<'_>,
    group: i64,
    prefix: &str,
    after: Option<&str>,
    descending: bool,
    limit: i64,
) -> Result<Vec<Stream>, StoreError> {
    let last = format!("{prefix}\u{10FFFF}");
    let (sign, order) = if descending { ("<", "DESC") } else { (">", "ASC") };
    let sql = format!(
        "{STREAM} WHERE group_id = ?1 AND name >= ?2 AND name <= ?3 AND (?4 IS NULL OR name {sign} ?4)
         ORDER BY name {order} LIMIT ?5"
    );
    let mut statement = tx.connection().prepare_cached(&sql)?;
    let rows = statement.query_map(params![group, prefix, last, after, limit], stream_of)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Streams by the time of their last event, those after (or, descending, before) `after`.
pub fn streams_by_last_event(
    tx: &Tx<'_>,
    group: i64,
    after: Option<(i64, &str)>,
    descending: bool,
    limit: i64,
) -> Result<Vec<Stream>, StoreError> {
    let (sign, order) = if descending { ("<", "DESC") } else { (">", "ASC") };
    let (time, name) = after.unwrap_or(if descending { (i64::MAX, "") } else { (-1, "") });
    let sql = format!(
        "{STREAM} WHERE group_id = ?1 AND (last_event, name) {sign} (?2, ?3)
         ORDER BY last_event {order}, name {order} LIMIT ?4"
    );
    let mut statement = tx.connection().prepare_cached(&sql)?;
    let rows = statement.query_map(params![group, time, name, limit], stream_of)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Appends events (time, message), already checked and in order.
pub fn append(
    tx: &Tx<'_>,
    group: i64,
    stream: &Stream,
    events: &[(i64, &str)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let (Some((first, _)), Some((last, _))) = (events.first(), events.last()) else { return Ok(()) };
    let mut insert = tx.connection().prepare_cached(
        "INSERT INTO log_event (group_id, stream_id, time, ingested, message) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let mut size = 0;
    for (time, message) in events {
        insert.execute(params![group, stream.id, time, now.0, message])?;
        size += counted(message);
    }
    let first = if stream.first_event == 0 { *first } else { stream.first_event.min(*first) };
    tx.connection()
        .prepare_cached(
            "UPDATE log_stream SET first_event = ?2, last_event = ?3, last_ingestion = ?4 WHERE id = ?1",
        )?
        .execute([stream.id, first, stream.last_event.max(*last), now.0])?;
    add_bytes(tx, group, size)
}

/// The size of a message by AWS's count.
pub fn counted(message: &str) -> i64 {
    i64::try_from(message.len()).unwrap_or(i64::MAX - OVERHEAD) + OVERHEAD
}

/// Which events are asked for: of one stream or of a whole group, strictly between two places.
#[derive(Debug, Clone, Copy)]
pub enum Among {
    Group(i64),
    Stream(i64),
}

/// Calls `take` with events in order (or, `backwards`, against it) until it says stop.
pub fn scan(
    tx: &Tx<'_>,
    among: Among,
    after: Place,
    before: Place,
    backwards: bool,
    mut take: impl FnMut(Event) -> bool,
) -> Result<(), StoreError> {
    let (column, index, id) = match among {
        Among::Group(id) => ("group_id", "log_event_group", id),
        Among::Stream(id) => ("stream_id", "log_event_stream", id),
    };
    let order = if backwards { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT e.time, e.id, s.name, e.ingested, e.message
         FROM log_event e INDEXED BY {index} JOIN log_stream s ON s.id = e.stream_id
         WHERE e.{column} = ?1 AND (e.time, e.id) > (?2, ?3) AND (e.time, e.id) < (?4, ?5)
         ORDER BY e.time {order}, e.id {order}"
    );
    let mut statement = tx.connection().prepare_cached(&sql)?;
    let mut rows = statement.query([id, after.time, after.id, before.time, before.id])?;
    while let Some(row) = rows.next()? {
        let event = Event {
            place: Place { time: row.get(0)?, id: row.get(1)? },
            stream: row.get(2)?,
            ingested: Timestamp(row.get(3)?),
            message: row.get(4)?,
        };
        if !take(event) {
            break;
        }
    }
    Ok(())
}

/// Takes a stream out of sight.
pub fn drop_stream(tx: &Tx<'_>, group: i64, stream: i64) -> Result<(), StoreError> {
    tx.connection().prepare_cached("DELETE FROM log_stream WHERE id = ?1")?.execute([stream])?;
    debris(tx, group, Some(stream))
}

/// Takes a group out of sight.
pub fn drop_group(tx: &Tx<'_>, group: i64) -> Result<(), StoreError> {
    debris(tx, group, None)
}

fn debris(tx: &Tx<'_>, group: i64, stream: Option<i64>) -> Result<(), StoreError> {
    tx.connection()
        .prepare_cached("INSERT INTO log_debris (group_id, stream_id) VALUES (?1, ?2)")?
        .execute(params![group, stream])?;
    Ok(())
}

/// Removes at most `limit` rows of what was dropped; true while there is more.
pub fn sweep(tx: &Tx<'_>, limit: i64) -> Result<bool, StoreError> {
    let connection = tx.connection();
    let next = connection
        .prepare_cached("SELECT id, group_id, stream_id FROM log_debris ORDER BY id LIMIT 1")?
        .query_row([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, Option<i64>>(2)?))
        })
        .optional()?;
    let Some((id, group, stream)) = next else { return Ok(false) };
    let among = stream.map_or(Among::Group(group), Among::Stream);
    if remove_before(tx, group, among, i64::MAX, limit)? {
        return Ok(true);
    }
    if stream.is_none() {
        let gone = connection
            .prepare_cached(
                "DELETE FROM log_stream WHERE id IN (SELECT id FROM log_stream WHERE group_id = ?1 LIMIT ?2)",
            )?
            .execute([group, limit])?;
        if gone > 0 {
            return Ok(true);
        }
        connection.prepare_cached("DELETE FROM log_group WHERE id = ?1")?.execute([group])?;
    }
    connection.prepare_cached("DELETE FROM log_debris WHERE id = ?1")?.execute([id])?;
    Ok(true)
}

/// Removes at most `limit` events older than `time`; true if any went.
pub fn remove_before(
    tx: &Tx<'_>,
    group: i64,
    among: Among,
    time: i64,
    limit: i64,
) -> Result<bool, StoreError> {
    let (column, id) = match among {
        Among::Group(id) => ("group_id", id),
        Among::Stream(id) => ("stream_id", id),
    };
    let oldest =
        format!("SELECT id FROM log_event WHERE {column} = ?1 AND time < ?2 ORDER BY time, id LIMIT ?3");
    let sql = format!(
        "SELECT COALESCE(SUM(LENGTH(CAST(message AS BLOB)) + {OVERHEAD}), 0), COUNT(*) FROM log_event WHERE id IN ({oldest})"
    );
    let (size, count): (i64, i64) = tx
        .connection()
        .prepare_cached(&sql)?
        .query_row([id, time, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if count == 0 {
        return Ok(false);
    }
    tx.connection()
        .prepare_cached(&format!("DELETE FROM log_event WHERE id IN ({oldest})"))?
        .execute([id, time, limit])?;
    add_bytes(tx, group, -size)?;
    Ok(true)
}
