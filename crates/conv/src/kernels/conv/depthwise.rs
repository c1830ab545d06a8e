//! One channel at a time with a K × K kernel and stride 1, straight from x to y: bound by memory.

use striate_compute::{Real, isa};

use super::output::Tile;
use crate::Geometry;

/// Neighbouring places that are summed together.
const LANES: usize = 16;

/// The kernel's side, when these loops serve the geometry.
pub(super) fn side(g: &Geometry) -> Option<usize> {
    let [depth, height, width] = g.kernel;
    let plain = g.group_channels() == 1 && g.stride == [1; 3] && g.dilation == [1; 3];
    let flat = depth == 1 && g.input[0] == 1 && g.output[0] == 1 && g.padding[0] == 0;
    (plain && flat && height == width && [3, 5, 7].contains(&width)).then_some(width)
}

/// y ← β·y + b + x ⋆ w in a tile of whole rows, for the channel x of its image and group, and w (features, K · K).
pub(super) fn tile<E: Real>(side: usize, g: &Geometry, x: &[E], w: &[E], beta: E, tile: &mut Tile<E>) {
    match side {
        3 => rows::<E, 3>(g, x, w, beta, tile),
        5 => rows::<E, 5>(g, x, w, beta, tile),
        _ => rows::<E, 7>(g, x, w, beta, tile),
    }
}

/// The rows of x that a row of y reads, zeros outside.
fn window<'a, E, const K: usize>(g: &Geometry, x: &'a [E], zeros: &'a [E], line: usize) -> [&'a [E]; K] {
    let [_, height, width] = g.input;
    std::array::from_fn(|t| {
        let row = (line + t) as isize - g.padding[1];
        if (0..height as isize).contains(&row) { &x[row as usize * width..][..width] } else { zeros }
    })
}

/// Places of y whose windows lie inside a row of x: first, end.
fn inside(g: &Geometry) -> (usize, usize) {
    let (width, side, pad) = (g.input[2] as isize, g.kernel[2] as isize, g.padding[2]);
    let out = g.output[2] as isize;
    let first = pad.clamp(0, out);
    let end = (width - side + 1 + pad).clamp(first, out);
    (first as usize, end as usize)
}

/// Σ over the taps of a row of windows that fall inside, of w · x.
fn at_the_edge<E: Real, const K: usize>(x: &[&[E]; K], w: &[[E; K]; K], pad: isize, q: usize) -> E {
    let mut sum = E::zero();
    for (x, w) in x.iter().zip(w) {
        for (t, &w) in w.iter().enumerate() {
            let place = (q + t) as isize - pad;
            if let Some(&x) = usize::try_from(place).ok().and_then(|place| x.get(place)) {
                sum += w * x;
            }
        }
    }
    sum
}

fn rows<E: Real, const K: usize>(g: &Geometry, x: &[E], w: &[E], beta: E, tile: &mut Tile<E>) {
    let (width, pad) = (g.output[2], g.padding[2]);
    let (first, end) = inside(g);
    let zeros = vec![E::zero(); g.input[2]];
    let lines = tile.places.start / width..tile.places.end / width;
    for (f, w) in w.chunks_exact(K * K).enumerate() {
        let w: [[E; K]; K] = std::array::from_fn(|r| std::array::from_fn(|t| w[r * K + t]));
        let bias = tile.bias.map_or(E::zero(), |bias| bias[f]);
        let y = tile.y.row_mut(f);
        for (line, y) in lines.clone().zip(y.chunks_exact_mut(width)) {
            let x = window::<E, K>(g, x, &zeros, line);
            let write = |y: &mut E, sum: E| {
                *y = if beta == E::zero() { sum + bias } else { beta * *y + (sum + bias) };
            };
            for q in (0..first).chain(end..width) {
                write(&mut y[q], at_the_edge(&x, &w, pad, q));
            }
            if end - first < LANES {
                for (q, y) in (first..end).zip(&mut y[first..end]) {
                    write(y, at_the_edge(&x, &w, pad, q));
                }
                continue;
            }
            let start = (first as isize - pad) as usize;
            let x = x.map(|x| &x[start..start + end - first + K - 1]);
            correlate(&x, &w, beta, bias, &mut y[first..end]);
        }
    }
}

/// y[q] ← β·y[q] + b + Σ w[r, t] · x[r, q + t] for at least LANES places.
fn correlate<E: Real, const K: usize>(x: &[&[E]; K], w: &[[E; K]; K], beta: E, bias: E, y: &mut [E]) {
    isa::vectorized_for::<E, _>(
        #[inline(always)]
        || {
            let count = y.len();
            let mut q = 0;
            // The last lanes overlap those before them, whose places are then left as they are.
            let mut skip = 0;
            while q < count {
                if q + LANES > count {
                    skip = q + LANES - count;
                    q = count - LANES;
                }
                let mut sums = [bias; LANES];
                for r in 0..K {
                    let x = &x[r][q..q + LANES + K - 1];
                    for t in 0..K {
                        for l in 0..LANES {
                            sums[l] += w[r][t] * x[t + l];
                        }
                    }
                }
                let y = &mut y[q..q + LANES];
                if beta != E::zero() {
                    for l in 0..LANES {
                        sums[l] += beta * y[l];
                    }
                }
                if skip == 0 {
                    y.copy_from_slice(&sums);
                } else {
                    (skip..LANES).for_each(|l| y[l] = sums[l]);
                }
                q += LANES;
            }
        },
    );
}
