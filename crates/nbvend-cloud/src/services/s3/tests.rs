//! S3 from outside: requests signed as clients sign them, through the door in process.

mod configs;
mod multi;
mod wire;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use nbvend_wire::sigv4::{self, Credentials, ToSign};

use crate::door::{self, Peer};
use crate::testing::{REGION, ROOT_KEY, ROOT_SECRET, World};

pub(super) const HOST: &str = "localhost:4566";

/// A request as a client makes it.
pub(super) struct Req {
    pub method: &'static str,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

pub(super) struct Res {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Res {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The text of the first element of that name.
    pub fn element(&self, name: &str) -> String {
        let text = self.text();
        let Some((_, rest)) = text.split_once(&format!("<{name}>")) else { return String::new() };
        rest.split_once(&format!("</{name}>")).map(|(inside, _)| inside.to_owned()).unwrap_or_default()
    }

    /// Every text of elements of that name.
    pub fn elements(&self, name: &str) -> Vec<String> {
        let text = self.text();
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let inside = text.split(&open).skip(1).filter_map(|part| part.split_once(&close));
        inside.map(|(inside, _)| inside.to_owned()).collect()
    }
}

pub(super) fn root() -> Credentials {
    Credentials { access_key_id: ROOT_KEY.into(), secret_access_key: ROOT_SECRET.into(), session_token: None }
}

impl Req {
    pub fn new(method: &'static str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: vec![("host".to_owned(), HOST.to_owned())],
            body: Vec::new(),
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(given, _)| given != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn to_sign(&self) -> ToSign<'_> {
        let Self { method, path, query, headers, body } = self;
        ToSign { method, path, query, headers, body }
    }

    /// Signed in the headers by the root key at the world's time.
    pub fn signed(mut self, world: &World) -> Self {
        let added = sigv4::sign(&self.to_sign(), &root(), REGION, "s3", world.engine.now());
        self.headers.extend(added);
        self
    }

    /// Signed in the query.
    pub fn presigned(mut self, world: &World, expires: u64) -> Self {
        self.query = sigv4::presign(&self.to_sign(), &root(), REGION, "s3", world.engine.now(), expires);
        self
    }

    /// As it stands, through the door.
    pub async fn send(self, world: &World) -> Res {
        let target = if self.query.is_empty() { self.path } else { format!("{}?{}", self.path, self.query) };
        let mut request = Request::builder().method(self.method).uri(target);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if !self.body.is_empty() || self.method == "PUT" {
            request = request.header("content-length", self.body.len());
        }
        // In pieces, as a network delivers it.
        let pieces: Vec<_> = self
            .body
            .chunks(100_000)
            .map(|piece| Ok(http_body::Frame::data(Bytes::copy_from_slice(piece))))
            .collect();
        let body = match pieces.is_empty() {
            true => door::full(Bytes::new()),
            false => {
                BodyExt::boxed_unsync(http_body_util::StreamBody::new(futures_util::stream::iter(pieces)))
            }
        };
        let request = request.body(body).unwrap();
        let peer = Peer { ip: std::net::Ipv4Addr::LOCALHOST.into(), secure: false };
        let (parts, body) = door::handle(&world.engine, request, peer).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Res { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

/// A signed request without more.
pub(super) async fn ask(world: &World, method: &'static str, target: &str, body: impl Into<Vec<u8>>) -> Res {
    Req::new(method, target).body(body).signed(world).send(world).await
}

pub(super) async fn with_bucket(name: &str) -> World {
    let world = World::new();
    let made = ask(&world, "PUT", &format!("/{name}"), "").await;
    assert_eq!((made.status, made.header("location")), (200, format!("/{name}").as_str()), "{}", made.text());
    world
}
