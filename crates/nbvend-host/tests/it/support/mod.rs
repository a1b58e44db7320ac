//! What the tests share: a listener that passes everything to one target, a client that sends exactly the bytes it is
//! given, a websocket client, a place for real servers, the first process of sandboxes, and tests in processes of their
//! own.
pub mod again;
pub mod client;
pub mod gate;
pub mod init;
pub mod notebook;
pub mod websocket;
