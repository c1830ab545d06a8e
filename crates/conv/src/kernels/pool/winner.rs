//! Which element of a window is the largest, in few bytes.

use super::geometry::{PoolGeometry, Sliding};

/// How max pooling remembers winners: in a sliding window the number of the element, in an adaptive one its place in
/// the plane. `u8` for sliding windows of at most 256 elements, `u32` for others, `()` to remember nothing.
pub trait Winner: Copy + Send + Sync + 'static {
    /// Largest number that it holds.
    const MOST: usize;
    /// Keeps a number.
    fn of(place: usize) -> Self;
    /// The number.
    fn place(self) -> usize;
}

impl Winner for u8 {
    const MOST: usize = u8::MAX as usize;
    #[inline(always)]
    fn of(place: usize) -> Self {
        place as u8
    }
    #[inline(always)]
    fn place(self) -> usize {
        usize::from(self)
    }
}

impl Winner for u32 {
    const MOST: usize = u32::MAX as usize;
    #[inline(always)]
    fn of(place: usize) -> Self {
        place as u32
    }
    #[inline(always)]
    fn place(self) -> usize {
        self as usize
    }
}

impl Winner for () {
    const MOST: usize = usize::MAX;
    #[inline(always)]
    fn of(_: usize) -> Self {}
    #[inline(always)]
    fn place(self) -> usize {
        0
    }
}

impl PoolGeometry {
    /// Whether winners fit into `u8`; into `u32` they always do.
    pub fn narrow_winners(&self) -> bool {
        self.largest_winner() <= u8::MAX as usize
    }

    /// The largest number that a winner can have.
    pub(super) fn largest_winner(&self) -> usize {
        self.taps().unwrap_or(self.input_size()) - 1
    }
}

/// Places in a plane of x, of winners.
pub(super) struct Places {
    windows: Option<Windows>,
    columns: usize,
}

struct Windows {
    sliding: Sliding,
    rows: usize,
    pitch: [isize; 3],
    /// From a window's origin to its elements.
    taps: Vec<isize>,
}

impl Places {
    pub(super) fn new(pool: &PoolGeometry) -> Self {
        let [_, height, width] = pool.input;
        let pitch = [(height * width) as isize, width as isize, 1];
        let windows = pool.sliding.map(|sliding| {
            let [depth, height, width] = sliding.kernel;
            let step = |axis: usize| sliding.dilation[axis] as isize * pitch[axis];
            let steps = [step(0), step(1), step(2)];
            let mut taps = Vec::with_capacity(depth * height * width);
            for d in 0..depth as isize {
                for h in 0..height as isize {
                    taps.extend((0..width as isize).map(|w| d * steps[0] + h * steps[1] + w * steps[2]));
                }
            }
            Windows { sliding, rows: pool.output[1], pitch, taps }
        });
        Places { windows, columns: pool.output[2] }
    }

    /// Calls `f(place, j)` for every window j of a plane.
    #[inline(always)]
    pub(super) fn each<W: Winner>(&self, winners: &[W], mut f: impl FnMut(usize, usize)) {
        let Some(Windows { sliding, rows, pitch, taps }) = &self.windows else {
            return winners.iter().enumerate().for_each(|(j, winner)| f(winner.place(), j));
        };
        let origin =
            |axis: usize, o: usize| (o * sliding.stride[axis]) as isize - sliding.padding[axis] as isize;
        for (row, winners) in winners.chunks_exact(self.columns).enumerate() {
            let mut start =
                origin(0, row / rows) * pitch[0] + origin(1, row % rows) * pitch[1] + origin(2, 0);
            for (column, winner) in winners.iter().enumerate() {
                f((start + taps[winner.place()]) as usize, row * self.columns + column);
                start += sliding.stride[2] as isize;
            }
        }
    }
}
