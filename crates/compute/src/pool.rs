//! Warm buffers for large temporaries.
//!
//! A fresh page costs a page fault: on common virtual machines new memory is touched at under 2 GB/s, ten times
//! slower than memory that is warm. So a large [`Buffer`] that is dropped goes to a pool, and the next one of
//! about its size comes from there. The pool keeps at most [`limit`] bytes; [`release`] gives all back to the system.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use bytemuck::{Pod, Zeroable};

use crate::Real;

/// A cache line; buffers start and end on one.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

// SAFETY: 64 bytes, aligned to 64, have no padding and no invalid value.
unsafe impl Zeroable for Line {}
// SAFETY: as above.
unsafe impl Pod for Line {}

/// Buffers of at least this many lines (64 KiB) are pooled; the system allocator is fast for smaller ones.
const POOLED_LINES: usize = 1024;

/// Unused buffers by size class, and their bytes.
struct Shelves {
    buffers: BTreeMap<usize, Vec<Vec<Line>>>,
    bytes: usize,
}

static SHELVES: Mutex<Shelves> = Mutex::new(Shelves { buffers: BTreeMap::new(), bytes: 0 });
static LIMIT: AtomicUsize = AtomicUsize::new(2 << 30);
static FRESH: AtomicU64 = AtomicU64::new(0);

/// Most bytes that the pool keeps: 2 GiB unless [`set_limit`] said otherwise.
pub fn limit() -> usize {
    LIMIT.load(Ordering::Relaxed)
}

/// Sets the most bytes that the pool keeps, and gives back what it has.
pub fn set_limit(bytes: usize) {
    LIMIT.store(bytes, Ordering::Relaxed);
    release();
}

/// Gives all unused buffers back to the system.
pub fn release() {
    let mut shelves = shelves();
    let buffers = std::mem::take(&mut shelves.buffers);
    shelves.bytes = 0;
    drop(shelves);
    drop(buffers);
}

/// Bytes of unused buffers in the pool.
pub fn kept() -> usize {
    shelves().bytes
}

/// How many pooled buffers have come fresh from the system so far: in a steady state it stands still.
pub fn fresh() -> u64 {
    FRESH.load(Ordering::Relaxed)
}

fn shelves() -> MutexGuard<'static, Shelves> {
    SHELVES.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Rounds up to a multiple of an eighth of its power of two, so that buffers of about one size share a shelf.
fn size_class(lines: usize) -> usize {
    lines.next_multiple_of((lines.next_power_of_two() / 16).max(1))
}

fn take(lines: usize) -> Vec<Line> {
    if lines < POOLED_LINES {
        return vec![Line::zeroed(); lines];
    }
    let lines = size_class(lines);
    let mut shelves = shelves();
    if let Some(buffer) = shelves.buffers.get_mut(&lines).and_then(Vec::pop) {
        shelves.bytes -= lines * size_of::<Line>();
        return buffer;
    }
    drop(shelves);
    FRESH.fetch_add(1, Ordering::Relaxed);
    let buffer = bytemuck::zeroed_vec(lines);
    ask_for_huge_pages(&buffer);
    buffer
}

/// Asks the kernel to back a fresh buffer with pages of 2 MiB: fewer page faults, and fewer misses when it is walked.
#[cfg(target_os = "linux")]
fn ask_for_huge_pages(buffer: &[Line]) {
    const PAGE: usize = 4096;
    let start = buffer.as_ptr().addr().next_multiple_of(PAGE);
    let end = buffer.as_ptr_range().end.addr() / PAGE * PAGE;
    if end.saturating_sub(start) >= 2 << 20 {
        // SAFETY: the pages lie inside the buffer, and the advice changes none of their contents. Where the kernel
        // knows no such pages it refuses, which does no harm.
        unsafe {
            libc::madvise(std::ptr::with_exposed_provenance_mut(start), end - start, libc::MADV_HUGEPAGE)
        };
    }
}

#[cfg(not(target_os = "linux"))]
fn ask_for_huge_pages(_buffer: &[Line]) {}

fn give_back(buffer: Vec<Line>) {
    if buffer.len() < POOLED_LINES {
        return;
    }
    let bytes = buffer.len() * size_of::<Line>();
    let mut shelves = shelves();
    let mut stale = Vec::new();
    while shelves.bytes + bytes > limit() {
        let Some(old) = shelves.buffers.values_mut().rev().find_map(Vec::pop) else { return };
        shelves.bytes -= old.len() * size_of::<Line>();
        stale.push(old);
    }
    shelves.bytes += bytes;
    shelves.buffers.entry(buffer.len()).or_default().push(buffer);
    drop(shelves);
    drop(stale);
}

/// A slice of `E` on the heap that starts at a cache line and comes from the pool when it is large.
pub struct Buffer<E: Real> {
    memory: Memory<E>,
    len: usize,
}

enum Memory<E> {
    Lines(Vec<Line>, PhantomData<E>),
    Adopted(Vec<E>),
}

impl<E: Real> Buffer<E> {
    /// A buffer whose contents are arbitrary numbers: for one that is wholly written next.
    pub fn scratch(len: usize) -> Self {
        let bytes = len.checked_mul(size_of::<E>()).expect("buffer size overflows");
        Buffer { memory: Memory::Lines(take(bytes.div_ceil(size_of::<Line>())), PhantomData), len }
    }

    /// A buffer of `len` times `value`.
    pub fn filled(len: usize, value: E) -> Self {
        let mut buffer = Self::scratch(len);
        buffer.fill(value);
        buffer
    }
}

impl<E: Real> From<Vec<E>> for Buffer<E> {
    /// Adopts a vector without copying it.
    fn from(vec: Vec<E>) -> Self {
        Buffer { len: vec.len(), memory: Memory::Adopted(vec) }
    }
}

impl<E: Real> Deref for Buffer<E> {
    type Target = [E];
    #[inline]
    fn deref(&self) -> &[E] {
        match &self.memory {
            Memory::Lines(lines, _) => &bytemuck::cast_slice(lines)[..self.len],
            Memory::Adopted(vec) => vec,
        }
    }
}

impl<E: Real> DerefMut for Buffer<E> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [E] {
        match &mut self.memory {
            Memory::Lines(lines, _) => &mut bytemuck::cast_slice_mut(lines)[..self.len],
            Memory::Adopted(vec) => vec,
        }
    }
}

impl<E: Real> Drop for Buffer<E> {
    fn drop(&mut self) {
        if let Memory::Lines(lines, _) = &mut self.memory {
            give_back(std::mem::take(lines));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_classes_waste_at_most_an_eighth() {
        for lines in 1..100_000 {
            let class = size_class(lines);
            assert!(class >= lines && class <= lines + lines / 8 + 1, "{lines} → {class}");
        }
    }
}
