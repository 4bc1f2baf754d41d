//! Images as JSON arrays of numbers.
//!
//! The text is read number by number into bytes, within limits and to a fixed depth: what it asks for in memory is what its
//! images need, whatever it says.

use super::answer::Refusal;
use hyper::StatusCode;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Images out of JSON.
#[derive(Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Image after image, a byte a pixel.
    pub images: Vec<u8>,
    /// Whether they came as an array of images rather than as one image.
    pub many: bool,
}

/// Reads an array of `height` rows of `width` numbers, or an array of at most `most` such arrays.
///
/// Numbers are whole, from 0 (ground) to 255 (ink), as data sets have them.
///
/// # Errors
/// 400 for what is no JSON; 422 for JSON that is no such array, and for an image with nothing on it; 413 for too many images.
pub fn read(json: &[u8], [height, width]: [u32; 2], most: usize) -> Result<Numbers, Refusal> {
    let sides = [height as usize, width as usize];
    let mut reader = Reader { sides, most, images: Vec::new(), rank: None, place: [0; 3], refusal: None };
    let mut json = serde_json::Deserializer::from_slice(json);
    let outcome = Level { reader: &mut reader, depth: 0 }.deserialize(&mut json).and_then(|()| json.end());
    match (outcome, reader.refusal) {
        (_, Some(refusal)) => Err(refusal),
        (Err(error), None) => Err(Refusal::new(StatusCode::BAD_REQUEST, format!("the body is not JSON: {error}"))),
        (Ok(()), None) => Ok(Numbers { images: reader.images, many: reader.rank == Some(3) }),
    }
}

/// What has been read so far.
struct Reader {
    sides: [usize; 2],
    most: usize,
    images: Vec<u8>,
    /// How many arrays are around a number, once the first number has been seen: 2 or 3.
    rank: Option<usize>,
    /// The indices of what is being read, from the outermost array on.
    place: [usize; 3],
    refusal: Option<Refusal>,
}

impl Reader {
    /// Notes why the text is refused; the error only ends the reading.
    fn refuse<E: serde::de::Error>(&mut self, status: StatusCode, problem: String) -> E {
        self.refusal.get_or_insert(Refusal::new(status, problem));
        E::custom("refused")
    }

    /// Refuses what stands where something else is expected.
    fn unexpected<E: serde::de::Error>(&mut self, found: &str) -> E {
        let [height, width] = self.sides;
        let problem = format!(
            "expected an array of {height} rows of {width} whole numbers from 0 to 255, or an array of such arrays; found {found}"
        );
        self.refuse(StatusCode::UNPROCESSABLE_ENTITY, problem)
    }

    /// Of which image a number, a row or a fault is, where there are several.
    fn image(&self) -> String {
        if self.rank == Some(3) { format!(" of image {}", self.place[0]) } else { String::new() }
    }

    /// The index of the row that is being read.
    fn row(&self) -> usize {
        if self.rank == Some(3) { self.place[1] } else { self.place[0] }
    }

    /// Checks that there is room for another element within `depth` arrays.
    fn element<E: serde::de::Error>(&mut self, depth: usize) -> Result<(), E> {
        let [height, width] = self.sides;
        // Before the first number, every element is the first of its array.
        let Some(rank) = self.rank else { return Ok(()) };
        let index = self.place[depth - 1];
        match rank - depth {
            0 if index >= width => {
                let found = format!("more than {width} numbers in row {}{}", self.row(), self.image());
                Err(self.unexpected(&found))
            }
            1 if index >= height => {
                let found = format!("more than {height} rows{}", self.image());
                Err(self.unexpected(&found))
            }
            2 if index >= self.most => {
                let problem = format!("too many images: at most {} are accepted in a request, found more", self.most);
                Err(self.refuse(StatusCode::PAYLOAD_TOO_LARGE, problem))
            }
            _ => Ok(()),
        }
    }

    fn number<E: serde::de::Error>(&mut self, depth: usize, value: f64) -> Result<(), E> {
        if !(2..=3).contains(&depth) || self.rank.is_some_and(|rank| rank != depth) {
            return Err(self.unexpected(&format!("the number {value} within {depth} arrays")));
        }
        self.rank = Some(depth);
        self.element(depth)?;
        if !(0.0..=255.0).contains(&value) || value.fract() != 0.0 {
            let share = value > 0.0 && value < 1.0;
            let hint = if share { ": shares from 0 to 1 are to be multiplied by 255 and rounded" } else { "" };
            let place = format!("row {}, column {}{}", self.row(), self.place[depth - 1], self.image());
            return Err(self.unexpected(&format!("{value} in {place}{hint}")));
        }
        self.images.push(value as u8);
        Ok(())
    }

    /// Checks an array within `depth` others that ends after so many elements.
    fn end<E: serde::de::Error>(&mut self, depth: usize, count: usize) -> Result<(), E> {
        let [height, width] = self.sides;
        let Some(rank) = self.rank.filter(|_| count > 0) else { return Err(self.unexpected("an empty array")) };
        match rank - depth {
            1 if count < width => {
                let found = format!("{count} numbers in row {}{}", self.row(), self.image());
                Err(self.unexpected(&found))
            }
            2 if count < height => {
                let found = format!("{count} rows{}", self.image());
                Err(self.unexpected(&found))
            }
            2 => self.whole(),
            _ => Ok(()),
        }
    }

    /// Checks an image that is complete.
    fn whole<E: serde::de::Error>(&mut self) -> Result<(), E> {
        let image = &self.images[self.images.len() - self.sides[0] * self.sides[1]..];
        match image.iter().max() {
            Some(most @ 0..=1) => {
                let which = self.image();
                let problem =
                    format!("the picture{which} is blank: its largest number is {most}, and ink is up to 255");
                Err(self.refuse(StatusCode::UNPROCESSABLE_ENTITY, problem))
            }
            _ => Ok(()),
        }
    }
}

/// A value within so many arrays.
struct Level<'a> {
    reader: &'a mut Reader,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("arrays of numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Self { reader, depth } = self;
        if depth >= reader.rank.unwrap_or(3) {
            return Err(reader.unexpected(&format!("an array within {depth} arrays")));
        }
        if depth > 0 {
            reader.element(depth)?;
        }
        let mut count = 0;
        loop {
            reader.place[depth] = count;
            if elements.next_element_seed(Level { reader, depth: depth + 1 })?.is_none() {
                return reader.end(depth, count);
            }
            count += 1;
        }
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.reader.number(self.depth, value as f64)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.reader.number(self.depth, value as f64)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.reader.number(self.depth, value)
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        Err(self.reader.unexpected("a text"))
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        Err(self.reader.unexpected(if value { "true" } else { "false" }))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Err(self.reader.unexpected("null"))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.reader.unexpected("an object"))
    }
}
