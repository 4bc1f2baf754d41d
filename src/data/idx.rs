//! The IDX format: a big-endian header of 32-bit words (a magic number, then the sizes), then one byte per element.
//!
//! The bytes are untrusted. Every size is checked before anything is allocated for it, and no more is ever read than
//! the header announces and one byte.

use std::io::{self, ErrorKind, Read};
use std::ops::RangeInclusive;
use std::path::Path;

use crate::{Error, Result};

/// The magic number of an image file: unsigned bytes, three dimensions (count, height, width).
pub const IMAGES_MAGIC: u32 = 0x0000_0803;
/// The magic number of a label file: unsigned bytes, one dimension (count).
pub const LABELS_MAGIC: u32 = 0x0000_0801;
/// The heights and widths, in pixels, that an image may have.
pub const SIDES: RangeInclusive<u32> = 8..=64;
/// The most bytes that a file may announce, its header included.
pub const MAX_BYTES: u64 = 2 << 30;

/// The contents of an image file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// How many images there are; at least 1.
    pub count: u32,
    /// The height of every image in pixels, within [`SIDES`].
    pub height: u32,
    /// The width of every image in pixels, within [`SIDES`].
    pub width: u32,
    /// count × height × width bytes, image after image in row-major order; 0 is background.
    pub pixels: Vec<u8>,
}

/// Reads an image file from memory; `path` is what errors call it.
pub fn parse_images(bytes: &[u8], path: &Path) -> Result<Images> {
    read_images(bytes, path)
}

/// Reads a label file from memory; `path` is what errors call it.
pub fn parse_labels(bytes: &[u8], path: &Path) -> Result<Vec<u8>> {
    read_labels(bytes, path)
}

/// Reads an image file from a stream; `path` is what errors call it.
pub fn read_images(mut reader: impl Read, path: &Path) -> Result<Images> {
    let [count, height, width] = header(&mut reader, IMAGES_MAGIC, path)?;
    for (name, side, offset) in [("height", height, 8), ("width", width, 12)] {
        if !SIDES.contains(&side) {
            let (least, most) = (SIDES.start(), SIDES.end());
            let problem = format!("expected a {name} of {least} to {most} pixels at byte {offset}, found {side}");
            return Err(Error::format(path, problem));
        }
    }
    let what = format!("{count} images of {height}×{width} bytes");
    let pixels = elements(reader, 16, u64::from(count) * u64::from(height * width), &what, path)?;
    Ok(Images { count, height, width, pixels })
}

/// Reads a label file from a stream; `path` is what errors call it.
pub fn read_labels(mut reader: impl Read, path: &Path) -> Result<Vec<u8>> {
    let [count] = header(&mut reader, LABELS_MAGIC, path)?;
    elements(reader, 8, u64::from(count), &format!("{count} labels of 1 byte"), path)
}

/// Checks the magic number and gives the sizes that follow it; the first one, the count, is not zero.
fn header<const SIZES: usize>(reader: &mut impl Read, magic: u32, path: &Path) -> Result<[u32; SIZES]> {
    let length = 4 + 4 * SIZES;
    let mut bytes = Vec::with_capacity(length);
    reader.take(length as u64).read_to_end(&mut bytes).map_err(|error| read_error(error, path))?;
    let mut words = bytes.as_chunks().0.iter().map(|word| u32::from_be_bytes(*word));
    let found = words.next();
    if let Some(found) = found.filter(|found| *found != magic) {
        let hint = match found {
            IMAGES_MAGIC => " (that of an image file)",
            LABELS_MAGIC => " (that of a label file)",
            _ => "",
        };
        let kind = if magic == IMAGES_MAGIC { "an image" } else { "a label" };
        let problem =
            format!("expected {magic:#010x}, the magic number of {kind} file, at byte 0, found {found:#010x}{hint}");
        return Err(Error::format(path, problem));
    }
    if bytes.len() < length {
        let problem = format!("expected a header of {length} bytes, but the file ends at byte {}", bytes.len());
        return Err(Error::format(path, problem));
    }
    let mut sizes = [0; SIZES];
    sizes.iter_mut().zip(words).for_each(|(size, word)| *size = word);
    if sizes[0] == 0 {
        return Err(Error::format(path, "expected a count of at least 1 at byte 4, found 0"));
    }
    Ok(sizes)
}

/// Reads exactly `size` bytes, which must be all that is left; `start` is the offset of the first of them.
fn elements(reader: impl Read, start: u64, size: u64, what: &str, path: &Path) -> Result<Vec<u8>> {
    let end = start + size;
    if end > MAX_BYTES {
        let problem = format!("the header announces {what}, {end} bytes in all; at most {MAX_BYTES} are accepted");
        return Err(Error::format(path, problem));
    }
    // A small file can announce much: reserve what is usual, and let the vector grow beyond that as bytes come.
    let mut bytes = Vec::with_capacity(size.min(1 << 26) as usize);
    reader.take(size + 1).read_to_end(&mut bytes).map_err(|error| read_error(error, path))?;
    let found = start + bytes.len() as u64;
    if found < end {
        let problem = format!("expected {what}, which end at byte {end}, but the file ends at byte {found}");
        return Err(Error::format(path, problem));
    }
    if found > end {
        let problem = format!("expected the file to end at byte {end}, after {what}, but it goes on");
        return Err(Error::format(path, problem));
    }
    Ok(bytes)
}

/// Tells damaged contents, which the gzip reader reports as invalid data, from a failing disk.
fn read_error(error: io::Error, path: &Path) -> Error {
    if error.kind() == ErrorKind::InvalidData {
        Error::format(path, error.to_string())
    } else {
        Error::io("read", path)(error)
    }
}
