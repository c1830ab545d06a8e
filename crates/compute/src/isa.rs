//! Which vector instructions this CPU has, found once at run time.

use std::sync::LazyLock;

/// An instruction set that Striate has kernels for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// What the compilation target guarantees.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 F, VL, BW and DQ (and AVX2 and FMA).
    Avx512,
}

/// The best instruction set of this CPU.
///
/// `STRIATE_ISA=portable|avx2|avx512` in the environment asks for a lower one, to test or to compare;
/// one that the CPU lacks is ignored.
pub fn isa() -> Isa {
    static FOUND: LazyLock<Isa> = LazyLock::new(|| {
        let asked = match std::env::var("STRIATE_ISA").as_deref() {
            Ok("portable") => Isa::Portable,
            Ok("avx2") => Isa::Avx2,
            _ => Isa::Avx512,
        };
        asked.min(detected())
    });
    *FOUND
}

#[cfg(target_arch = "x86_64")]
fn detected() -> Isa {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq");
    match (avx2, avx512) {
        (true, true) => Isa::Avx512,
        (true, false) => Isa::Avx2,
        _ => Isa::Portable,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detected() -> Isa {
    Isa::Portable
}

/// Runs `f` compiled for the best instruction set of this CPU: loops inside it that LLVM can vectorise are.
///
/// The closure must be small enough to be inlined, and what it calls `#[inline(always)]`.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn vectorized<R>(f: impl FnOnce() -> R) -> R {
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
    fn avx512<R>(f: impl FnOnce() -> R) -> R {
        f()
    }
    #[target_feature(enable = "avx2,fma")]
    fn avx2<R>(f: impl FnOnce() -> R) -> R {
        f()
    }
    match isa() {
        // SAFETY: `isa` returns an instruction set only when the CPU has all its features.
        Isa::Avx512 => unsafe { avx512(f) },
        // SAFETY: as above.
        Isa::Avx2 => unsafe { avx2(f) },
        Isa::Portable => f(),
    }
}

/// Runs `f`; the target's own instructions are all there is.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub fn vectorized<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// [`vectorized`] for loops over `E`: plain for `f64`, which checks and need not be fast, so that it builds fast.
#[inline(always)]
pub fn vectorized_for<E: crate::Real, R>(f: impl FnOnce() -> R) -> R {
    if const { size_of::<E>() == size_of::<f64>() } { f() } else { vectorized(f) }
}

/// Asks for the cache lines of `x`, which will be read soon: where the hardware cannot foresee it.
#[inline]
pub fn prefetch<E>(x: &[E]) {
    #[cfg(target_arch = "x86_64")]
    for offset in (0..size_of_val(x)).step_by(64) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a prefetch faults nowhere.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(x.as_ptr().wrapping_byte_add(offset).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = x;
}
