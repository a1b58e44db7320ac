//! Uploads in parts, versions, copies, tags.

use md5::Digest as _;

use super::*;
use crate::services::s3::object::GetObject;

const MIB: usize = 1 << 20;

fn filled(size: usize, seed: u8) -> Vec<u8> {
    (0..size).map(|at| seed.wrapping_add((at % 251) as u8)).collect()
}

fn crc32(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(crc32fast::hash(bytes).to_be_bytes())
}

#[tokio::test]
async fn an_upload_in_parts_as_sam_makes_it() {
    let world = with_bucket("bucket-a").await;
    let begun = Req::new("POST", "/bucket-a/sam-app/f00d?uploads")
        .header("x-amz-server-side-encryption", "AES256")
        .header("x-amz-checksum-algorithm", "CRC32")
        .header("content-type", "application/zip")
        .signed(&world)
        .send(&world)
        .await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    assert_eq!(
        (begun.element("Bucket").as_str(), begun.element("Key").as_str()),
        ("bucket-a", "sam-app/f00d")
    );
    let id = begun.element("UploadId");
    let parts = [filled(5 * MIB, 1), filled(MIB, 7)];
    // The second comes first, as concurrent uploads do.
    for (number, body) in [(2, &parts[1]), (1, &parts[0])] {
        let put = Req::new("PUT", &format!("/bucket-a/sam-app/f00d?partNumber={number}&uploadId={id}"))
            .header("x-amz-sdk-checksum-algorithm", "CRC32")
            .header("x-amz-checksum-crc32", &crc32(body))
            .body(body.clone())
            .signed(&world)
            .send(&world)
            .await;
        assert_eq!(put.status, 200, "{}", put.text());
        assert_eq!(put.header("etag"), format!("\"{}\"", hex::encode(md5::Md5::digest(body))));
    }
    let listed = ask(&world, "GET", &format!("/bucket-a/sam-app/f00d?uploadId={id}&max-parts=1"), "").await;
    assert_eq!(
        (listed.elements("PartNumber"), listed.element("NextPartNumberMarker")),
        (vec!["1".into()], "1".into())
    );
    let uploads = ask(&world, "GET", "/bucket-a?uploads", "").await;
    assert_eq!(uploads.elements("UploadId"), std::slice::from_ref(&id));
    assert_eq!(ask(&world, "HEAD", "/bucket-a/sam-app/f00d", "").await.status, 404);

    let world = world.restart();
    let named: String = (1..=2)
        .map(|number| {
            let part = &parts[number - 1];
            let (tag, sum) = (hex::encode(md5::Md5::digest(part)), crc32(part));
            format!("<Part><ETag>\"{tag}\"</ETag><ChecksumCRC32>{sum}</ChecksumCRC32><PartNumber>{number}</PartNumber></Part>")
        })
        .collect();
    let document = format!("<CompleteMultipartUpload>{named}</CompleteMultipartUpload>");
    let target = format!("/bucket-a/sam-app/f00d?uploadId={id}");
    let done = ask(&world, "POST", &target, document.clone()).await;
    assert_eq!(done.status, 200, "{}", done.text());
    let tag = done.element("ETag");
    assert!(tag.ends_with("-2\""), "{tag}");
    assert!(done.element("ChecksumCRC32").ends_with("-2"), "{}", done.text());
    let again = ask(&world, "POST", &target, document).await;
    assert_eq!((again.status, again.element("ETag")), (200, done.element("ETag")));

    let whole = [parts[0].clone(), parts[1].clone()].concat();
    let got = ask(&world, "GET", "/bucket-a/sam-app/f00d", "").await;
    assert!(got.body == whole);
    assert_eq!((got.header("etag"), got.header("content-type")), (tag.as_str(), "application/zip"));
    let second = ask(&world, "GET", "/bucket-a/sam-app/f00d?partNumber=2", "").await;
    assert!(second.status == 206 && second.body == parts[1]);
    assert_eq!(second.header("x-amz-mp-parts-count"), "2");
    let known = Req::new("GET", "/bucket-a/sam-app/f00d?attributes")
        .header("x-amz-object-attributes", "ETag,ObjectParts,ObjectSize")
        .signed(&world)
        .send(&world)
        .await;
    assert_eq!(known.element("ObjectSize"), whole.len().to_string());
    assert_eq!(known.element("PartsCount"), "2", "{}", known.text());

    let typed = world.call(GetObject {
        bucket: "bucket-a".into(),
        key: "sam-app/f00d".into(),
        ..GetObject::default()
    });
    let view = typed.await.unwrap();
    assert!(world.engine.store().blobs().read(&view.blob).unwrap() == whole);
    assert_eq!(ask(&world, "GET", "/bucket-a?uploads", "").await.elements("UploadId"), Vec::<String>::new());
}

#[tokio::test]
async fn uploads_that_go_wrong() {
    let world = with_bucket("bucket-a").await;
    let begin = |headers: Vec<(&'static str, &'static str)>| {
        let req = headers
            .into_iter()
            .fold(Req::new("POST", "/bucket-a/k?uploads"), |req, (name, value)| req.header(name, value));
        let req = req.signed(&world);
        async { req.send(&world).await }
    };
    for (headers, text) in [
        (vec![("x-amz-checksum-algorithm", "MD4")], "Checksum algorithm provided is unsupported"),
        (vec![("x-amz-checksum-type", "COMPOSITE")], "can only be used with"),
        (
            vec![("x-amz-checksum-algorithm", "SHA1"), ("x-amz-checksum-type", "FULL_OBJECT")],
            "FULL_OBJECT checksum type cannot",
        ),
    ] {
        let res = begin(headers).await;
        assert!(res.status == 400 && res.element("Message").contains(text), "{}", res.text());
    }
    let id = begin(Vec::new()).await.element("UploadId");
    let put = |number: i32, body: &'static str| {
        let req = Req::new("PUT", &format!("/bucket-a/k?partNumber={number}&uploadId={id}"))
            .body(body)
            .signed(&world);
        async { req.send(&world).await }
    };
    assert_eq!(put(0, "x").await.element("Code"), "InvalidArgument");
    assert_eq!(put(10_001, "x").await.element("Code"), "InvalidArgument");
    let tags = [put(1, "one").await, put(2, "two").await].map(|res| res.header("etag").to_owned());
    let complete = |parts: Vec<(usize, String)>| {
        let parts: String = parts
            .into_iter()
            .map(|(number, tag)| format!("<Part><ETag>{tag}</ETag><PartNumber>{number}</PartNumber></Part>"))
            .collect();
        let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let req = Req::new("POST", &format!("/bucket-a/k?uploadId={id}")).body(document).signed(&world);
        async { req.send(&world).await }
    };
    let [one, two] = tags;
    for (parts, code) in [
        (vec![(1, one.clone()), (2, two.clone())], "EntityTooSmall"),
        (vec![(2, two.clone()), (1, one.clone())], "InvalidPartOrder"),
        (vec![(1, two.clone())], "InvalidPart"),
        (vec![(3, one.clone())], "InvalidPart"),
        (vec![], "InvalidRequest"),
    ] {
        let res = complete(parts).await;
        assert_eq!((res.status, res.element("Code").as_str()), (400, code), "{}", res.text());
    }
    let done = complete(vec![(2, two)]).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(ask(&world, "GET", "/bucket-a/k", "").await.text(), "two");
    assert_eq!(put(1, "late").await.element("Code"), "NoSuchUpload");

    let id = begin(Vec::new()).await.element("UploadId");
    assert_eq!(ask(&world, "DELETE", &format!("/bucket-a/k?uploadId={id}"), "").await.status, 204);
    assert_eq!(
        ask(&world, "GET", &format!("/bucket-a/k?uploadId={id}"), "").await.element("Code"),
        "NoSuchUpload"
    );
    // An upload under way does not hold a bucket.
    begin(Vec::new()).await;
    ask(&world, "DELETE", "/bucket-a/k", "").await;
    assert_eq!(ask(&world, "DELETE", "/bucket-a", "").await.status, 204);
}

#[tokio::test]
async fn versions_and_markers() {
    let world = with_bucket("bucket-a").await;
    let versioning = |status: &str| {
        let body = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
        let req = Req::new("PUT", "/bucket-a?versioning").body(body).signed(&world);
        async { assert_eq!(req.send(&world).await.status, 200) }
    };
    assert_eq!(ask(&world, "PUT", "/bucket-a/k", "zero").await.header("x-amz-version-id"), "");
    versioning("Enabled").await;
    let one = ask(&world, "PUT", "/bucket-a/k", "one").await.header("x-amz-version-id").to_owned();
    let two = ask(&world, "PUT", "/bucket-a/k", "two").await.header("x-amz-version-id").to_owned();
    assert!(one.len() == 32 && one != two);
    let gone = ask(&world, "DELETE", "/bucket-a/k", "").await;
    assert_eq!((gone.status, gone.header("x-amz-delete-marker")), (204, "true"));
    let marker = gone.header("x-amz-version-id").to_owned();

    let missing = ask(&world, "GET", "/bucket-a/k", "").await;
    assert_eq!((missing.status, missing.header("x-amz-delete-marker")), (404, "true"));
    let refused = ask(&world, "GET", &format!("/bucket-a/k?versionId={marker}"), "").await;
    assert_eq!((refused.status, refused.element("Code").as_str()), (405, "MethodNotAllowed"));
    for (id, text) in [("null", "zero"), (one.as_str(), "one"), (two.as_str(), "two")] {
        let got = ask(&world, "GET", &format!("/bucket-a/k?versionId={id}"), "").await;
        assert_eq!((got.text().as_str(), got.header("x-amz-version-id")), (text, id));
    }
    assert_eq!(
        ask(&world, "GET", "/bucket-a/k?versionId=nonsense", "").await.element("Code"),
        "NoSuchVersion"
    );
    assert_eq!(ask(&world, "GET", "/bucket-a?list-type=2", "").await.elements("Key"), Vec::<String>::new());

    ask(&world, "PUT", "/bucket-a/other", "x").await;
    let all = ask(&world, "GET", "/bucket-a?versions&prefix=k", "").await;
    let mut ids = all.elements("VersionId");
    ids.sort();
    let mut expected = vec![marker.clone(), two.clone(), one.clone(), "null".to_owned()];
    expected.sort();
    assert_eq!(ids, expected);
    // In pages of one, nothing is lost or told twice.
    let (mut query, mut seen) = (String::new(), Vec::new());
    loop {
        let page = ask(&world, "GET", &format!("/bucket-a?{query}max-keys=1&versions"), "").await;
        seen.extend(page.elements("VersionId"));
        if page.element("IsTruncated") == "false" {
            break;
        }
        let (key, version) = (page.element("NextKeyMarker"), page.element("NextVersionIdMarker"));
        query = format!("key-marker={key}&version-id-marker={version}&");
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(seen[..4], [marker.clone(), two.clone(), one.clone(), "null".to_owned()]);

    // Without the marker the newest is back.
    let undone = ask(&world, "DELETE", &format!("/bucket-a/k?versionId={marker}"), "").await;
    assert_eq!(undone.header("x-amz-delete-marker"), "true");
    assert_eq!(ask(&world, "GET", "/bucket-a/k", "").await.text(), "two");

    versioning("Suspended").await;
    assert_eq!(ask(&world, "PUT", "/bucket-a/k", "three").await.header("x-amz-version-id"), "null");
    assert_eq!(ask(&world, "GET", "/bucket-a/k?versionId=null", "").await.text(), "three");
    let full = ask(&world, "DELETE", "/bucket-a", "").await;
    assert!(
        full.element("Message").ends_with("You must delete all versions in the bucket."),
        "{}",
        full.text()
    );
    let objects: String = ["null", &one, &two]
        .iter()
        .map(|id| format!("<Object><Key>k</Key><VersionId>{id}</VersionId></Object>"))
        .collect();
    let document = format!("<Delete>{objects}<Object><Key>other</Key></Object></Delete>");
    let deleted = ask(&world, "POST", "/bucket-a?delete", document).await;
    assert_eq!(deleted.elements("Key").len(), 4, "{}", deleted.text());
    let left = ask(&world, "GET", "/bucket-a?versions", "").await;
    assert!(left.elements("Key").iter().all(|key| key == "other"), "{}", left.text());
}

#[tokio::test]
async fn copies() {
    let world = with_bucket("bucket-a").await;
    ask(&world, "PUT", "/bucket-b", "").await;
    let put = Req::new("PUT", "/bucket-a/a%20b")
        .header("x-amz-meta-a", "1")
        .header("x-amz-tagging", "t=1")
        .body("body");
    put.signed(&world).send(&world).await;
    let copy = |target: &'static str, headers: Vec<(&'static str, &'static str)>| {
        let req =
            headers.into_iter().fold(Req::new("PUT", target), |req, (name, value)| req.header(name, value));
        let req = req.signed(&world);
        async { req.send(&world).await }
    };
    let source = ("x-amz-copy-source", "/bucket-a/a%20b");
    let done = copy("/bucket-b/c", vec![source]).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(done.element("ETag").trim_matches('"'), hex::encode(md5::Md5::digest("body")));
    let got = ask(&world, "GET", "/bucket-b/c", "").await;
    assert_eq!(
        (got.text().as_str(), got.header("x-amz-meta-a"), got.header("x-amz-tagging-count")),
        ("body", "1", "1")
    );

    let replaced = vec![
        source,
        ("x-amz-metadata-directive", "REPLACE"),
        ("x-amz-meta-b", "2"),
        ("content-type", "text/x"),
    ];
    assert_eq!(copy("/bucket-a/a%20b", replaced).await.status, 200);
    let got = ask(&world, "GET", "/bucket-a/a%20b", "").await;
    assert_eq!(
        (got.header("x-amz-meta-a"), got.header("x-amz-meta-b"), got.header("content-type")),
        ("", "2", "text/x")
    );

    for (target, headers, status, code) in [
        ("/bucket-a/a%20b", vec![source], 400, "InvalidRequest"),
        ("/bucket-b/c", vec![("x-amz-copy-source", "bucket-a/none")], 404, "NoSuchKey"),
        ("/bucket-b/c", vec![("x-amz-copy-source", "no-such-bucket/k")], 404, "NoSuchBucket"),
        ("/bucket-b/c", vec![source, ("x-amz-copy-source-if-match", "\"other\"")], 412, "PreconditionFailed"),
        ("/bucket-b/c", vec![source, ("x-amz-metadata-directive", "PERHAPS")], 400, "InvalidArgument"),
    ] {
        let res = copy(target, headers).await;
        assert_eq!((res.status, res.element("Code").as_str()), (status, code), "{target}");
    }

    let id = ask(&world, "POST", "/bucket-b/d?uploads", "").await.element("UploadId");
    let target = format!("/bucket-b/d?partNumber=1&uploadId={id}");
    let part = |range: &'static str| {
        let req = Req::new("PUT", &target)
            .header("x-amz-copy-source", "bucket-a/a%20b")
            .header("x-amz-copy-source-range", range);
        let req = req.signed(&world);
        async { req.send(&world).await }
    };
    assert_eq!(part("bytes=0-100").await.element("Code"), "InvalidArgument");
    assert_eq!(part("bytes=9-10").await.element("Code"), "InvalidRequest");
    let tag = part("bytes=1-2").await.element("ETag");
    let document = format!(
        "<CompleteMultipartUpload><Part><ETag>{tag}</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>"
    );
    ask(&world, "POST", &format!("/bucket-b/d?uploadId={id}"), document).await;
    assert_eq!(ask(&world, "GET", "/bucket-b/d", "").await.text(), "od");
}

#[tokio::test]
async fn tags_of_objects() {
    let world = with_bucket("bucket-a").await;
    ask(&world, "PUT", "/bucket-a/k", "x").await;
    let document = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
    assert_eq!(ask(&world, "PUT", "/bucket-a/k?tagging", document).await.status, 200);
    assert_eq!(ask(&world, "GET", "/bucket-a/k?tagging", "").await.elements("Key"), ["a"]);
    assert_eq!(ask(&world, "DELETE", "/bucket-a/k?tagging", "").await.status, 204);
    assert_eq!(ask(&world, "GET", "/bucket-a/k?tagging", "").await.elements("Key"), Vec::<String>::new());
    let eleven: String = (0..11).map(|n| format!("<Tag><Key>k{n}</Key><Value/></Tag>")).collect();
    let many =
        ask(&world, "PUT", "/bucket-a/k?tagging", format!("<Tagging><TagSet>{eleven}</TagSet></Tagging>"))
            .await;
    assert_eq!(many.status, 400, "{}", many.text());
    assert_eq!(ask(&world, "GET", "/bucket-a/none?tagging", "").await.element("Code"), "NoSuchKey");
}

#[tokio::test]
async fn blobs_nobody_points_to_are_swept() {
    let world = with_bucket("bucket-a").await;
    for key in ["kept", "gone"] {
        ask(&world, "PUT", &format!("/bucket-a/{key}"), key).await;
    }
    let blob = |key: &str| {
        world.engine.store().blobs().path(&hex::encode(<sha2::Sha256 as sha2::Digest>::digest(key)))
    };
    let (kept, gone) = (blob("kept"), blob("gone"));
    ask(&world, "DELETE", "/bucket-a/gone", "").await;
    world.settle().await;
    assert!(gone.exists(), "young blobs are spared");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(7200);
    for path in [&kept, &gone] {
        std::fs::File::options().append(true).open(path).unwrap().set_modified(old).unwrap();
    }
    world.settle().await;
    assert!(gone.exists(), "not before an hour has passed");
    world.clock.advance(3601);
    world.settle().await;
    assert!(kept.exists() && !gone.exists());
}

#[tokio::test]
async fn listing_a_key_with_many_versions_reads_no_more_than_a_batch_of_them() {
    let world = with_bucket("bucket-a").await;
    let body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    ask(&world, "PUT", "/bucket-a?versioning", body).await;
    for _ in 0..300 {
        ask(&world, "PUT", "/bucket-a/a", "x").await;
    }
    for key in ["b%2F1", "b%2F2", "c"] {
        ask(&world, "PUT", &format!("/bucket-a/{key}"), "x").await;
    }
    let all = ask(&world, "GET", "/bucket-a?list-type=2", "").await;
    assert_eq!(all.elements("Key"), ["a", "b/1", "b/2", "c"]);
    let rolled = ask(&world, "GET", "/bucket-a?delimiter=%2F&list-type=2&max-keys=2", "").await;
    assert_eq!((rolled.elements("Key"), rolled.element("KeyCount")), (vec!["a".to_owned()], "2".to_owned()));
}

#[tokio::test]
async fn writes_to_buckets_stand_in_the_trail_and_objects_do_not() {
    let world = with_bucket("bucket-a").await;
    ask(&world, "PUT", "/bucket-a/k", "x").await;
    ask(&world, "DELETE", "/bucket-a", "").await;
    // Denied calls on objects are recorded.
    Req::new("PUT", "/bucket-a/k").body("x").send(&world).await;
    let rows: Vec<(String, String)> = world
        .engine
        .store()
        .read(|tx| {
            let mut rows = tx.connection().prepare("SELECT name, body FROM trail ORDER BY id").unwrap();
            let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.map(Result::unwrap).collect()
        })
        .unwrap();
    let names: Vec<_> = rows.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["CreateBucket", "DeleteBucket", "PutObject"]);
    assert!(rows[0].1.contains(r#""bucketName":"bucket-a""#), "{}", rows[0].1);
    assert!(rows[1].1.contains(r#""errorCode":"BucketNotEmpty""#), "{}", rows[1].1);
    assert!(rows[2].1.contains("errorCode"), "{}", rows[2].1);
}
