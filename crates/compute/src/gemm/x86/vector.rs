//! Vector registers of `f32`, so that a kernel is written once for all widths.

use std::arch::x86_64::*;

use super::dot::{self, Dots};
use super::tile::{self, Tile};

/// A vector register. Its functions are inlined into the kernels at the end, which are compiled for its instructions.
///
/// # Safety
/// For all: the CPU has the instructions. Pointers are valid for the lanes that are read or written.
pub(super) trait Vector: Copy {
    const LANES: usize;
    /// Which lanes to read or write.
    type Mask: Copy;

    unsafe fn splat(x: f32) -> Self;
    unsafe fn first_lanes(lanes: usize) -> Self::Mask;
    /// # Safety
    /// The trait's, as for those that follow.
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn load_first(from: *const f32, mask: Self::Mask) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn store_first(self, to: *mut f32, mask: Self::Mask);
    /// self·y + z
    unsafe fn multiply_add(self, y: Self, z: Self) -> Self;
    /// The sum of all lanes.
    ///
    /// # Safety
    /// The trait's.
    unsafe fn sum(self) -> f32;

    /// [`tile::kernel`]
    ///
    /// # Safety
    /// As there.
    unsafe fn tile<const R: usize, const W: usize, const MASKED: bool, const ANYWHERE: bool>(
        tile: &Tile,
        tail: usize,
    );
    /// [`dot::kernel`]
    ///
    /// # Safety
    /// As there.
    unsafe fn dots<const R: usize, const S: usize>(dots: &Dots);
}

// SAFETY: each function asks for what the trait says.
impl Vector for __m256 {
    const LANES: usize = 8;
    type Mask = __m256i;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm256_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn first_lanes(lanes: usize) -> __m256i {
        // SAFETY: the caller's promise.
        unsafe {
            _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
        }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, mask: __m256i) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm256_maskload_ps(from, mask) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { _mm256_storeu_ps(to, self) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, mask: __m256i) {
        // SAFETY: the caller's promise.
        unsafe { _mm256_maskstore_ps(to, mask, self) }
    }

    #[inline(always)]
    unsafe fn multiply_add(self, y: Self, z: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm256_fmadd_ps(self, y, z) }
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: the caller's promise.
        unsafe {
            let x = _mm_add_ps(_mm256_castps256_ps128(self), _mm256_extractf128_ps::<1>(self));
            let x = _mm_add_ps(x, _mm_movehl_ps(x, x));
            _mm_cvtss_f32(_mm_add_ss(x, _mm_shuffle_ps::<1>(x, x)))
        }
    }

    // SAFETY: as the trait says.
    #[target_feature(enable = "avx2,fma")]
    unsafe fn tile<const R: usize, const W: usize, const MASKED: bool, const ANYWHERE: bool>(
        tile: &Tile,
        tail: usize,
    ) {
        // SAFETY: the caller's promise.
        unsafe { tile::kernel::<Self, R, W, MASKED, ANYWHERE>(tile, tail) }
    }

    // SAFETY: as the trait says.
    #[target_feature(enable = "avx2,fma")]
    unsafe fn dots<const R: usize, const S: usize>(dots: &Dots) {
        // SAFETY: the caller's promise.
        unsafe { dot::kernel::<Self, R, S>(dots) }
    }
}

// SAFETY: each function asks for what the trait says.
impl Vector for __m512 {
    const LANES: usize = 16;
    type Mask = __mmask16;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn first_lanes(lanes: usize) -> __mmask16 {
        (1 << lanes) - 1
    }

    // SAFETY: as the trait says.
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, mask: __mmask16) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm512_maskz_loadu_ps(mask, from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { _mm512_storeu_ps(to, self) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, mask: __mmask16) {
        // SAFETY: the caller's promise.
        unsafe { _mm512_mask_storeu_ps(to, mask, self) }
    }

    #[inline(always)]
    unsafe fn multiply_add(self, y: Self, z: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm512_fmadd_ps(self, y, z) }
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: the caller's promise.
        unsafe { _mm512_reduce_add_ps(self) }
    }

    // SAFETY: as the trait says.
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
    unsafe fn tile<const R: usize, const W: usize, const MASKED: bool, const ANYWHERE: bool>(
        tile: &Tile,
        tail: usize,
    ) {
        // SAFETY: the caller's promise.
        unsafe { tile::kernel::<Self, R, W, MASKED, ANYWHERE>(tile, tail) }
    }

    // SAFETY: as the trait says.
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
    unsafe fn dots<const R: usize, const S: usize>(dots: &Dots) {
        // SAFETY: the caller's promise.
        unsafe { dot::kernel::<Self, R, S>(dots) }
    }
}
