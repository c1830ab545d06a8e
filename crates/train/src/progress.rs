//! A progress bar.

use std::io;
use std::time::Duration;

use indicatif::{ProgressBar as Bar, ProgressStyle};

use crate::callback::{Callback, metrics_text};
use crate::record::{EpochRecord, StepRecord};

/// A bar over all steps of a run with loss, accuracy, samples per second and the time left; on standard error,
/// and nothing at all when that is no terminal.
pub struct ProgressBar {
    bar: Bar,
    epochs: u64,
}

impl ProgressBar {
    /// A bar for a run of `epochs` in all, which may be resumed in any of them.
    pub fn new(epochs: u64) -> Self {
        let style =
            ProgressStyle::with_template("{prefix} {wide_bar:.cyan/dim} {percent:>3} %  {msg}  {eta} left")
                .expect("the template is well-formed")
                .progress_chars("━╸─");
        ProgressBar { bar: Bar::new(0).with_style(style), epochs }
    }
}

impl Callback for ProgressBar {
    fn step(&mut self, step: &StepRecord) {
        let done = (step.epoch - 1) * step.steps as u64 + step.step as u64;
        if self.bar.length() != Some(self.epochs * step.steps as u64) {
            // A resumed run starts in the middle: the time left counts from here.
            self.bar.set_length(self.epochs * step.steps as u64);
            self.bar.set_position(done);
            self.bar.reset_eta();
            self.bar.enable_steady_tick(Duration::from_millis(200));
        }
        self.bar.set_prefix(format!("epoch {}/{}", step.epoch, self.epochs));
        self.bar.set_message(format!(
            "{}  {:.0} samples/s",
            metrics_text(&step.means),
            step.samples_per_second
        ));
        self.bar.set_position(done);
    }

    fn warning(&mut self, text: &str) {
        self.bar.suspend(|| eprintln!("warning: {text}"));
    }

    fn epoch(&mut self, record: &EpochRecord, epochs: u64) -> io::Result<()> {
        if record.epoch >= epochs {
            self.bar.finish_and_clear();
        }
        Ok(())
    }
}

impl Drop for ProgressBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
