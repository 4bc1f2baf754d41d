//! A run as TensorBoard's event file: every scalar, and the pictures of its report.
//!
//! The file is TensorFlow's record format: length, masked CRC-32C of the length, an `Event` as Protocol Buffers, masked
//! CRC-32C of it.

use crate::run::Run;
use prost::Message;

/// The name that TensorBoard looks for in a folder; without a time, so that a later export replaces an earlier one.
pub const EVENTS_FILE: &str = "events.out.tfevents.0.mnist-gpu";

/// A picture of a run's report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// What TensorBoard calls it.
    pub name: String,
    /// The file.
    pub png: Vec<u8>,
}

/// The event file of a run that ended at this time, in seconds since 1970. Steps count from 1; what is of an epoch stands
/// at its last step.
pub fn events(run: &Run, pictures: &[Picture], ended: f64) -> Vec<u8> {
    let seconds = |row: &crate::trainer::EpochRow| row.seconds.unwrap_or(0.0);
    let mut time = ended - run.epochs.iter().map(seconds).sum::<f64>();
    let mut records = Records::default();
    records.push(&Event { wall_time: time, file_version: Some("brain.Event:2".into()), ..Event::default() });
    let steps_per_epoch = run.steps_per_epoch() as usize;
    let mut losses = run.step_losses.iter().enumerate().peekable();
    for row in &run.epochs {
        let last = row.epoch as usize * steps_per_epoch;
        let first = last.saturating_sub(steps_per_epoch);
        while let Some((step, loss)) = losses.next_if(|&(step, _)| step < last) {
            let share = (step + 1).saturating_sub(first) as f64 / steps_per_epoch as f64;
            records.push(&Event::scalar(time + share * seconds(row), step + 1, "loss/step", f64::from(*loss)));
        }
        time += seconds(row);
        let scalars = [
            ("loss/train", Some(row.train_loss)),
            ("loss/test", Some(row.test_loss)),
            ("loss/validation", row.validation_loss),
            ("accuracy/train", Some(row.train_accuracy)),
            ("accuracy/test", Some(row.test_accuracy)),
            ("accuracy/validation", row.validation_accuracy),
            ("learning_rate", row.learning_rate),
            ("images_per_second", row.images_per_second),
        ];
        for (tag, value) in scalars {
            if let Some(value) = value {
                records.push(&Event::scalar(time, last, tag, value));
            }
        }
    }
    // Those of an epoch that did not come to its end.
    for (step, loss) in losses {
        records.push(&Event::scalar(time, step + 1, "loss/step", f64::from(*loss)));
    }
    for picture in pictures {
        records.push(&Event::picture(ended, run.step_losses.len(), picture));
    }
    records.0
}

/// Records one after another.
#[derive(Default)]
struct Records(Vec<u8>);

impl Records {
    fn push(&mut self, event: &Event) {
        let (data, Self(bytes)) = (event.encode_to_vec(), self);
        let length = (data.len() as u64).to_le_bytes();
        bytes.extend(length);
        bytes.extend(masked(&length));
        bytes.extend(&data);
        bytes.extend(masked(&data));
    }
}

/// The checksum as the format stores it: a checksum of data that hold checksums would be weak otherwise.
fn masked(data: &[u8]) -> [u8; 4] {
    let checksum = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI).checksum(data);
    checksum.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// What TensorFlow's event.proto has of it.
#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
    #[prost(message, optional, tag = "4")]
    image: Option<Image>,
}

#[derive(Clone, PartialEq, Message)]
struct Image {
    #[prost(int32, tag = "1")]
    height: i32,
    #[prost(int32, tag = "2")]
    width: i32,
    /// 3 is RGB.
    #[prost(int32, tag = "3")]
    colorspace: i32,
    #[prost(bytes = "vec", tag = "4")]
    encoded_image_string: Vec<u8>,
}

impl Event {
    fn value(wall_time: f64, step: usize, value: Value) -> Self {
        Self { wall_time, step: step as i64, file_version: None, summary: Some(Summary { value: vec![value] }) }
    }

    fn scalar(wall_time: f64, step: usize, tag: &str, value: f64) -> Self {
        Self::value(wall_time, step, Value { tag: tag.into(), simple_value: Some(value as f32), image: None })
    }

    fn picture(wall_time: f64, step: usize, picture: &Picture) -> Self {
        // A PNG's first chunk, behind 16 bytes, begins with width and height.
        let word = |at: usize| picture.png.get(at..at + 4).map_or(0, |b| i32::from_be_bytes([b[0], b[1], b[2], b[3]]));
        let encoded_image_string = picture.png.clone();
        let image = Image { width: word(16), height: word(20), colorspace: 3, encoded_image_string };
        Self::value(wall_time, step, Value { tag: picture.name.clone(), simple_value: None, image: Some(image) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_the_published_checksums() {
        // CRC-32C of 32 zeros is 0x8a9136aa (RFC 3720, B.4).
        assert_eq!(crc::Crc::<u32>::new(&crc::CRC_32_ISCSI).checksum(&[0; 32]), 0x8a91_36aa);
        assert_eq!(masked(&[0; 32]), 0x8a91_36aa_u32.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes());
        let mut records = Records::default();
        records.push(&Event::scalar(0.5, 3, "loss", 0.25));
        let length = u64::from_le_bytes(records.0[..8].try_into().expect("8 bytes")) as usize;
        assert_eq!(records.0.len(), 8 + 4 + length + 4);
        let event = Event::decode(&records.0[12..12 + length]).expect("an event");
        assert_eq!(event, Event::scalar(0.5, 3, "loss", 0.25));
    }
}
