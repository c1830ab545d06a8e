//! Who is told how training goes.

use std::io::{self, Write};

use crate::record::{EpochRecord, Metrics, StepRecord};

/// Told of every step and every epoch: progress bars, logs, own code.
pub trait Callback {
    /// A step is done.
    fn step(&mut self, _step: &StepRecord) {}

    /// Something looks wrong, though the run goes on.
    fn warning(&mut self, _text: &str) {}

    /// An epoch is done and evaluated, if it is one that is; `epochs` are to run in all.
    ///
    /// # Errors
    /// When what it writes cannot be written: training stops with that error.
    fn epoch(&mut self, epoch: &EpochRecord, epochs: u64) -> io::Result<()>;
}

/// One line of text per epoch, for terminals and log files.
pub struct PlainLines<W>(pub W);

impl<W: Write> Callback for PlainLines<W> {
    fn warning(&mut self, text: &str) {
        // A warning that cannot be written is no reason to stop.
        _ = writeln!(self.0, "warning: {text}");
    }

    fn epoch(&mut self, record: &EpochRecord, epochs: u64) -> io::Result<()> {
        writeln!(
            self.0,
            "epoch {:>2}/{epochs}  train {}  test {}  {:.0} samples/s",
            record.epoch,
            metrics_text(&record.train),
            metrics_text(&record.test),
            record.samples_per_second
        )?;
        self.0.flush()
    }
}

pub(crate) fn metrics_text(metrics: &Metrics) -> String {
    let loss_first = metrics.iter().filter(|(name, _)| *name == "loss");
    let ordered = loss_first.chain(metrics.iter().filter(|(name, _)| *name != "loss"));
    let texts: Vec<String> = ordered
        .map(|(name, value)| match name.as_str() {
            "accuracy" | "top5" => format!("{name} {:.2} %", 100.0 * value),
            _ => format!("{name} {value:.4}"),
        })
        .collect();
    texts.join(" ")
}

/// One JSON object per epoch, for other programs.
pub struct JsonLines<W>(pub W);

impl<W: Write> Callback for JsonLines<W> {
    fn epoch(&mut self, record: &EpochRecord, _epochs: u64) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, record)?;
        self.0.write_all(b"\n")?;
        self.0.flush()
    }
}
