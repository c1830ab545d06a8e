//! One-dimensional transforms of F(m, 3), and their adjoints, on any number of tiles at once.

use std::array::from_fn;
use std::ops::{Add, Mul, Neg, Sub};

use striate_compute::Real;

/// The same number of W neighbouring tiles.
#[derive(Clone, Copy)]
pub(super) struct Lanes<E, const W: usize>([E; W]);

impl<E: Real, const W: usize> Default for Lanes<E, W> {
    #[inline(always)]
    fn default() -> Self {
        Lanes([E::zero(); W])
    }
}

impl<E: Real, const W: usize> Lanes<E, W> {
    #[inline(always)]
    pub(super) fn new(lane: impl Fn(usize) -> E) -> Self {
        Lanes(from_fn(lane))
    }

    #[inline(always)]
    pub(super) fn load(from: &[E], at: usize) -> Self {
        let from: &[E; W] = from[at..at + W].try_into().expect("W numbers");
        Lanes(*from)
    }

    #[inline(always)]
    pub(super) fn store(self, to: &mut [E], at: usize) {
        to[at..at + W].copy_from_slice(&self.0);
    }
}

impl<E: Real, const W: usize> Add for Lanes<E, W> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Lanes(from_fn(|l| self.0[l] + other.0[l]))
    }
}

impl<E: Real, const W: usize> Sub for Lanes<E, W> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Lanes(from_fn(|l| self.0[l] - other.0[l]))
    }
}

impl<E: Real, const W: usize> Neg for Lanes<E, W> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Lanes(self.0.map(|x| -x))
    }
}

impl<E: Real, const W: usize> Mul<f64> for Lanes<E, W> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, factor: f64) -> Self {
        Lanes(self.0.map(|x| x * E::of(factor)))
    }
}

/// What the transforms compute with.
pub(super) trait Number:
    Copy + Add<Output = Self> + Sub<Output = Self> + Neg<Output = Self> + Mul<f64, Output = Self>
{
}

impl<E: Real, const W: usize> Number for Lanes<E, W> {}

/// F(M, 3) with N = M + 2 products: y = Aᵀ[(G g) ⊙ (Bᵀ d)] is the correlation of d with g.
pub(super) trait Scheme<const M: usize, const N: usize>: Sync {
    /// Bᵀ d
    fn input<V: Number>(d: [V; N]) -> [V; N];
    /// G g
    fn kernel<V: Number>(g: [V; 3]) -> [V; N];
    /// Gᵀ u
    fn kernel_adjoint<V: Number>(u: [V; N]) -> [V; 3];
    /// Aᵀ m
    fn output<V: Number>(m: [V; N]) -> [V; M];
    /// A y
    fn output_adjoint<V: Number>(y: [V; M]) -> [V; N];
}

/// F(2, 3), points 0, 1, −1, ∞.
pub(super) struct F2;

impl Scheme<2, 4> for F2 {
    #[inline(always)]
    fn input<V: Number>([a, b, c, d]: [V; 4]) -> [V; 4] {
        [a - c, b + c, c - b, b - d]
    }
    #[inline(always)]
    fn kernel<V: Number>([a, b, c]: [V; 3]) -> [V; 4] {
        let (even, odd) = ((a + c) * 0.5, b * 0.5);
        [a, even + odd, even - odd, c]
    }
    #[inline(always)]
    fn kernel_adjoint<V: Number>([a, b, c, d]: [V; 4]) -> [V; 3] {
        let even = (b + c) * 0.5;
        [a + even, (b - c) * 0.5, even + d]
    }
    #[inline(always)]
    fn output<V: Number>([a, b, c, d]: [V; 4]) -> [V; 2] {
        [a + b + c, b - c - d]
    }
    #[inline(always)]
    fn output_adjoint<V: Number>([a, b]: [V; 2]) -> [V; 4] {
        [a, a + b, a - b, -b]
    }
}

/// F(4, 3), points 0, 1, −1, 2, −2, ∞.
pub(super) struct F4;

impl Scheme<4, 6> for F4 {
    #[inline(always)]
    fn input<V: Number>([d0, d1, d2, d3, d4, d5]: [V; 6]) -> [V; 6] {
        let (even, odd) = (d4 - d2 * 4.0, d3 - d1 * 4.0);
        let (even2, odd2) = (d4 - d2, (d3 - d1) * 2.0);
        [
            d0 * 4.0 - d2 * 5.0 + d4,
            even + odd,
            even - odd,
            even2 + odd2,
            even2 - odd2,
            d1 * 4.0 - d3 * 5.0 + d5,
        ]
    }
    #[inline(always)]
    fn kernel<V: Number>([a, b, c]: [V; 3]) -> [V; 6] {
        let (even, odd) = ((a + c) * (-1.0 / 6.0), b * (1.0 / 6.0));
        let (even2, odd2) = (a * (1.0 / 24.0) + c * (1.0 / 6.0), b * (1.0 / 12.0));
        [a * 0.25, even - odd, even + odd, even2 + odd2, even2 - odd2, c]
    }
    #[inline(always)]
    fn kernel_adjoint<V: Number>([u0, u1, u2, u3, u4, u5]: [V; 6]) -> [V; 3] {
        let even = (u1 + u2) * (-1.0 / 6.0);
        let even2 = u3 + u4;
        [
            u0 * 0.25 + even + even2 * (1.0 / 24.0),
            (u2 - u1) * (1.0 / 6.0) + (u3 - u4) * (1.0 / 12.0),
            even + even2 * (1.0 / 6.0) + u5,
        ]
    }
    #[inline(always)]
    fn output<V: Number>([m0, m1, m2, m3, m4, m5]: [V; 6]) -> [V; 4] {
        let (even, odd) = (m1 + m2, m1 - m2);
        let (even2, odd2) = (m3 + m4, m3 - m4);
        [m0 + even + even2, odd + odd2 * 2.0, even + even2 * 4.0, odd + odd2 * 8.0 + m5]
    }
    #[inline(always)]
    fn output_adjoint<V: Number>([a, b, c, d]: [V; 4]) -> [V; 6] {
        let (even, odd) = (a + c, b + d);
        let (even2, odd2) = (a + c * 4.0, b * 2.0 + d * 8.0);
        [a, even + odd, even - odd, even2 + odd2, even2 - odd2, d]
    }
}
