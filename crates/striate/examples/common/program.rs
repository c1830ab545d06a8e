//! What programs share: errors, threads, arguments.

use std::error::Error;
use std::process::ExitCode;

use striate::compute::par;
use striate::train::TrainError;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// What a shell gives a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// The whole program, on all cores or as many threads as are given.
pub(crate) fn run(threads: Option<usize>, program: impl FnOnce() -> Outcome<()> + Send) -> ExitCode {
    let set = threads.map_or(Ok(()), par::set_threads);
    let outcome = set.map_err(Into::into).and_then(|()| par::install(program));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if matches!(error.downcast_ref(), Some(TrainError::Stopped { .. })) => {
            eprintln!("{error}: go on with --resume");
            ExitCode::from(INTERRUPTED)
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

pub(crate) fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&n| n > 0).ok_or_else(|| "expected a whole number of at least 1".into())
}

pub(crate) fn learning_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "expected a number above 0, such as 1e-3".into())
}
