//! What the tests share: a listener that passes everything to one target, a client that sends exactly the bytes it is
//! given, a websocket client, and a place for real servers.
pub mod client;
pub mod gate;
pub mod notebook;
pub mod websocket;
