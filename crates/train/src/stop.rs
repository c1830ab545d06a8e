use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Asks a run, from any thread, to end after the step that it is in: it writes a checkpoint and returns
/// [`TrainError::Stopped`](crate::TrainError::Stopped).
///
/// ```
/// let stop = striate_train::Stop::default();
/// let other = stop.clone();
/// other.request();
/// assert!(stop.requested());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks for the end.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the end was asked for.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes Ctrl-C as the request; a second Ctrl-C ends the process at once, with code 130. Once per process.
    ///
    /// # Errors
    /// When the process handles Ctrl-C already.
    #[cfg(feature = "interrupt")]
    pub fn on_ctrl_c() -> Result<Self, ctrlc::Error> {
        let stop = Stop::default();
        let handler = stop.clone();
        ctrlc::set_handler(move || {
            if handler.0.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        })?;
        Ok(stop)
    }
}
