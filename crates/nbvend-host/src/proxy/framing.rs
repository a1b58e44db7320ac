//! Where an answer's body ends: by length, by chunks, or with the connection.
use bytes::{Buf, Bytes, BytesMut};

use super::wire::Invalid;

/// Bytes in a chunk's first line, extensions included, and in all trailers together.
const MAX_LINE: usize = 4 << 10;
const MAX_TRAILERS: usize = 16 << 10;

/// What is still to come of a body.
#[derive(Debug)]
pub(super) enum Framing {
    Length(u64),
    Chunked(Chunk),
    UntilClose,
}

#[derive(Debug)]
pub(super) enum Chunk {
    Size,
    Data(u64),
    /// The line's end after a chunk's data.
    End,
    /// Bytes of trailers so far; they are dropped.
    Trailers(usize),
    Done,
}

impl Framing {
    pub(super) fn length(length: u64) -> Self {
        Self::Length(length)
    }

    pub(super) fn chunked() -> Self {
        Self::Chunked(Chunk::Size)
    }

    pub(super) fn until_close() -> Self {
        Self::UntilClose
    }

    /// What is left, if that is known.
    pub(super) fn exact(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            Self::Chunked(Chunk::Done) => Some(0),
            Self::Chunked(_) | Self::UntilClose => None,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.exact() == Some(0)
    }

    /// Whether all that is left has been read already.
    pub(super) fn is_whole_in(&self, buffer: &BytesMut) -> bool {
        matches!(self, Self::Length(left) if *left <= buffer.len() as u64)
    }

    /// Whether the connection's end is the body's proper end.
    pub(super) fn ends_with_connection(&self) -> bool {
        matches!(self, Self::UntilClose)
    }

    /// The next piece of the body out of what has been read; none if more must be read, or if it is done.
    pub(super) fn take(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, Invalid> {
        self.skip(buffer)?;
        let most = match self {
            Self::Length(left) | Self::Chunked(Chunk::Data(left)) => *left,
            Self::UntilClose => u64::MAX,
            Self::Chunked(_) => 0,
        };
        let length = usize::try_from(most).unwrap_or(usize::MAX).min(buffer.len());
        if length == 0 {
            return Ok(None);
        }
        let piece = buffer.split_to(length).freeze();
        let taken = length as u64;
        match self {
            Self::Length(left) => *left -= taken,
            Self::Chunked(Chunk::Data(left)) if *left > taken => *left -= taken,
            Self::Chunked(chunk) => *chunk = Chunk::End,
            Self::UntilClose => {}
        }
        // So that the end is seen with the last piece.
        self.skip(buffer)?;
        Ok(Some(piece))
    }

    /// Takes off what is not data.
    fn skip(&mut self, buffer: &mut BytesMut) -> Result<(), Invalid> {
        let Self::Chunked(chunk) = self else { return Ok(()) };
        loop {
            *chunk = match chunk {
                Chunk::Data(_) | Chunk::Done => return Ok(()),
                Chunk::Size => match line(buffer, MAX_LINE)? {
                    None => return Ok(()),
                    Some(line) => match size(&line)? {
                        0 => Chunk::Trailers(0),
                        size => Chunk::Data(size),
                    },
                },
                Chunk::End if buffer.len() < 2 => return Ok(()),
                Chunk::End if buffer.starts_with(b"\r\n") => {
                    buffer.advance(2);
                    Chunk::Size
                }
                Chunk::End => return Err(Invalid("a chunk is longer than it says")),
                Chunk::Trailers(seen) => match line(buffer, MAX_TRAILERS - *seen)? {
                    None => return Ok(()),
                    Some(line) if line.is_empty() => Chunk::Done,
                    Some(line) => Chunk::Trailers((*seen + line.len() + 2).min(MAX_TRAILERS)),
                },
            };
        }
    }
}

/// A line without its end, which is CR LF and nothing less.
fn line(buffer: &mut BytesMut, most: usize) -> Result<Option<BytesMut>, Invalid> {
    let Some(end) = buffer.iter().take(most).position(|byte| *byte == b'\n') else {
        return if buffer.len() >= most { Err(Invalid("a line is too long")) } else { Ok(None) };
    };
    let mut line = buffer.split_to(end + 1);
    if !line.ends_with(b"\r\n") {
        return Err(Invalid("a line's end"));
    }
    line.truncate(end - 1);
    Ok(Some(line))
}

fn size(line: &[u8]) -> Result<u64, Invalid> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii_end();
    let good = (1..=15).contains(&digits.len()) && digits.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(digits).ok().filter(|_| good);
    text.and_then(|text| u64::from_str_radix(text, 16).ok()).ok_or(Invalid("a chunk's size"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body and what is left after it, fed in pieces of `step` bytes.
    fn read(mut framing: Framing, text: &[u8], step: usize) -> Result<(Vec<u8>, bool, Vec<u8>), Invalid> {
        let (mut buffer, mut body) = (BytesMut::new(), Vec::new());
        for piece in text.chunks(step) {
            buffer.extend_from_slice(piece);
            while let Some(bytes) = framing.take(&mut buffer)? {
                body.extend_from_slice(&bytes);
            }
        }
        Ok((body, framing.is_done(), buffer.to_vec()))
    }

    #[test]
    fn bodies_end_where_they_say() {
        let chunked = b"5\r\nhello\r\n1;name=\"x\"\r\n!\r\n0\r\nTrailer: 1\r\n\r\nnext";
        for step in 1..chunked.len() {
            let read = read(Framing::chunked(), chunked, step).unwrap();
            assert_eq!(read, (b"hello!".to_vec(), true, b"next".to_vec()), "{step}");
        }
        assert_eq!(read(Framing::length(3), b"abcd", 2).unwrap(), (b"abc".to_vec(), true, b"d".to_vec()));
        assert!(!read(Framing::until_close(), b"abcd", 2).unwrap().1);
        assert!(!read(Framing::chunked(), b"5\r\nhello\r\n", 3).unwrap().1);
    }

    #[test]
    fn the_end_is_seen_with_the_last_piece() {
        let mut framing = Framing::chunked();
        let mut buffer = BytesMut::from(&b"2\r\nab\r\n0\r\n\r\n"[..]);
        assert!(framing.take(&mut buffer).unwrap().is_some());
        assert!(framing.is_done());
    }

    #[test]
    fn chunks_that_could_be_read_in_two_ways_are_refused() {
        for text in [
            &b"5\nhello\r\n"[..],
            b"\r\n",
            b"+5\r\n",
            b"0x5\r\n",
            b"-1\r\n",
            b" 5\r\n",
            b"5 5\r\n",
            b"10000000000000000\r\n",
            b"5\r\nhelloX\r\n",
            b"0\r\nA: 1\n\r\n",
        ] {
            assert!(read(Framing::chunked(), text, 64).is_err(), "{:?}", String::from_utf8_lossy(text));
        }
        assert!(read(Framing::chunked(), &[b'1'; MAX_LINE + 1], 64).is_err());
        let trailers = format!("0\r\n{}", "A: 1\r\n".repeat(MAX_TRAILERS));
        assert!(read(Framing::chunked(), trailers.as_bytes(), 64).is_err());
    }
}
