//! The hashes S3 makes of bodies: MD5 for the ETag, and one of five checksums for clients to compare.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};

use super::state::Checksum;

/// What S3 makes of a body for which nothing is asked, since December 2024.
pub const DEFAULT: &str = "CRC64NVME";

/// The five, as headers and documents name them.
pub const ALGORITHMS: [&str; 5] = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"];

/// Hashes a body as it passes.
pub struct Digester {
    md5: Md5,
    algorithm: &'static str,
    checksum: ChecksumHasher,
}

impl Digester {
    /// `algorithm` is one of [`ALGORITHMS`], in any case; what is not known counts as the default.
    pub fn new(algorithm: &str) -> Self {
        let known = ALGORITHMS.into_iter().find(|known| known.eq_ignore_ascii_case(algorithm));
        let algorithm = known.unwrap_or(DEFAULT);
        let mut checksum = ChecksumHasher::default();
        match algorithm {
            "CRC32" => checksum.crc32 = Some(Crc32::new()),
            "CRC32C" => checksum.crc32c = Some(Crc32c::new()),
            "SHA1" => checksum.sha1 = Some(Sha1::new()),
            "SHA256" => checksum.sha256 = Some(Sha256::new()),
            _ => checksum.crc64nvme = Some(Crc64Nvme::new()),
        }
        Self { md5: Md5::new(), algorithm, checksum }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.checksum.update(bytes);
    }

    /// The MD5 in hexadecimal, and the checksum.
    pub fn finish(self) -> (String, Checksum) {
        let sums = self.checksum.finalize();
        let value = sums
            .checksum_crc32
            .or(sums.checksum_crc32c)
            .or(sums.checksum_crc64nvme)
            .or(sums.checksum_sha1)
            .or(sums.checksum_sha256)
            .unwrap_or_default();
        let checksum = Checksum { algorithm: self.algorithm.to_owned(), value, composite: false };
        (hex::encode(self.md5.finalize()), checksum)
    }
}

/// The ETag of an object made of parts: the MD5 of the parts' MD5s, and how many they are.
pub fn e_tag_of_parts<'a>(md5s: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = md5s.len();
    let mut all = Md5::new();
    for md5 in md5s {
        all.update(hex::decode(md5).unwrap_or_default());
    }
    format!("{}-{count}", hex::encode(all.finalize()))
}

/// The checksum of the parts' checksums.
pub fn composite<'a>(algorithm: &str, parts: impl ExactSizeIterator<Item = &'a str>) -> Checksum {
    let count = parts.len();
    let mut all = Digester::new(algorithm);
    for part in parts {
        all.update(&STANDARD.decode(part).unwrap_or_default());
    }
    let (_, sum) = all.finish();
    Checksum { algorithm: sum.algorithm, value: format!("{}-{count}", sum.value), composite: true }
}

/// The bytes a checksum of that algorithm has.
pub fn length(algorithm: &str) -> usize {
    match algorithm {
        "CRC32" | "CRC32C" => 4,
        "CRC64NVME" => 8,
        "SHA1" => 20,
        _ => 32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_checksums() {
        // The check value of each algorithm: of the text "123456789".
        for (algorithm, hexadecimal) in [
            ("CRC32", "cbf43926"),
            ("crc32c", "e3069283"),
            ("CRC64NVME", "ae8b14860a799888"),
            ("SHA1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            ("SHA256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        ] {
            let mut digester = Digester::new(algorithm);
            digester.update(b"1234");
            digester.update(b"56789");
            let (md5, checksum) = digester.finish();
            assert_eq!(md5, "25f9e794323b453885f5181f1b624d0b");
            assert_eq!(checksum.value, STANDARD.encode(hex::decode(hexadecimal).unwrap()), "{algorithm}");
            assert_eq!(length(&checksum.algorithm), hexadecimal.len() / 2);
        }
    }

    #[test]
    fn parts() {
        // MD5 of the two MD5s in binary, as S3's documents describe.
        let one = "25f9e794323b453885f5181f1b624d0b";
        let mut all = Md5::new();
        all.update(hex::decode(one).unwrap());
        all.update(hex::decode(one).unwrap());
        assert_eq!(e_tag_of_parts([one, one].into_iter()), format!("{}-2", hex::encode(all.finalize())));
        let sum = composite("CRC32", ["y/Q5Jg==", "y/Q5Jg=="].into_iter());
        assert!(sum.composite && sum.value.ends_with("==-2"), "{sum:?}");
    }
}
