//! Files that may be compressed with gzip, read as a stream of their decompressed bytes.
//!
//! Nothing is decompressed ahead of what the caller reads, so a gzip bomb costs what the caller asks for and no more.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::{Error, Result};

/// The two bytes that every gzip member begins with (RFC 1952).
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Opens a file for reading, through gzip where its first two bytes say so; the file's name does not matter.
///
/// A corrupt or truncated gzip stream shows as an I/O error of kind [`ErrorKind::InvalidData`].
pub fn open(path: &Path) -> Result<Box<dyn Read>> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(Error::io("open", path))?);
    let start = file.fill_buf().map_err(Error::io("read", path))?;
    Ok(if start.starts_with(&MAGIC) {
        Box::new(Gunzip { decoder: MultiGzDecoder::new(file), produced: 0 })
    } else {
        Box::new(file)
    })
}

/// A gzip decoder whose errors say how far it came.
struct Gunzip<R> {
    decoder: MultiGzDecoder<R>,
    produced: u64,
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.decoder.read(buffer) {
            Ok(count) => {
                self.produced += count as u64;
                Ok(count)
            }
            Err(error) => match error.kind() {
                ErrorKind::InvalidData | ErrorKind::InvalidInput => Err(self.corrupt("is corrupt", &error)),
                ErrorKind::UnexpectedEof => Err(self.corrupt("ends too early", &error)),
                _ => Err(error),
            },
        }
    }
}

impl<R> Gunzip<R> {
    fn corrupt(&self, what: &str, error: &io::Error) -> io::Error {
        let message = format!("the gzip stream {what} after {} decompressed bytes ({error})", self.produced);
        io::Error::new(ErrorKind::InvalidData, message)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn member(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let mut contents = Vec::new();
        open(file.path()).unwrap().read_to_end(&mut contents).map(|_| contents)
    }

    #[test]
    fn plain_and_compressed_files_read_alike() {
        assert_eq!(read(b"plain").unwrap(), b"plain");
        assert_eq!(read(b"").unwrap(), b"");
        assert_eq!(read(&member(b"compressed")).unwrap(), b"compressed");
        assert_eq!(read(&[member(b"two "), member(b"members")].concat()).unwrap(), b"two members");
    }

    #[test]
    fn a_damaged_stream_says_where_it_broke() {
        let whole = member(b"compressed");
        let cut = read(&whole[..whole.len() - 3]).unwrap_err();
        assert!(cut.to_string().contains("ends too early after 10 decompressed bytes"), "{cut}");
        let mut flipped = whole.clone();
        *flipped.last_mut().unwrap() ^= 1;
        let flipped = read(&flipped).unwrap_err();
        assert!(flipped.to_string().contains("is corrupt after 10 decompressed bytes"), "{flipped}");
        assert_eq!(flipped.kind(), ErrorKind::InvalidData);
    }
}
