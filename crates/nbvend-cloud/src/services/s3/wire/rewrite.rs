//! What the `s3s` crate writes otherwise than S3 does, put right in the answer's body.

use bytes::Bytes;
use http::Response;
use nbvend_wire::error::WireError;
use s3s::S3Response;

use crate::door::{self, Body};

/// The largest answer that is rewritten; all of them are short.
const LARGEST: usize = 1 << 20;

const NAMESPACE: &str = " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

/// What is to be done to a body.
#[derive(Clone)]
struct Rewrite(fn(&str) -> String);

fn rewrite<T>(output: T, how: fn(&str) -> String) -> S3Response<T> {
    let mut response = S3Response::new(output);
    response.extensions.insert(Rewrite(how));
    response
}

/// An answer that is one member of the crate's output: it writes that without S3's namespace.
pub(super) fn with_namespace<T>(output: T) -> S3Response<T> {
    rewrite(output, |body| {
        let root = body.find("?>").map_or(0, |declaration| declaration + 2);
        match body[root..].find(['>', '/']) {
            Some(end) => format!("{}{NAMESPACE}{}", &body[..root + end], &body[root + end..]),
            None => body.to_owned(),
        }
    })
}

/// `GetObjectAttributes` is alone in giving the ETag without its quotation marks.
pub(super) fn with_bare_e_tag<T>(output: T) -> S3Response<T> {
    rewrite(output, |body| {
        let marks = |text: &str| text.replace(['"'], "").replace("&quot;", "");
        match body.split_once("<ETag>").and_then(|(head, rest)| Some((head, rest.split_once("</ETag>")?))) {
            Some((head, (tag, rest))) => format!("{head}<ETag>{}</ETag>{rest}", marks(tag)),
            None => body.to_owned(),
        }
    })
}

/// The answer as S3 gives it.
pub(super) async fn rewritten(mut response: Response<Body>) -> Result<Response<Body>, WireError> {
    let Some(Rewrite(how)) = response.extensions_mut().remove::<Rewrite>() else { return Ok(response) };
    let (parts, body) = response.into_parts();
    let body = door::collect(body, LARGEST).await?;
    let body = how(&String::from_utf8_lossy(&body));
    Ok(Response::from_parts(parts, door::full(Bytes::from(body))))
}
