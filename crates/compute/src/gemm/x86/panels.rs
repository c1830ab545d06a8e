//! Packing: lanes (rows of A, columns of B) in panels of a tile's width, step by step along k.

use std::arch::x86_64::*;
use std::ops::Range;

use super::micro::{Micro, micro};
use crate::Buffer;
use crate::gemm::Mat;
use crate::isa::Isa;
use crate::par;

/// One factor seen from k: `lanes` vectors of length k.
#[derive(Clone, Copy)]
pub(super) struct Lanes<'a> {
    data: &'a [f32],
    pub(super) cut: Cut,
    pub(super) lane_stride: usize,
    pub(super) step: usize,
    /// Where each step starts, when they are not `step` apart.
    starts: Option<&'a [usize]>,
}

/// How lanes and k are cut, from the sizes alone.
#[derive(Clone, Copy)]
pub(crate) struct Cut {
    pub(super) micro: &'static Micro,
    pub(super) lanes: usize,
    pub(super) k: usize,
    pub(super) panels: usize,
    /// Lanes of a panel; the first `more` panels have one more, and the last one may have fewer.
    size: usize,
    more: usize,
    /// Packed panels are padded to a multiple of this.
    pad: usize,
}

impl Cut {
    /// Panels as equal as possible: a kernel exists for every number of rows.
    fn rows(lanes: usize, k: usize, micro: &'static Micro) -> Self {
        let panels = lanes.div_ceil(micro.rows);
        Cut { micro, lanes, k, panels, size: lanes / panels, more: lanes % panels, pad: 1 }
    }

    /// Full panels and the rest.
    fn columns(lanes: usize, k: usize, micro: &'static Micro) -> Self {
        let size = micro.cols;
        Cut { micro, lanes, k, panels: lanes.div_ceil(size), size, more: 0, pad: micro.lanes }
    }

    /// First lane of a panel.
    #[inline(always)]
    pub(super) fn start(&self, panel: usize) -> usize {
        (panel * self.size + panel.min(self.more)).min(self.lanes)
    }

    /// Lanes of a panel.
    #[inline(always)]
    pub(super) fn width(&self, panel: usize) -> usize {
        self.start(panel + 1) - self.start(panel)
    }

    /// Numbers per step in a packed panel.
    #[inline(always)]
    fn pitch(&self, panel: usize) -> usize {
        self.padded(self.width(panel))
    }

    #[inline(always)]
    fn padded(&self, lanes: usize) -> usize {
        if self.pad == 1 { lanes } else { lanes.next_multiple_of(self.pad) }
    }

    /// Numbers per step in all packed panels of a range.
    fn pitches(&self, panels: Range<usize>) -> usize {
        self.padded(self.start(panels.end) - self.start(panels.start))
    }

    pub(super) fn k_blocks(&self) -> usize {
        self.k.div_ceil(self.micro.k)
    }

    /// The steps of a block of k.
    pub(super) fn k_block(&self, block: usize) -> Range<usize> {
        let (size, more) = (self.k / self.k_blocks(), self.k % self.k_blocks());
        let start = block * size + block.min(more);
        start..start + size + usize::from(block < more)
    }
}

/// Where a kernel finds a panel: lane l of step p is at `data + l * lane_stride + p * step`.
pub(super) struct Strip {
    pub(super) data: *const f32,
    pub(super) lane_stride: usize,
    pub(super) step: usize,
    /// Where each step starts, or null when they are `step` apart.
    pub(super) starts: *const usize,
}

impl<'a> Lanes<'a> {
    /// The rows of A.
    pub(super) fn rows(a: Mat<'a, f32>, micro: &'static Micro) -> Self {
        let (lane_stride, step) = (a.row_stride, a.col_stride);
        Lanes { data: a.data, cut: Cut::rows(a.rows, a.cols, micro), lane_stride, step, starts: None }
    }

    /// The columns of B.
    pub(super) fn columns(b: Mat<'a, f32>, micro: &'static Micro) -> Self {
        Lanes {
            data: b.data,
            cut: Cut::columns(b.cols, b.rows, micro),
            lane_stride: b.col_stride,
            step: b.row_stride,
            starts: None,
        }
    }

    /// The columns of a B whose rows lie anywhere.
    pub(super) fn scattered(
        data: &'a [f32],
        starts: &'a [usize],
        cols: usize,
        micro: &'static Micro,
    ) -> Self {
        let cut = Cut::columns(cols, starts.len(), micro);
        Lanes { data, cut, lane_stride: 1, step: 0, starts: Some(starts) }
    }

    #[inline(always)]
    pub(super) fn strip(&self, panel: usize, k: &Range<usize>) -> Strip {
        let first = self.cut.start(panel) * self.lane_stride + k.start * self.step;
        let starts = self.starts.map_or(std::ptr::null(), |starts| starts[k.start..].as_ptr());
        Strip { data: self.data[first..].as_ptr(), lane_stride: self.lane_stride, step: self.step, starts }
    }

    /// Numbers from the first to the last.
    pub(super) fn extent(&self) -> usize {
        (self.cut.lanes - 1) * self.lane_stride + (self.cut.k - 1) * self.step + 1
    }

    /// Numbers that `pack` writes for these panels.
    pub(super) fn packed_len(&self, panels: &Range<usize>, k: &Range<usize>) -> usize {
        self.cut.pitches(panels.clone()).checked_mul(k.len()).expect("gemm: packed size overflows")
    }

    /// A panel in what `pack` wrote for the panels from `first` on.
    #[inline(always)]
    pub(super) fn packed_strip(&self, packed: &[f32], first: usize, panel: usize, k: &Range<usize>) -> Strip {
        let skip = (self.cut.start(panel) - self.cut.start(first)) * k.len();
        let (data, starts) = (packed[skip..].as_ptr(), std::ptr::null());
        Strip { data, lane_stride: 1, step: self.cut.pitch(panel), starts }
    }

    /// Packs some panels of one block of k.
    pub(super) fn pack(&self, panels: &Range<usize>, k: &Range<usize>, to: &mut [f32]) {
        let first = self.cut.start(panels.start);
        let from = &self.data[first * self.lane_stride + k.start * self.step..];
        let place =
            |panel: usize| (self.cut.start(panel) - first, self.cut.width(panel), self.cut.pitch(panel));
        if self.lane_stride == 1 && self.cut.width(panels.start) == self.cut.micro.cols {
            let copy = if self.cut.micro.cols == 16 { copy_columns::<16> } else { copy_columns::<48> };
            let lanes = self.cut.start(panels.end) - first;
            return copy(from, self.step, lanes, k.len(), self.cut.pad, to);
        }
        for (lane, width, pitch) in panels.clone().map(place) {
            let (from, to) = (&from[lane * self.lane_stride..], &mut to[lane * k.len()..][..pitch * k.len()]);
            if self.lane_stride == 1 {
                copy(from, self.step, width, to, pitch);
            } else if self.step == 1 {
                // SAFETY: packing is only reached when the CPU has AVX2.
                unsafe { transpose(from, self.lane_stride, width, to, pitch) }
            } else {
                for (p, to) in to.chunks_exact_mut(pitch).enumerate() {
                    to[width..].fill(0.0);
                    for (l, to) in to[..width].iter_mut().enumerate() {
                        *to = from[l * self.lane_stride + p * self.step];
                    }
                }
            }
        }
    }
}

/// Contiguous lanes in panels of N, row by row, so that each page of memory is passed once.
fn copy_columns<const N: usize>(
    from: &[f32],
    step: usize,
    lanes: usize,
    k: usize,
    pad: usize,
    to: &mut [f32],
) {
    const LINE: usize = 16;
    let whole = lanes - lanes % N;
    for p in 0..k {
        let row = &from[p * step..][..lanes];
        for line in (0..lanes).step_by(LINE) {
            // SAFETY: a prefetch faults nowhere; rows can be pages apart, where the hardware does not foresee them.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(row.as_ptr().wrapping_add(4 * step + line).cast()) };
        }
        for (panel, from) in row.chunks_exact(N).enumerate() {
            to[(panel * k + p) * N..][..N].copy_from_slice(from);
        }
    }
    if whole < lanes {
        let pitch = (lanes - whole).next_multiple_of(pad);
        copy(&from[whole..], step, lanes - whole, &mut to[whole * k..][..pitch * k], pitch);
    }
}

/// Contiguous lanes of one panel, padded with zeros.
fn copy(from: &[f32], step: usize, width: usize, to: &mut [f32], pitch: usize) {
    fn fixed<const W: usize>(from: &[f32], step: usize, to: &mut [f32]) {
        for (p, to) in to.chunks_exact_mut(W).enumerate() {
            to.copy_from_slice(&from[p * step..][..W]);
        }
    }
    match (width, pitch) {
        (4, 4) => fixed::<4>(from, step, to),
        (5, 5) => fixed::<5>(from, step, to),
        (6, 6) => fixed::<6>(from, step, to),
        (7, 7) => fixed::<7>(from, step, to),
        (8, 8) => fixed::<8>(from, step, to),
        _ => {
            for (p, to) in to.chunks_exact_mut(pitch).enumerate() {
                to[..width].copy_from_slice(&from[p * step..][..width]);
                to[width..].fill(0.0);
            }
        }
    }
}

/// Lanes that are transposed at once.
const LANES: usize = 8;

/// Steps are contiguous: `to[p * pitch + l] = from[l * lane_stride + p]`, blocks of 8 × 8 in registers.
///
/// A pitch under 8 makes the stores of consecutive steps overlap: the later one is right.
#[target_feature(enable = "avx2")]
fn transpose(from: &[f32], lane_stride: usize, width: usize, to: &mut [f32], pitch: usize) {
    debug_assert!(
        pitch <= LANES || pitch.is_multiple_of(LANES),
        "the next block would spoil the steps of this one"
    );
    let k = to.len() / pitch;
    for first in (0..width).step_by(LANES) {
        let lanes = (width - first).min(LANES);
        // Rows that do not exist are read from the last one that does; what they give is overwritten or ignored.
        let rows: [&[f32]; LANES] =
            std::array::from_fn(|l| &from[(first + l.min(lanes - 1)) * lane_stride..][..k]);
        let to = &mut to[first..];
        let mut p = 0;
        while p + LANES <= k && (p + LANES - 1) * pitch + LANES <= to.len() {
            // SAFETY: each row has k numbers, and p + 8 ≤ k.
            let block = rows.map(|row| unsafe { _mm256_loadu_ps(row.as_ptr().add(p)) });
            for (q, row) in transposed(block).into_iter().enumerate() {
                // SAFETY: (p + 7) · pitch + 8 is not beyond the end.
                unsafe { _mm256_storeu_ps(to.as_mut_ptr().add((p + q) * pitch), row) };
            }
            p += LANES;
        }
        for p in p..k {
            for l in 0..LANES.min(pitch - first) {
                to[p * pitch + l] = rows[l][p];
            }
        }
    }
}

#[target_feature(enable = "avx2")]
fn transposed(x: [__m256; 8]) -> [__m256; 8] {
    let pair = |i: usize| (_mm256_unpacklo_ps(x[i], x[i + 1]), _mm256_unpackhi_ps(x[i], x[i + 1]));
    let quad = |i: usize| {
        let ((a, b), (c, d)) = (pair(i), pair(i + 2));
        [
            _mm256_shuffle_ps::<0x44>(a, c),
            _mm256_shuffle_ps::<0xee>(a, c),
            _mm256_shuffle_ps::<0x44>(b, d),
            _mm256_shuffle_ps::<0xee>(b, d),
        ]
    };
    let (low, high) = (quad(0), quad(4));
    std::array::from_fn(|i| match i {
        0..4 => _mm256_permute2f128_ps::<0x20>(low[i], high[i]),
        _ => _mm256_permute2f128_ps::<0x31>(low[i - 4], high[i - 4]),
    })
}

/// A whole factor, packed.
pub(crate) struct Panels {
    data: Buffer<f32>,
    pub(super) cut: Cut,
}

impl Panels {
    pub(crate) fn rows(a: Mat<f32>, isa: Isa) -> Self {
        Self::new(&Lanes::rows(a, micro(isa)), true)
    }

    pub(crate) fn columns(b: Mat<f32>, isa: Isa) -> Self {
        Self::new(&Lanes::columns(b, micro(isa)), true)
    }

    pub(super) fn new(from: &Lanes, parallel: bool) -> Self {
        const PIECE: usize = 1 << 15;
        let cut = from.cut;
        let all = 0..cut.panels;
        let mut data = Buffer::scratch(from.packed_len(&all, &(0..cut.k)).max(MIN_SCRATCH));
        let mut pieces = Vec::new();
        let mut rest = &mut data[..];
        let group = (PIECE / (cut.size * cut.k.min(cut.micro.k)).max(1)).max(1);
        for k in (0..cut.k_blocks()).map(|block| cut.k_block(block)) {
            for first in all.clone().step_by(group) {
                let panels = first..(first + group).min(all.end);
                let (to, after) = rest.split_at_mut(from.packed_len(&panels, &k));
                rest = after;
                pieces.push((panels, k.clone(), to));
            }
        }
        let pack = |(panels, k, to): &mut (Range<usize>, Range<usize>, &mut [f32])| from.pack(panels, k, to);
        if parallel {
            par::pieces_mut(&mut pieces, 1, |_, piece| pack(&mut piece[0]));
        } else {
            pieces.iter_mut().for_each(pack);
        }
        Panels { data, cut }
    }

    #[inline(always)]
    pub(super) fn strip(&self, panel: usize, k: &Range<usize>) -> Strip {
        let before = self.cut.pitches(0..self.cut.panels) * k.start;
        let first = before + self.cut.start(panel) * k.len();
        let (data, starts) = (self.data[first..].as_ptr(), std::ptr::null());
        Strip { data, lane_stride: 1, step: self.cut.pitch(panel), starts }
    }
}

/// Smaller scratch would come from the system allocator, which zeroes it.
pub(super) const MIN_SCRATCH: usize = 1 << 14;

impl std::fmt::Debug for Panels {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "Panels({} lanes of {})", self.cut.lanes, self.cut.k)
    }
}
