//! The definition in seven loops (nine in three dimensions): slow, and what every fast kernel is held against.

use striate_compute::Real;

use crate::Geometry;

/// Calls `visit(x index, w index, y index)` for every product that a convolution sums.
pub(crate) fn products(g: &Geometry, mut visit: impl FnMut(usize, usize, usize)) {
    let inside = |axis: usize, out: usize, tap: usize| {
        let place = (out * g.stride[axis] + tap * g.dilation[axis]) as isize - g.padding[axis];
        usize::try_from(place).ok().filter(|&place| place < g.input[axis])
    };
    let ([d_in, h_in, w_in], [d_out, h_out, w_out], [kd, kh, kw]) = (g.input, g.output, g.kernel);
    let (channels, features) = (g.group_channels(), g.group_features());
    for n in 0..g.batch {
        for o in 0..g.features {
            for c in 0..channels {
                let plane = n * g.channels + o / features * channels + c;
                for od in 0..d_out {
                    for oh in 0..h_out {
                        for ow in 0..w_out {
                            let y = (((n * g.features + o) * d_out + od) * h_out + oh) * w_out + ow;
                            for td in 0..kd {
                                let Some(id) = inside(0, od, td) else { continue };
                                for th in 0..kh {
                                    let Some(ih) = inside(1, oh, th) else { continue };
                                    for tw in 0..kw {
                                        let Some(iw) = inside(2, ow, tw) else { continue };
                                        let x = ((plane * d_in + id) * h_in + ih) * w_in + iw;
                                        let w = (((o * channels + c) * kd + td) * kh + th) * kw + tw;
                                        visit(x, w, y);
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// y ← b + x ⋆ w
pub fn forward<E: Real>(g: &Geometry, x: &[E], w: &[E], bias: Option<&[E]>, y: &mut [E]) {
    let size = g.output_size();
    for (plane, y) in y.chunks_exact_mut(size.max(1)).enumerate() {
        y.fill(bias.map_or(E::zero(), |bias| bias[plane % g.features]));
    }
    products(g, |xi, wi, yi| y[yi] += x[xi] * w[wi]);
}

/// dx ← β·dx + ∂L/∂x
pub fn input_gradient<E: Real>(g: &Geometry, w: &[E], dy: &[E], beta: E, dx: &mut [E]) {
    scale(dx, beta);
    products(g, |xi, wi, yi| dx[xi] += dy[yi] * w[wi]);
}

/// dw ← β·dw + ∂L/∂w
pub fn weight_gradient<E: Real>(g: &Geometry, x: &[E], dy: &[E], beta: E, dw: &mut [E]) {
    scale(dw, beta);
    products(g, |xi, wi, yi| dw[wi] += dy[yi] * x[xi]);
}

/// y ← β·y, whatever y holds when β = 0
pub(crate) fn scale<E: Real>(y: &mut [E], beta: E) {
    if beta == E::zero() {
        y.fill(E::zero());
    } else if beta != E::one() {
        y.iter_mut().for_each(|y| *y *= beta);
    }
}
