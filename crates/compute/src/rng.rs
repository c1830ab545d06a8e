//! A seeded, counter-based generator: the same numbers on every platform.
//!
//! The numbers are the ChaCha8 key stream whose key is the seed (64 bits, little endian, then zeros), whose nonce is the
//! stream and whose counter starts at 0: any place of any stream is reached at once. So long slices are filled in
//! parallel, each piece from its own place, and [`Rng::state`] is three numbers.

use std::f64::consts::{LN_2, TAU};
use std::hint::select_unpredictable as select;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng as _, SeedableRng};

use crate::{Real, isa, par};

/// Numbers made at a time: their random bits stay in the first-level cache.
const BLOCK: usize = 1 << 10;

/// A fill uses up the random bits of whole groups. Half the normal numbers of a group are cosines, half sines.
const GROUP: usize = 64;

/// Random words in a `u64`.
const WORDS_OF_U64: u64 = 2;

/// A place in a stream of random numbers, to save and to come back to with [`Rng::from_state`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RngState {
    /// What [`Rng::new`] was given.
    pub seed: u64,
    /// Which of the seed's streams.
    pub stream: u64,
    /// How many 32-bit words of the stream have been used.
    pub position: u64,
}

/// A seeded generator of random numbers: the same on every platform and at any number of threads.
///
/// Not for secrets: the key has 64 bits.
///
/// ```
/// use striate_compute::rng::Rng;
///
/// let mut rng = Rng::named(0, "conv1.weight");
/// let mut weights = [0.0_f32; 6];
/// rng.fill_uniform(&mut weights, -0.5, 0.5);
/// assert!(weights.iter().all(|w| (-0.5..0.5).contains(w)));
///
/// let saved = rng.state();
/// let next = rng.normal();
/// assert_eq!(Rng::from_state(saved).normal(), next);
/// ```
pub struct Rng {
    core: ChaCha8Rng,
    seed: u64,
    stream: u64,
}

impl Rng {
    /// Stream 0 of `seed`.
    pub fn new(seed: u64) -> Self {
        Self::with_stream(seed, 0)
    }

    /// One of the 2⁶⁴ independent streams of `seed`.
    pub fn with_stream(seed: u64, stream: u64) -> Self {
        Self::from_state(RngState { seed, stream, position: 0 })
    }

    /// The stream of `seed` whose number is the 64-bit FNV-1a hash of `name` in UTF-8.
    pub fn named(seed: u64, name: &str) -> Self {
        Self::with_stream(seed, fnv1a(name.as_bytes()))
    }

    /// The generator that stands where [`Rng::state`] was called.
    pub fn from_state(state: RngState) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&state.seed.to_le_bytes());
        let mut core = ChaCha8Rng::from_seed(key);
        core.set_stream(state.stream);
        core.set_word_pos(state.position.into());
        Rng { core, seed: state.seed, stream: state.stream }
    }

    /// Where this generator stands.
    pub fn state(&self) -> RngState {
        RngState { seed: self.seed, stream: self.stream, position: self.core.get_word_pos() as u64 }
    }

    /// The start of stream `n` of this generator's seed; this generator does not move.
    pub fn stream(&self, n: u64) -> Rng {
        Rng::with_stream(self.seed, n)
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.core.next_u64()
    }

    /// A uniform integer in `0..n`, without bias (Lemire 2019).
    ///
    /// # Panics
    /// When `n` is 0.
    #[track_caller]
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "below: no integer is below 0");
        let n = n as u64;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            let low = product as u64;
            if low >= n || low >= n.wrapping_neg() % n {
                return (product >> 64) as usize;
            }
        }
    }

    /// A uniform number in [0, 1), a multiple of 2⁻⁵².
    pub fn uniform(&mut self) -> f64 {
        unit(self.next_u64())
    }

    /// A standard normal number (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let (a, b) = (self.next_u64(), self.next_u64());
        box_muller(a, b).0
    }

    /// Fills `y` with uniform numbers in [`low`, `high`).
    ///
    /// y = low + (high − low) u
    ///
    /// `f32` and `f64` get the same numbers up to rounding, save that one that rounds to `high` becomes `low`.
    /// PyTorch: `tensor.uniform_(low, high)`.
    pub fn fill_uniform<E: Real>(&mut self, y: &mut [E], low: f64, high: f64) {
        let (first, last) = (E::of(low), E::of(high));
        self.fill(y, WORDS_OF_U64, |rng, y| {
            let mut bits = [0; BLOCK];
            for y in y.chunks_mut(BLOCK) {
                let bits = &mut bits[..y.len()];
                rng.words(bits);
                isa::vectorized(
                    #[inline(always)]
                    || {
                        for (y, &bits) in y.iter_mut().zip(&*bits) {
                            let x = E::of(low + (high - low) * unit(bits));
                            *y = select(x < last, x, first);
                        }
                    },
                );
            }
        });
    }

    /// Fills `y` with normal numbers.
    ///
    /// y = mean + std · n, where n is standard normal (Box and Muller 1958)
    ///
    /// `f32` and `f64` get the same numbers up to rounding. PyTorch: `tensor.normal_(mean, std)`.
    pub fn fill_normal<E: Real>(&mut self, y: &mut [E], mean: f64, std: f64) {
        self.fill(y, WORDS_OF_U64, |rng, y| {
            for y in y.chunks_mut(GROUP) {
                let mut bits = [0; GROUP];
                rng.words(&mut bits);
                let mut group = [E::zero(); GROUP];
                isa::vectorized(
                    #[inline(always)]
                    || {
                        let (a, b) = bits.split_at(GROUP / 2);
                        let (cosines, sines) = group.split_at_mut(GROUP / 2);
                        for (((c, s), &a), &b) in cosines.iter_mut().zip(sines).zip(a).zip(b) {
                            let (x, y) = box_muller(a, b);
                            *c = E::of(mean + std * x);
                            *s = E::of(mean + std * y);
                        }
                    },
                );
                y.copy_from_slice(&group[..y.len()]);
            }
        });
    }

    /// Fills `y` with 1 (probability `p`, to a multiple of 2⁻³²) and 0: a keep-mask.
    ///
    /// PyTorch: `tensor.bernoulli_(p)`.
    ///
    /// # Panics
    /// When `p` is not in [0, 1].
    #[track_caller]
    pub fn fill_bernoulli<E: Real>(&mut self, y: &mut [E], p: f64) {
        assert!((0.0..=1.0).contains(&p), "fill_bernoulli: p is {p}, not in [0, 1]");
        let threshold = (p * 4_294_967_296.0).round() as u64;
        let (one, last) = match threshold {
            0 => (E::zero(), 0),
            _ => (E::one(), (threshold - 1) as u32),
        };
        self.fill(y, 1, |rng, y| {
            let mut bits = [0_u64; BLOCK / 2];
            for y in y.chunks_mut(BLOCK) {
                let bits: &mut [u32] = &mut bytemuck::cast_slice_mut(&mut bits)[..y.len()];
                rng.core.fill_bytes(bytemuck::cast_slice_mut(bits));
                isa::vectorized(
                    #[inline(always)]
                    || {
                        for (y, &bits) in y.iter_mut().zip(&*bits) {
                            *y = select(u32::from_le(bits) <= last, one, E::zero());
                        }
                    },
                );
            }
        });
    }

    /// Puts `items` in a uniformly random order (Fisher and Yates 1938).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }

    /// The integers `0..n` in a uniformly random order. PyTorch: `torch.randperm(n)`.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }

    /// Cuts `y` into fixed pieces, gives each the generator at its own place, and steps past them all.
    fn fill<E: Real>(&mut self, y: &mut [E], words: u64, f: impl Fn(&mut Rng, &mut [E]) + Sync + Send) {
        let start = self.state();
        if y.len() <= par::PIECE {
            f(self, y);
        } else {
            par::pieces_mut(y, par::PIECE, |i, y| {
                let position = start.position + words * (i * par::PIECE) as u64;
                f(&mut Rng::from_state(RngState { position, ..start }), y);
            });
        }
        let end = start.position + words * y.len().next_multiple_of(GROUP) as u64;
        self.core.set_word_pos(end.into());
    }

    /// Fills `bits` with the next random words.
    fn words(&mut self, bits: &mut [u64]) {
        self.core.fill_bytes(bytemuck::cast_slice_mut(bits));
        for bits in bits {
            *bits = u64::from_le(*bits);
        }
    }
}

/// The 64-bit FNV-1a hash.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The upper 52 bits as a number in [0, 1).
#[inline(always)]
fn unit(bits: u64) -> f64 {
    f64::from_bits(bits >> 12 | 1_f64.to_bits()) - 1.0
}

/// Two independent standard normal numbers, √(−2 ln u) · (cos 2πv, sin 2πv), for u in (0, 1] and v in [0, 1).
#[inline(always)]
fn box_muller(a: u64, b: u64) -> (f64, f64) {
    let radius = (-2.0 * ln(1.0 - unit(a))).sqrt();
    let (sin, cos) = sin_cos_turns(unit(b));
    (radius * cos, radius * sin)
}

/// ln u for 2⁻⁵² ≤ u ≤ 1 without branches, after FreeBSD's msun (`e_log.c`).
#[inline(always)]
fn ln(u: f64) -> f64 {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    let offset = u.to_bits().wrapping_sub(SQRT_HALF).wrapping_add(64 << 52);
    let mantissa = f64::from_bits((offset & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF));
    // An integer in the low bits of 2⁵².
    let k = f64::from_bits((offset >> 52) | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 64.0);
    let f = mantissa - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let p = 1.479_819_860_511_658_6e-1;
    let p = p * z + 1.531_383_769_920_937_3e-1;
    let p = p * z + 1.818_357_216_161_805e-1;
    let p = p * z + 2.222_219_843_214_978_4e-1;
    let p = p * z + 2.857_142_874_366_239e-1;
    let p = p * z + 3.999_999_999_940_942e-1;
    let p = p * z + 6.666_666_666_666_735e-1;
    let half_square = 0.5 * f * f;
    k * LN_2 + (s * (half_square + p * z) - half_square + f)
}

/// (sin 2πv, cos 2πv) for v in [0, 1) without branches: v = q/4 + t, |t| ≤ 1/8.
#[inline(always)]
fn sin_cos_turns(v: f64) -> (f64, f64) {
    const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 · 2⁵²: the sum holds the rounded integer in its low bits.
    let rounded = 4.0 * v + ROUND;
    let q = rounded.to_bits();
    let x = TAU * (v - 0.25 * (rounded - ROUND));
    let z = x * x;
    let p = 1.589_690_995_211_55e-10;
    let p = p * z - 2.505_076_025_340_686_3e-8;
    let p = p * z + 2.755_731_370_707_006_8e-6;
    let p = p * z - 1.984_126_982_985_795e-4;
    let p = p * z + 8.333_333_333_322_49e-3;
    let p = p * z - 1.666_666_666_666_663_2e-1;
    let sin = x + x * z * p;
    let p = -1.135_964_755_778_819_5e-11;
    let p = p * z + 2.087_572_321_298_175e-9;
    let p = p * z - 2.755_731_435_139_066_3e-7;
    let p = p * z + 2.480_158_728_947_673e-5;
    let p = p * z - 1.388_888_888_887_411e-3;
    let p = p * z + 4.166_666_666_666_66e-2;
    let cos = 1.0 - 0.5 * z + z * z * p;
    let even = q & 1 == 0;
    let (s, c) = (select(even, sin, cos), select(even, cos, sin));
    let sign = |flip: u64| (flip & 2) << 62;
    (f64::from_bits(s.to_bits() ^ sign(q)), f64::from_bits(c.to_bits() ^ sign(q.wrapping_add(1))))
}
