//! What the tests share: a listener that passes everything to one target, a client that sends exactly the bytes it is
//! given, and a websocket client.
pub mod client;
pub mod gate;
pub mod websocket;
