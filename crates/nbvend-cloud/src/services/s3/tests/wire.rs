//! Objects put and read, and everything that can be wrong with a request.

use sha2::Digest as _;

use super::*;

#[tokio::test]
async fn an_object_comes_back_as_it_went() {
    let world = with_bucket("bucket-a").await;
    let put = Req::new("PUT", "/bucket-a/dir/a%20key%2B%C3%A4.txt")
        .header("content-type", "text/x-test")
        .header("cache-control", "no-store")
        .header("x-amz-meta-who", "me")
        .header("x-amz-tagging", "a=1&b=two%20words")
        .header("x-amz-sdk-checksum-algorithm", "CRC32")
        .header("x-amz-checksum-crc32", "y/Q5Jg==")
        .body("123456789")
        .signed(&world)
        .send(&world)
        .await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(put.header("etag"), "\"25f9e794323b453885f5181f1b624d0b\"");
    assert_eq!(put.header("x-amz-server-side-encryption"), "AES256");
    assert_eq!(put.header("x-amz-checksum-crc32"), "y/Q5Jg==");
    assert_eq!(put.header("x-amz-request-id").len(), 16);

    let world = world.restart();
    for method in ["GET", "HEAD"] {
        let target = "/bucket-a/dir/a%20key%2B%C3%A4.txt";
        let got = Req::new(method, target)
            .header("x-amz-checksum-mode", "ENABLED")
            .signed(&world)
            .send(&world)
            .await;
        assert_eq!(got.status, 200, "{}", got.text());
        assert_eq!(got.text(), if method == "GET" { "123456789" } else { "" });
        for (name, value) in [
            ("content-length", "9"),
            ("content-type", "text/x-test"),
            ("cache-control", "no-store"),
            ("x-amz-meta-who", "me"),
            ("x-amz-checksum-crc32", "y/Q5Jg=="),
            ("x-amz-checksum-type", "FULL_OBJECT"),
            ("accept-ranges", "bytes"),
            ("last-modified", "Sun, 22 Nov 2026 12:00:00 GMT"),
            ("etag", "\"25f9e794323b453885f5181f1b624d0b\""),
        ] {
            assert_eq!(got.header(name), value, "{method} {name}");
        }
    }
    let gone = ask(&world, "DELETE", "/bucket-a/dir/a%20key%2B%C3%A4.txt", "").await;
    assert_eq!(gone.status, 204);
    let missing = ask(&world, "GET", "/bucket-a/dir/a%20key%2B%C3%A4.txt", "").await;
    assert_eq!((missing.status, missing.element("Code").as_str()), (404, "NoSuchKey"));
    assert_eq!(missing.element("Key"), "dir/a key+ä.txt");
    let missing = ask(&world, "HEAD", "/bucket-a/none", "").await;
    assert_eq!((missing.status, missing.body.len()), (404, 0));
}

#[tokio::test]
async fn ranges_conditions_and_overrides() {
    let world = with_bucket("bucket-a").await;
    ask(&world, "PUT", "/bucket-a/k", "0123456789").await;
    for (range, status, body, content_range) in [
        ("bytes=0-3", 206, "0123", "bytes 0-3/10"),
        ("bytes=7-", 206, "789", "bytes 7-9/10"),
        ("bytes=-2", 206, "89", "bytes 8-9/10"),
        ("bytes=5-99", 206, "56789", "bytes 5-9/10"),
    ] {
        let got = Req::new("GET", "/bucket-a/k").header("range", range).signed(&world).send(&world).await;
        assert_eq!(
            (got.status, got.text().as_str(), got.header("content-range")),
            (status, body, content_range)
        );
        assert_eq!(got.header("content-length"), body.len().to_string());
    }
    let head = Req::new("HEAD", "/bucket-a/k").header("range", "bytes=1-2").signed(&world).send(&world).await;
    assert_eq!((head.status, head.header("content-range")), (206, "bytes 1-2/10"));
    let beyond =
        Req::new("GET", "/bucket-a/k").header("range", "bytes=10-").signed(&world).send(&world).await;
    assert_eq!((beyond.status, beyond.element("Code").as_str()), (416, "InvalidRange"));
    assert_eq!(beyond.element("ActualObjectSize"), "10");

    let tag = "\"781e5e245d69b566979b86e28d23f2c7\"";
    for (name, value, status) in [
        ("if-none-match", tag, 304),
        ("if-none-match", "\"other\"", 200),
        ("if-match", tag, 200),
        ("if-match", "\"other\"", 412),
        ("if-modified-since", "Sun, 22 Nov 2026 12:00:00 GMT", 304),
        ("if-modified-since", "Sun, 22 Nov 2026 11:59:59 GMT", 200),
        ("if-unmodified-since", "Sun, 22 Nov 2026 11:59:59 GMT", 412),
    ] {
        let got = Req::new("GET", "/bucket-a/k").header(name, value).signed(&world).send(&world).await;
        assert_eq!(got.status, status, "{name}: {value}");
        assert_eq!(got.body.is_empty(), status == 304, "{name}: {value}");
    }
    let target = "/bucket-a/k?response-content-type=text%2Fplain&response-content-disposition=attachment";
    let got = ask(&world, "GET", target, "").await;
    assert_eq!((got.header("content-type"), got.header("content-disposition")), ("text/plain", "attachment"));

    let only_new = Req::new("PUT", "/bucket-a/k")
        .header("if-none-match", "*")
        .body("x")
        .signed(&world)
        .send(&world)
        .await;
    assert_eq!((only_new.status, only_new.element("Code").as_str()), (412, "PreconditionFailed"));
}

#[tokio::test]
async fn listings_page_and_roll_up() {
    let world = with_bucket("bucket-a").await;
    for key in ["a.txt", "b%2Fx", "b%2Fy", "b%2Fz", "c%26d", "e"] {
        assert_eq!(ask(&world, "PUT", &format!("/bucket-a/{key}"), key).await.status, 200);
    }
    let all = ask(&world, "GET", "/bucket-a?list-type=2", "").await;
    assert_eq!(all.elements("Key"), ["a.txt", "b/x", "b/y", "b/z", "c&amp;d", "e"]);
    assert_eq!((all.element("KeyCount").as_str(), all.element("IsTruncated").as_str()), ("6", "false"));
    let url = ask(&world, "GET", "/bucket-a?list-type=2&encoding-type=url&prefix=c", "").await;
    assert_eq!(url.elements("Key"), ["c%26d"]);

    let (mut token, mut seen) = (String::new(), Vec::new());
    loop {
        let next = if token.is_empty() { String::new() } else { format!("continuation-token={token}&") };
        let page =
            ask(&world, "GET", &format!("/bucket-a?{next}delimiter=%2F&list-type=2&max-keys=1"), "").await;
        assert_eq!(page.status, 200, "{}", page.text());
        seen.extend(page.elements("Key"));
        seen.extend(page.elements("Prefix").into_iter().filter(|prefix| !prefix.is_empty()));
        token = page.element("NextContinuationToken");
        if page.element("IsTruncated") == "false" {
            break;
        }
    }
    assert_eq!(seen, ["a.txt", "b/", "c&amp;d", "e"]);

    let first = ask(&world, "GET", "/bucket-a?max-keys=2", "").await;
    assert_eq!(first.elements("Key"), ["a.txt", "b/x"]);
    assert_eq!(first.element("NextMarker"), "");
    let second = ask(&world, "GET", "/bucket-a?marker=b%2Fx&max-keys=2", "").await;
    assert_eq!(second.elements("Key"), ["b/y", "b/z"]);
    let wrong = ask(&world, "GET", "/bucket-a?list-type=2&max-keys=-1", "").await;
    assert_eq!((wrong.status, wrong.element("Code").as_str()), (400, "InvalidArgument"));
}

#[tokio::test]
async fn signatures_are_verified() {
    let world = with_bucket("bucket-a").await;
    let code = |res: &Res| (res.status, res.element("Code"));
    let expect = |status: u16, code: &str| (status, code.to_owned());

    let unsigned = Req::new("GET", "/bucket-a?list-type=2").send(&world).await;
    assert_eq!(code(&unsigned), expect(403, "AccessDenied"));

    let mut forged = Req::new("PUT", "/bucket-a/k").body("x").signed(&world);
    forged.path = "/bucket-a/other".to_owned();
    assert_eq!(code(&forged.send(&world).await), expect(403, "SignatureDoesNotMatch"));

    let mut changed = Req::new("PUT", "/bucket-a/k").body("one").signed(&world);
    changed.body = b"two".to_vec();
    assert_eq!(code(&changed.send(&world).await), expect(400, "XAmzContentSHA256Mismatch"));

    let mut document = Req::new("POST", "/bucket-a?delete")
        .body("<Delete><Object><Key>a</Key></Object></Delete>")
        .signed(&world);
    document.body = b"<Delete><Object><Key>b</Key></Object></Delete>".to_vec();
    assert_eq!(code(&document.send(&world).await), expect(400, "XAmzContentSHA256Mismatch"));

    let mut added = Req::new("PUT", "/bucket-a/k").body("x").signed(&world);
    added.headers.push(("x-amz-tagging".to_owned(), "a=b".to_owned()));
    let added = added.send(&world).await;
    assert_eq!(code(&added), expect(403, "AccessDenied"));
    assert_eq!(added.element("HeadersNotSigned"), "x-amz-tagging");

    let late = Req::new("GET", "/bucket-a/k").signed(&world);
    world.clock.advance(901);
    assert_eq!(code(&late.send(&world).await), expect(403, "RequestTimeTooSkewed"));

    let mut stranger = Req::new("GET", "/bucket-a/k");
    let key = Credentials { access_key_id: "AKIANOBODY".into(), ..root() };
    let added = sigv4::sign(&stranger.to_sign(), &key, REGION, "s3", world.engine.now());
    stranger.headers.extend(added);
    assert_eq!(code(&stranger.send(&world).await), expect(403, "InvalidAccessKeyId"));

    let old = Req::new("GET", "/bucket-a/k")
        .header("authorization", &format!("AWS {ROOT_KEY}:c2ln"))
        .send(&world)
        .await;
    assert_eq!(code(&old), expect(400, "InvalidRequest"));
    let old =
        Req::new("GET", &format!("/bucket-a/k?AWSAccessKeyId={ROOT_KEY}&Expires=9999999999&Signature=x"))
            .send(&world)
            .await;
    assert_eq!(code(&old), expect(403, "SignatureDoesNotMatch"));
    let old = Req::new("GET", &format!("/bucket-a/k?AWSAccessKeyId={ROOT_KEY}&Expires=9999999999"))
        .send(&world)
        .await;
    assert_eq!(code(&old), expect(403, "AccessDenied"));
    let mut both = Req::new("GET", "/bucket-a/k").signed(&world);
    both.query = "X-Amz-Signature=0".to_owned();
    assert_eq!(code(&both.send(&world).await), expect(400, "InvalidArgument"));
}

#[tokio::test]
async fn presigned_urls() {
    let world = with_bucket("bucket-a").await;
    let put = Req::new("PUT", "/bucket-a/up").presigned(&world, 60).body("by link").send(&world).await;
    assert_eq!(put.status, 200, "{}", put.text());
    let got = Req::new("GET", "/bucket-a/up").presigned(&world, 60).send(&world).await;
    assert_eq!((got.status, got.text().as_str()), (200, "by link"));

    let mut tampered = Req::new("GET", "/bucket-a/up").presigned(&world, 60);
    tampered.query = tampered.query.replace("X-Amz-Expires=60", "X-Amz-Expires=600");
    assert_eq!(tampered.send(&world).await.element("Code"), "SignatureDoesNotMatch");

    let hash = hex::encode(sha2::Sha256::digest("other"));
    let wrong = Req::new("PUT", "/bucket-a/up")
        .presigned(&world, 60)
        .header("x-amz-content-sha256", &hash)
        .body("by link");
    assert_eq!(wrong.send(&world).await.element("Code"), "XAmzContentSHA256Mismatch");

    let late = Req::new("GET", "/bucket-a/up").presigned(&world, 60);
    world.clock.advance(61);
    let late = late.send(&world).await;
    assert_eq!((late.status, late.element("Message").as_str()), (403, "Request has expired"));
}

#[tokio::test]
async fn urls_presigned_in_the_old_version() {
    use base64::Engine as _;
    use hmac::{Hmac, KeyInit, Mac};
    let world = with_bucket("bucket-a").await;
    ask(&world, "PUT", "/bucket-a/k", "by link").await;
    let expires = world.engine.now().0 / 1000 + 60;
    let link = |method: &str, moved: &str, query: &str| {
        let text = format!("{method}\n\n\n{expires}\n{moved}/bucket-a/k");
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(ROOT_SECRET.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        let signature = percent_encoding::utf8_percent_encode(&signature, percent_encoding::NON_ALPHANUMERIC);
        format!("/bucket-a/k?AWSAccessKeyId={ROOT_KEY}&Signature={signature}&Expires={expires}{query}")
    };
    let got = Req::new("GET", &link("GET", "", "")).send(&world).await;
    assert_eq!((got.status, got.text().as_str()), (200, "by link"));
    let put = link("PUT", "x-amz-meta-a:1\n", "&x-amz-meta-a=1");
    assert_eq!(Req::new("PUT", &put).body("new").send(&world).await.status, 200);
    assert_eq!(ask(&world, "GET", "/bucket-a/k", "").await.header("x-amz-meta-a"), "1");
    let other = link("GET", "", "").replace("/bucket-a/k?", "/bucket-a/other?");
    assert_eq!(Req::new("GET", &other).send(&world).await.element("Code"), "SignatureDoesNotMatch");
    let deleted = Req::new("DELETE", &link("GET", "", "")).send(&world).await;
    assert_eq!(deleted.element("Code"), "SignatureDoesNotMatch");
    world.clock.advance(61);
    assert_eq!(
        Req::new("GET", &link("GET", "", "")).send(&world).await.element("Message"),
        "Request has expired"
    );
}

#[tokio::test]
async fn hosts_name_buckets() {
    let world = with_bucket("bucket-a").await;
    ask(&world, "PUT", "/bucket-a/k", "here").await;
    for host in [
        "bucket-a.s3.localhost:4566",
        "bucket-a.s3.us-east-1.localhost:4566",
        "bucket-a.s3.amazonaws.com",
        "bucket-a.s3.us-east-1.amazonaws.com",
        "bucket-a.s3-us-east-1.amazonaws.com",
    ] {
        let got = Req::new("GET", "/k").header("host", host).signed(&world).send(&world).await;
        assert_eq!((got.status, got.text().as_str()), (200, "here"), "{host}");
    }
    for host in ["127.0.0.1:4566", "s3.localhost:4566", "s3.eu-west-1.amazonaws.com", "s3.amazonaws.com"] {
        let got = Req::new("GET", "/bucket-a/k").header("host", host).signed(&world).send(&world).await;
        assert_eq!((got.status, got.text().as_str()), (200, "here"), "{host}");
    }
}

#[tokio::test]
async fn checksums_are_compared() {
    let world = with_bucket("bucket-a").await;
    let cases = [
        ("x-amz-checksum-crc32", "AAAAAA==", "BadDigest"),
        ("x-amz-checksum-crc32", "nonsense", "InvalidRequest"),
        ("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=", ""),
        ("x-amz-sdk-checksum-algorithm", "CRC32", "InvalidRequest"),
        ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==", ""),
        ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==", "BadDigest"),
        ("content-md5", "x", "InvalidDigest"),
    ];
    for (name, value, code) in cases {
        let put = Req::new("PUT", "/bucket-a/k")
            .header(name, value)
            .body("123456789")
            .signed(&world)
            .send(&world)
            .await;
        assert_eq!(put.element("Code"), code, "{name}: {value}");
        assert_eq!(put.status, if code.is_empty() { 200 } else { 400 });
    }
    // What is refused leaves nothing: the object is the one of the last good put.
    let plain = ask(&world, "PUT", "/bucket-a/plain", "123456789").await;
    assert_eq!(plain.header("x-amz-checksum-crc64nvme"), "rosUhgp5mIg=");
}

/// The signature of a text in a scope, made by hand.
fn hmac_of(scope: &str, text: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let one = |key: &[u8], text: &str| {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let key = scope.split('/').fold(format!("AWS4{ROOT_SECRET}").into_bytes(), |key, part| one(&key, part));
    hex::encode(one(&key, text))
}

#[tokio::test]
async fn chunked_bodies() {
    let world = with_bucket("bucket-a").await;
    let chunked = |trailer: &str| {
        Req::new("PUT", "/bucket-a/k")
            .header("content-encoding", "aws-chunked")
            .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            .header("x-amz-decoded-content-length", "9")
            .header("x-amz-trailer", "x-amz-checksum-crc32")
            .body(format!("5\r\n12345\r\n4\r\n6789\r\n0\r\nx-amz-checksum-crc32:{trailer}\r\n\r\n"))
    };
    // The signer hashes the body it is given; here the stated word stands for it.
    let sign = |mut req: Req| {
        let now = world.engine.now();
        let amz_date = now.amz_date();
        req.headers.push(("x-amz-date".to_owned(), amz_date.clone()));
        req.headers.sort();
        let lines: String = req.headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let names = req.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let canonical = format!("PUT\n/bucket-a/k\n\n{lines}\n{names}\nSTREAMING-UNSIGNED-PAYLOAD-TRAILER");
        let scope = format!("{}/{REGION}/s3/aws4_request", &amz_date[..8]);
        let hash = sigv4::sha256_hex(canonical.as_bytes());
        let signature = hmac_of(&scope, &format!("AWS4-HMAC-SHA256\n{amz_date}\n{scope}\n{hash}"));
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={ROOT_KEY}/{scope}, SignedHeaders={names}, Signature={signature}"
        );
        req.headers.push(("authorization".to_owned(), value));
        req
    };
    let put = sign(chunked("y/Q5Jg==")).send(&world).await;
    assert_eq!(put.status, 200, "{}", put.text());
    let got = ask(&world, "GET", "/bucket-a/k", "").await;
    assert_eq!((got.text().as_str(), got.header("content-encoding")), ("123456789", ""));
    let put = sign(chunked("AAAAAA==")).send(&world).await;
    assert_eq!((put.status, put.element("Code").as_str()), (400, "BadDigest"));
}

#[tokio::test]
async fn what_is_not_served_is_refused_by_name() {
    let world = with_bucket("bucket-a").await;
    for (method, target) in [
        ("PUT", "/bucket-a?website"),
        ("PUT", "/bucket-a?brand-new-thing"),
        ("DELETE", "/bucket-a?metadataConfiguration"),
        ("DELETE", "/bucket-a?versioning"),
        ("DELETE", "/bucket-a/k?acl"),
        ("GET", "/bucket-a?website"),
        ("GET", "/bucket-a/k?torrent"),
        ("GET", "/bucket-a?abac"),
        ("PUT", "/bucket-a/k?encryption"),
        ("DELETE", "/bucket-a/k?policy"),
        ("PUT", "/bucket-a?retention"),
        ("GET", "/bucket-a/k?annotation"),
    ] {
        let res = ask(&world, method, target, "<WebsiteConfiguration/>").await;
        assert_eq!((res.status, res.element("Code").as_str()), (501, "NotImplemented"), "{method} {target}");
    }
    assert_eq!(ask(&world, "HEAD", "/bucket-a", "").await.status, 200);
    for (name, value, code) in [
        ("x-amz-storage-class", "GLACIER", "NotImplemented"),
        ("x-amz-server-side-encryption-customer-algorithm", "AES256", "NotImplemented"),
        ("x-amz-acl", "public-read", "AccessControlListNotSupported"),
        ("x-amz-expected-bucket-owner", "999999999999", "AccessDenied"),
        ("x-amz-server-side-encryption", "rot13", "InvalidArgument"),
    ] {
        let res =
            Req::new("PUT", "/bucket-a/k").header(name, value).body("x").signed(&world).send(&world).await;
        assert_eq!(res.element("Code"), code, "{name}");
    }
}

#[tokio::test]
async fn bad_requests_get_s3s_errors() {
    let world = with_bucket("bucket-a").await;
    let long = format!("/bucket-a/{}", "k".repeat(1025));
    for (method, target, body, status, code) in [
        ("PUT", "/Bad_Name", "", 400, "InvalidBucketName"),
        ("PUT", "/bucket-a/k%01", "x", 400, "InvalidArgument"),
        ("PUT", long.as_str(), "x", 400, "KeyTooLongError"),
        ("PUT", "/no-such-bucket/k", "x", 404, "NoSuchBucket"),
        ("POST", "/bucket-a?delete", "<Delete><Obj", 400, "MalformedXML"),
        (
            "PUT",
            "/bucket-b",
            "<CreateBucketConfiguration><LocationConstraint>us-east-1</LocationConstraint></CreateBucketConfiguration>",
            400,
            "InvalidLocationConstraint",
        ),
        ("DELETE", "/no-such-bucket", "", 404, "NoSuchBucket"),
    ] {
        let res = ask(&world, method, target, body).await;
        assert_eq!((res.status, res.element("Code").as_str()), (status, code), "{method} {target}");
        assert!(!res.element("Message").is_empty() && res.element("RequestId").len() == 16, "{}", res.text());
    }
    ask(&world, "PUT", "/bucket-a/k", "x").await;
    let full = ask(&world, "DELETE", "/bucket-a", "").await;
    assert_eq!((full.status, full.element("Code").as_str()), (409, "BucketNotEmpty"));
    assert_eq!(ask(&world, "PUT", "/bucket-a", "").await.status, 200);
    let elsewhere = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    let again = ask(&world, "PUT", "/bucket-a", elsewhere).await;
    assert_eq!((again.status, again.element("Code").as_str()), (409, "BucketAlreadyOwnedByYou"));
}
