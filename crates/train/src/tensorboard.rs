//! Event files for TensorBoard.
//!
//! A file is a row of records: length (u64), its checksum, the bytes of an `Event` message, their checksum. The few
//! messages are written here field by field, as Protocol Buffers do.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::callback::Callback;
use crate::error::TrainError;
use crate::record::{EpochRecord, Metrics, StepRecord};

/// Writes what `tensorboard --logdir FOLDER` shows: scalars, images and histograms. PyTorch's `SummaryWriter`.
///
/// As a [`Callback`] it writes the loss and the other means at every step, and train and test figures and the learning
/// rate at every epoch. Clones write to the same file.
///
/// ```
/// use striate_train::TensorBoard;
///
/// let folder = tempfile::tempdir()?;
/// let board = TensorBoard::create(folder.path())?;
/// board.scalar("loss", 1, 0.5)?;
/// board.histogram("fc.weight", 1, &[0.1, -0.2, 0.3])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct TensorBoard {
    file: Arc<Mutex<File>>,
}

impl TensorBoard {
    /// A new event file in this folder, which is made if it is not there; a run that goes on writes one more.
    ///
    /// # Errors
    /// When the folder or the file cannot be made.
    pub fn create(folder: impl AsRef<Path>) -> Result<Self, TrainError> {
        let folder = folder.as_ref();
        fs::create_dir_all(folder).map_err(TrainError::io(folder, "make the folder"))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!(
            "events.out.tfevents.{:010}.{}.{}",
            now.as_secs(),
            now.subsec_nanos(),
            std::process::id()
        );
        let path = folder.join(name);
        let file = File::create(&path).map_err(TrainError::io(&path, "write"))?;
        let board = TensorBoard { file: Arc::new(Mutex::new(file)) };
        let version = Message::default().bytes(3, b"brain.Event:2");
        board.event(0, version).map_err(TrainError::io(&path, "write"))?;
        Ok(board)
    }

    /// A number at a step.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn scalar(&self, tag: &str, step: u64, value: f64) -> io::Result<()> {
        self.value(step, Message::default().bytes(1, tag.as_bytes()).float(2, value as f32))
    }

    /// A picture at a step: the bytes of a PNG file of this height and width.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn image(&self, tag: &str, step: u64, [height, width]: [usize; 2], png: &[u8]) -> io::Result<()> {
        let rgb = 3;
        let image = Message::default().integer(1, height as u64).integer(2, width as u64).integer(3, rgb);
        self.value(step, Message::default().bytes(1, tag.as_bytes()).bytes(4, &image.bytes(4, png).0))
    }

    /// The distribution of numbers at a step; those that are not finite are left out.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn histogram(&self, tag: &str, step: u64, values: &[f32]) -> io::Result<()> {
        let histogram = histogram(values);
        self.value(step, Message::default().bytes(1, tag.as_bytes()).bytes(5, &histogram.0))
    }

    fn value(&self, step: u64, value: Message) -> io::Result<()> {
        let summary = Message::default().bytes(1, &value.0);
        self.event(step, Message::default().bytes(5, &summary.0))
    }

    fn event(&self, step: u64, what: Message) -> io::Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut event = Message::default().double(1, now.as_secs_f64()).integer(2, step);
        event.0.extend(what.0);
        let length = (event.0.len() as u64).to_le_bytes();
        let mut record = length.to_vec();
        record.extend(checksum(&length));
        record.extend_from_slice(&event.0);
        record.extend(checksum(&event.0));
        self.file().write_all(&record)
    }

    fn file(&self) -> MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn metrics(&self, group: &str, step: u64, metrics: &Metrics) -> io::Result<()> {
        metrics.iter().try_for_each(|(name, value)| self.scalar(&format!("{group}/{name}"), step, *value))
    }
}

impl Callback for TensorBoard {
    fn step(&mut self, record: &StepRecord) {
        let step = (record.epoch - 1) * record.steps as u64 + record.step as u64;
        // What cannot be written here shows at the end of the epoch, where it is an error.
        _ = self.metrics("step", step, &record.means);
    }

    fn epoch(&mut self, record: &EpochRecord, _epochs: u64) -> io::Result<()> {
        self.metrics("train", record.epoch, &record.train)?;
        self.metrics("test", record.epoch, &record.test)?;
        self.scalar("learning_rate", record.epoch, record.learning_rate)
    }
}

/// CRC-32C, turned and shifted as the record format asks.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// The bytes of a message of Protocol Buffers.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    fn key(self, field: u64, wire: u64) -> Self {
        self.varint(field << 3 | wire)
    }

    fn integer(self, field: u64, value: u64) -> Self {
        self.key(field, 0).varint(value)
    }

    fn double(self, field: u64, value: f64) -> Self {
        let mut message = self.key(field, 1);
        message.0.extend(value.to_le_bytes());
        message
    }

    fn bytes(self, field: u64, bytes: &[u8]) -> Self {
        let mut message = self.key(field, 2).varint(bytes.len() as u64);
        message.0.extend(bytes);
        message
    }

    fn float(self, field: u64, value: f32) -> Self {
        let mut message = self.key(field, 5);
        message.0.extend(value.to_le_bytes());
        message
    }

    fn doubles(self, field: u64, values: impl IntoIterator<Item = f64>) -> Self {
        let bytes: Vec<u8> = values.into_iter().flat_map(f64::to_le_bytes).collect();
        self.bytes(field, &bytes)
    }
}

/// Buckets of a histogram.
const BUCKETS: usize = 30;

/// A `HistogramProto` of equal buckets from the smallest to the largest value.
fn histogram(values: &[f32]) -> Message {
    let values: Vec<f64> = values.iter().map(|&x| f64::from(x)).filter(|x| x.is_finite()).collect();
    let (min, max) = values.iter().fold((f64::MAX, f64::MIN), |(min, max), &x| (min.min(x), max.max(x)));
    let (min, max) = if values.is_empty() { (0.0, 0.0) } else { (min, max) };
    let width = (max - min) / BUCKETS as f64;
    let mut counts = [0.0; BUCKETS];
    for &x in &values {
        let bucket = if width > 0.0 { ((x - min) / width) as usize } else { 0 };
        counts[bucket.min(BUCKETS - 1)] += 1.0;
    }
    Message::default()
        .double(1, min)
        .double(2, max)
        .double(3, values.len() as f64)
        .double(4, values.iter().sum())
        .double(5, values.iter().map(|x| x * x).sum())
        .doubles(6, (1..=BUCKETS).map(|i| min + width * i as f64))
        .doubles(7, counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_those_of_tensorflow() {
        // The first record that TensorFlow's own writer makes, its time and step left out of the bytes.
        assert_eq!(Message::default().bytes(3, b"brain.Event:2").0, b"\x1a\x0dbrain.Event:2");
        // RFC 3720: CRC-32C of 32 zeros is 8a9136aa.
        let turned = 0x8a91_36aa_u32.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(checksum(&[0; 32]), turned.to_le_bytes());
        assert_eq!(Message::default().integer(2, 300).0, [0x10, 0xac, 0x02]);
    }

    #[test]
    fn a_file_is_whole_records_one_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let board = TensorBoard::create(folder.path()).unwrap();
        board.scalar("loss", 3, 0.25).unwrap();
        board.image("digit", 3, [1, 1], b"png").unwrap();
        board.histogram("w", 3, &[1.0, 2.0, f32::NAN]).unwrap();
        let file = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let bytes = fs::read(file).unwrap();
        let (mut rest, mut events) = (&bytes[..], Vec::new());
        while !rest.is_empty() {
            let (length, body) = rest.split_at(8);
            assert_eq!(body[..4], checksum(length));
            let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
            let (event, after) = body[4..].split_at(length);
            assert_eq!(after[..4], checksum(event));
            events.push(event);
            rest = &after[4..];
        }
        assert_eq!(events.len(), 4);
        assert!(events[1].ends_with(b"\x0a\x04loss\x15\x00\x00\x80\x3e"), "{:?}", events[1]);
    }

    #[test]
    fn histograms_hold_every_finite_value() {
        let of = |values: &[f32]| histogram(values).0;
        let count = |bytes: &[u8]| f64::from_le_bytes(bytes[19..27].try_into().unwrap());
        assert_eq!(count(&of(&[])), 0.0);
        assert_eq!(count(&of(&[5.0, 5.0, f32::INFINITY])), 2.0);
        assert_eq!(count(&of(&[-1.0, 0.0, 7.0])), 3.0);
    }
}
