//! Uploads in parts, versions, copies.
