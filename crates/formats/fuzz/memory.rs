//! What every reader of outside bytes is held to: no panic, and no more memory than a small multiple of the file.

use std::sync::Mutex;

use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// One reader at a time, so that the peak is its own.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs `read` and panics if it took more than four times the file and 64 MiB.
pub(crate) fn bounded<T>(file: &[u8], read: impl FnOnce() -> T) -> T {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let value = read();
    let taken = MEMORY.peak_usage().saturating_sub(before);
    let most = 4 * file.len() + (64 << 20);
    assert!(taken <= most, "{taken} bytes taken for a file of {} bytes, {most} allowed", file.len());
    value
}
