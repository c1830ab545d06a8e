//! Which tiles an instruction set has kernels for.

use std::arch::x86_64::{__m256, __m512};

use super::tile::Tile;
use super::vector::Vector;
use crate::isa::Isa;

/// The tiles of an instruction set: every size up to `rows` × `cols`.
pub(super) struct Micro {
    pub(super) rows: usize,
    pub(super) cols: usize,
    /// Numbers in a vector register.
    pub(super) lanes: usize,
    /// Longest stretch of k that a tile sums at once: the panel of B that meets all rows then stays in a near cache.
    pub(super) k: usize,
    /// By the number of rows, then by the number of vectors.
    kernels: &'static [&'static [Kernels]],
}

/// All lanes of the last vector or some; rows of B evenly apart or anywhere.
type Kernels = [[Kernel; 2]; 2];
type Kernel = unsafe fn(&Tile, usize);

const fn kernels<V: Vector, const R: usize, const W: usize>() -> Kernels {
    [
        [V::tile::<R, W, false, false>, V::tile::<R, W, false, true>],
        [V::tile::<R, W, true, false>, V::tile::<R, W, true, true>],
    ]
}

const fn two<const R: usize>() -> [Kernels; 2] {
    [kernels::<__m256, R, 1>(), kernels::<__m256, R, 2>()]
}

const fn three<const R: usize>() -> [Kernels; 3] {
    [kernels::<__m512, R, 1>(), kernels::<__m512, R, 2>(), kernels::<__m512, R, 3>()]
}

/// 12 of 16 registers are sums.
static AVX2: Micro = Micro {
    rows: 6,
    cols: 16,
    lanes: 8,
    k: 256,
    kernels: &[&two::<1>(), &two::<2>(), &two::<3>(), &two::<4>(), &two::<5>(), &two::<6>()],
};

/// 24 of 32 registers are sums.
static AVX512: Micro = Micro {
    rows: 8,
    cols: 48,
    lanes: 16,
    k: 384,
    kernels: &[
        &three::<1>(),
        &three::<2>(),
        &three::<3>(),
        &three::<4>(),
        &three::<5>(),
        &three::<6>(),
        &three::<7>(),
        &three::<8>(),
    ],
};

/// The tiles of an instruction set above the portable one.
pub(super) fn micro(isa: Isa) -> &'static Micro {
    match isa {
        Isa::Avx512 => &AVX512,
        Isa::Avx2 => &AVX2,
        Isa::Portable => unreachable!("portable products go elsewhere"),
    }
}

impl Micro {
    /// Runs the kernel for 1 to `self.rows` rows times 1 to `self.cols` columns.
    ///
    /// # Safety
    /// The CPU has the instruction set; the pointers are valid for k steps of `rows` numbers of A, of `cols` numbers
    /// of B, and for `rows` × `cols` numbers of C, which nothing else accesses.
    #[inline(always)]
    pub(super) unsafe fn run(&self, tile: &Tile, rows: usize, cols: usize) {
        let (vectors, tail) = (cols.div_ceil(self.lanes), cols % self.lanes);
        let kernel = self.kernels[rows - 1][vectors - 1][usize::from(tail > 0)];
        // SAFETY: the caller's promise; the masked kernels touch `tail` numbers of the last vector.
        unsafe { kernel[usize::from(!tile.b_starts.is_null())](tile, tail) }
    }
}
