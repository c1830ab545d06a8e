//! The loops around the micro-kernel.

use std::ops::Range;

use super::panels::{Cut, Lanes, MIN_SCRATCH, Panels, Strip};
use super::tile::Tile;
use crate::gemm::MatMut;
use crate::{Buffer, par};

/// Panels of A that meet one panel of B in turn: few enough that their rows of C stay in the first-level TLB.
const A_BLOCK: usize = 16;
/// Most panels of a task, so that what it packs stays in the second-level cache; and tasks to aim at.
const GROUP: usize = 8;
/// Multiply-adds that are worth a task of their own.
const TASK: usize = 1 << 18;
/// A factor that meets fewer panels of the other one than this is read where it lies.
const PACK: usize = 3;
/// A factor A that spans no more numbers than this stays in the first-level cache as it is.
const SMALL: usize = 1 << 12;

/// One factor.
#[derive(Clone, Copy)]
pub(super) enum Factor<'a> {
    /// Read where it lies, or packed.
    View(Lanes<'a>),
    /// Read where it lies.
    InPlace(Lanes<'a>),
    /// Packed whole, before.
    Panels(&'a Panels),
    /// Packed by each task, what it needs.
    ByTask(Lanes<'a>),
}

impl<'a> Factor<'a> {
    fn cut(&self) -> Cut {
        match self {
            Factor::View(lanes) | Factor::InPlace(lanes) | Factor::ByTask(lanes) => lanes.cut,
            Factor::Panels(panels) => panels.cut,
        }
    }

    /// Decides how a view is packed, if at all.
    fn packed(self, pack: bool, whole: bool, parallel: bool, store: &'a mut Option<Panels>) -> Self {
        match self {
            Factor::View(lanes) if pack && whole => {
                Factor::Panels(store.insert(Panels::new(&lanes, parallel)))
            }
            Factor::View(lanes) if pack => Factor::ByTask(lanes),
            other => other,
        }
    }

    fn strips(&self, panels: &Range<usize>) -> Strips<'a> {
        let scratch = match self {
            Factor::ByTask(lanes) => {
                Some(Buffer::scratch(lanes.packed_len(panels, &lanes.cut.k_block(0)).max(MIN_SCRATCH)))
            }
            _ => None,
        };
        Strips { factor: *self, panels: panels.clone(), scratch }
    }
}

/// The panels of a factor that a task reads.
struct Strips<'a> {
    factor: Factor<'a>,
    panels: Range<usize>,
    scratch: Option<Buffer<f32>>,
}

impl Strips<'_> {
    fn load(&mut self, k: &Range<usize>) {
        if let (Factor::ByTask(lanes), Some(scratch)) = (&self.factor, &mut self.scratch) {
            lanes.pack(&self.panels, k, scratch);
        }
    }

    #[inline(always)]
    fn strip(&self, panel: usize, k: &Range<usize>) -> Strip {
        match (&self.factor, &self.scratch) {
            (Factor::ByTask(lanes), Some(scratch)) => {
                lanes.packed_strip(scratch, self.panels.start, panel, k)
            }
            (Factor::View(lanes) | Factor::InPlace(lanes) | Factor::ByTask(lanes), _) => {
                lanes.strip(panel, k)
            }
            (Factor::Panels(panels), _) => panels.strip(panel, k),
        }
    }
}

/// C ← A·B + β·C, k > 0
///
/// The longer side of C is cut into tasks. The factor along it is packed by each task for itself,
/// the other one before, for all. What tasks do depends on sizes only, so results do not depend on threads.
///
/// # Safety
/// The CPU has the instructions of the factors' tiles, and the shapes fit.
pub(super) unsafe fn blocked(a: Factor, b: Factor, beta: f32, c: &MatMut<f32>, parallel: bool) {
    let (rows, cols) = (a.cut(), b.cut());
    let by_cols = cols.lanes >= rows.lanes;
    let contiguous = !matches!(b, Factor::View(lanes) if lanes.lane_stride != 1);
    let (mut whole_a, mut whole_b) = (None, None);
    // A tile reads all its rows of A at once: as well from where they lie as packed, when each is a stretch of memory.
    let scattered = !matches!(a, Factor::View(lanes) if lanes.step == 1 || lanes.extent() <= SMALL);
    let a = a.packed(cols.panels >= PACK && scattered, by_cols, parallel, &mut whole_a);
    let b = b.packed(rows.panels >= PACK || !contiguous, !by_cols, parallel, &mut whole_b);

    let (long, short) = if by_cols { (cols, rows) } else { (rows, cols) };
    let work = short.lanes.saturating_mul(long.k).saturating_mul(long.width(0));
    let group = (long.panels / GROUP).max(TASK / work).clamp(1, GROUP);
    let task = |task: usize| {
        let part = task * group..((task + 1) * group).min(long.panels);
        let all = 0..short.panels;
        let (rows, cols) = if by_cols { (all, part) } else { (part, all) };
        // SAFETY: tasks write different panels of C.
        unsafe { block(&a, &b, rows, cols, beta, c) };
    };
    let tasks = long.panels.div_ceil(group);
    if parallel {
        par::each(tasks, task);
    } else {
        (0..tasks).for_each(task);
    }
}

/// The tiles of some panels of rows and columns.
///
/// # Safety
/// As [`blocked`]; nothing else accesses this part of C.
unsafe fn block(a: &Factor, b: &Factor, rows: Range<usize>, cols: Range<usize>, beta: f32, c: &MatMut<f32>) {
    let (row_cut, col_cut) = (a.cut(), b.cut());
    let micro = row_cut.micro;
    let (mut a, mut b) = (a.strips(&rows), b.strips(&cols));
    for k_block in 0..row_cut.k_blocks() {
        let k = row_cut.k_block(k_block);
        let beta = if k_block == 0 { beta } else { 1.0 };
        a.load(&k);
        b.load(&k);
        for first in rows.clone().step_by(A_BLOCK) {
            for j in cols.clone() {
                let b = b.strip(j, &k);
                for i in first..(first + A_BLOCK).min(rows.end) {
                    let a = a.strip(i, &k);
                    let tile = Tile {
                        k: k.len(),
                        a: a.data,
                        a_row: a.lane_stride,
                        a_step: a.step,
                        b: b.data,
                        b_step: b.step,
                        b_starts: b.starts,
                        beta,
                        c: c.at(row_cut.start(i), col_cut.start(j)),
                        c_row: c.row_stride,
                    };
                    // SAFETY: the strips hold these panels for all of k; panels lie within C.
                    unsafe { micro.run(&tile, row_cut.width(i), col_cut.width(j)) };
                }
            }
        }
    }
}
