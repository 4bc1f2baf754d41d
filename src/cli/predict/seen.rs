//! What the network sees, for people to see.

use super::source::Source;
use crate::file::write_whole;
use crate::{Error, Result};
use image::{GrayImage, ImageFormat};
use std::collections::HashSet;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// From paper to ink.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

/// An image in characters, two a pixel, with a line around it.
pub fn drawing(image: &[u8], width: usize) -> String {
    let rule = "─".repeat(2 * width);
    let mut text = format!("┌{rule}┐\n");
    for row in image.chunks_exact(width) {
        let shade = |&value: &u8| SHADES[(usize::from(value) * (SHADES.len() - 1) + 127) / 255];
        let pixels = row.iter().map(shade).flat_map(|shade| [shade, shade]);
        text.extend(['│'].into_iter().chain(pixels).chain(['│', '\n']));
    }
    text + &format!("└{rule}┘")
}

/// A folder that the network's inputs are written into.
pub struct Folder {
    path: PathBuf,
    taken: HashSet<String>,
}

impl Folder {
    /// Makes the folder where there is none.
    pub fn new(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path).map_err(Error::io("create the folder", path))?;
        Ok(Self { path: path.into(), taken: HashSet::new() })
    }

    /// Writes an input under its picture's name; where two pictures have one name, the second gets a number.
    pub fn save(&mut self, source: &Source, image: &[u8], [height, width]: [u32; 2]) -> Result<()> {
        let stem = match source {
            Source::File(path) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            _ => "stdin".into(),
        };
        let mut name = format!("{stem}.input.png");
        let mut number = 1;
        while !self.taken.insert(name.clone()) {
            number += 1;
            name = format!("{stem}-{number}.input.png");
        }
        let image = GrayImage::from_raw(width, height, image.to_vec()).expect("a byte a pixel");
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, ImageFormat::Png).expect("memory takes a small picture");
        write_whole(&self.path.join(name), file.get_ref())
    }
}
