//! What happens to a row after the products: gates, cell and activation in one pass, and its gradient.

use striate_compute::Real;
use striate_compute::isa::vectorized_for;

use super::Kind;
use super::weights::Bias;

/// Some sequences at one step, row by row. H is the length of a row of h.
pub(super) struct Step<'a, E> {
    /// In: W_ih x, joint gates with W_hh h. Out: the activated gates.
    pub(super) gates: &'a mut [E],
    /// GRU. In: W_hn h. Out: W_hn h + b_hn.
    pub(super) separate: &'a mut [E],
    /// In: h. Out: h'.
    pub(super) h: &'a mut [E],
    /// LSTM. In: c. Out: c'.
    pub(super) c: &'a mut [E],
    /// Out: h'.
    pub(super) y: &'a mut [E],
}

/// The gradient of a [`Step`]: what it computed, and where gradients come from and go to.
pub(super) struct StepGradient<'a, E> {
    /// The activated gates.
    pub(super) gates: &'a [E],
    /// GRU: W_hn h + b_hn.
    pub(super) separate: &'a [E],
    /// h before the step.
    pub(super) h: &'a [E],
    /// c before the step.
    pub(super) c: &'a [E],
    /// In: dL/dh'. Out: the part of dL/dh that does not pass through a product.
    pub(super) dh: &'a mut [E],
    /// LSTM. In: dL/dc'. Out: dL/dc.
    pub(super) dc: &'a mut [E],
    /// Out: dL/d(W_ih x).
    pub(super) d_input: &'a mut [E],
    /// GRU. Out: dL/d(W_hh h), which for the others is `d_input`.
    pub(super) d_recurrent: &'a mut [E],
}

/// Equally long parts of a row of gates.
#[inline(always)]
fn parts<const N: usize, E>(row: &[E], hidden: usize) -> [&[E]; N] {
    std::array::from_fn(|i| &row[i * hidden..][..hidden])
}

#[inline(always)]
fn parts_mut<const N: usize, E>(row: &mut [E], hidden: usize) -> [&mut [E]; N] {
    let mut rest = row;
    std::array::from_fn(|_| {
        let (part, after) = std::mem::take(&mut rest).split_at_mut(hidden);
        rest = after;
        part
    })
}

pub(super) fn forward<E: Real>(kind: Kind, hidden: usize, bias: &Bias<E>, step: Step<E>) {
    let Step { gates, separate, h, c, y } = step;
    let width = kind.gates() * hidden;
    let rows = gates.chunks_exact_mut(width).zip(h.chunks_exact_mut(hidden));
    match kind {
        Kind::Tanh => vectorized_for::<E, _>(
            #[inline(always)]
            || {
                for (gates, h) in rows {
                    rnn(gates, &bias.gates, h, E::tanh);
                }
            },
        ),
        Kind::Relu => vectorized_for::<E, _>(
            #[inline(always)]
            || {
                for (gates, h) in rows {
                    rnn(gates, &bias.gates, h, |a| a.maximum(E::zero()));
                }
            },
        ),
        Kind::Lstm => vectorized_for::<E, _>(
            #[inline(always)]
            || {
                for ((gates, h), c) in rows.zip(c.chunks_exact_mut(hidden)) {
                    lstm(gates, &bias.gates, h, c);
                }
            },
        ),
        Kind::Gru => vectorized_for::<E, _>(
            #[inline(always)]
            || {
                for ((gates, h), separate) in rows.zip(separate.chunks_exact_mut(hidden)) {
                    gru(gates, separate, bias, h);
                }
            },
        ),
    }
    y.copy_from_slice(h);
}

pub(super) fn backward<E: Real>(kind: Kind, hidden: usize, step: StepGradient<E>) {
    let StepGradient { gates, separate, h, c, dh, dc, d_input, d_recurrent } = step;
    let width = kind.gates() * hidden;
    let rows =
        gates.chunks_exact(width).zip(d_input.chunks_exact_mut(width)).zip(dh.chunks_exact_mut(hidden));
    match kind {
        Kind::Tanh => vectorized_for::<E, _>(
            #[inline(always)]
            || {
                for ((h, da), dh) in rows {
                    rnn_gradient(h, da, dh, |h| E::one() - h * h);
                }
            },
        ),
        Kind::Relu => vectorized_for::<E, _>(
            #[inline(always)]
            || {
                for ((h, da), dh) in rows {
                    rnn_gradient(h, da, dh, |h| if h > E::zero() { E::one() } else { E::zero() });
                }
            },
        ),
        Kind::Lstm => vectorized_for::<E, _>(
            #[inline(always)]
            || {
                let rows = rows.zip(c.chunks_exact(hidden)).zip(dc.chunks_exact_mut(hidden));
                for ((((gates, da), dh), c), dc) in rows {
                    lstm_gradient(gates, c, da, dh, dc);
                }
            },
        ),
        Kind::Gru => vectorized_for::<E, _>(
            #[inline(always)]
            || {
                let of_h = separate.chunks_exact(hidden).zip(h.chunks_exact(hidden));
                let rows = rows.zip(of_h).zip(d_recurrent.chunks_exact_mut(width));
                for ((((gates, da), dh), (separate, h)), d_recurrent) in rows {
                    gru_gradient(gates, separate, h, da, d_recurrent, dh);
                }
            },
        ),
    }
}

/// h' = f(a)
#[inline(always)]
fn rnn<E: Real>(gates: &mut [E], bias: &[E], h: &mut [E], f: impl Fn(E) -> E) {
    activate(gates, bias, f);
    h.copy_from_slice(gates);
}

/// a ← f(a + b)
#[inline(always)]
fn activate<E: Real>(a: &mut [E], bias: &[E], f: impl Fn(E) -> E) {
    for (a, &bias) in a.iter_mut().zip(bias) {
        *a = f(*a + bias);
    }
}

/// da = f'(a)∘dh', where f' is a function of h'
#[inline(always)]
fn rnn_gradient<E: Real>(h: &[E], da: &mut [E], dh: &mut [E], slope: impl Fn(E) -> E) {
    for ((da, dh), &h) in da.iter_mut().zip(dh).zip(h) {
        *da = *dh * slope(h);
        *dh = E::zero();
    }
}

/// c' = f∘c + i∘g, h' = o∘tanh c'
#[inline(always)]
fn lstm<E: Real>(gates: &mut [E], bias: &[E], h: &mut [E], c: &mut [E]) {
    let hidden = h.len();
    activate(&mut gates[..2 * hidden], bias, E::sigmoid);
    activate(&mut gates[2 * hidden..3 * hidden], &bias[2 * hidden..], E::tanh);
    activate(&mut gates[3 * hidden..], &bias[3 * hidden..], E::sigmoid);
    let [i, f, g, o] = parts::<4, E>(gates, hidden);
    for ((((c, &i), &f), &g), (h, &o)) in c.iter_mut().zip(i).zip(f).zip(g).zip(h.iter_mut().zip(o)) {
        *c = f * *c + i * g;
        *h = o * c.tanh();
    }
}

/// do = dh'∘tanh c', dc' += dh'∘o∘(1 − tanh² c'), di = dc'∘g, df = dc'∘c, dg = dc'∘i, dc = dc'∘f,
/// each gate's times the slope of its activation
#[inline(always)]
fn lstm_gradient<E: Real>(gates: &[E], c: &[E], da: &mut [E], dh: &mut [E], dc: &mut [E]) {
    let hidden = dh.len();
    let (c, dc) = (&c[..hidden], &mut dc[..hidden]);
    let [i, f, g, o] = parts::<4, E>(gates, hidden);
    let [d_i, d_f, d_g, d_o] = parts_mut::<4, E>(da, hidden);
    let one = E::one();
    for j in 0..hidden {
        let squashed = (f[j] * c[j] + i[j] * g[j]).tanh();
        let dc_next = dc[j] + dh[j] * o[j] * (one - squashed * squashed);
        d_i[j] = dc_next * g[j] * i[j] * (one - i[j]);
        d_f[j] = dc_next * c[j] * f[j] * (one - f[j]);
        d_g[j] = dc_next * i[j] * (one - g[j] * g[j]);
        d_o[j] = dh[j] * squashed * o[j] * (one - o[j]);
        dc[j] = dc_next * f[j];
        dh[j] = E::zero();
    }
}

/// n = tanh(a_n + r∘(W_hn h + b_hn)), h' = (1 − z)∘n + z∘h
#[inline(always)]
fn gru<E: Real>(gates: &mut [E], separate: &mut [E], bias: &Bias<E>, h: &mut [E]) {
    let hidden = h.len();
    let (joint, n) = gates.split_at_mut(2 * hidden);
    activate(joint, &bias.gates, E::sigmoid);
    let (r, z) = joint.split_at(hidden);
    for ((separate, &b_hn), ((n, &b_n), &r)) in
        separate.iter_mut().zip(&bias.separate).zip(n.iter_mut().zip(&bias.gates[2 * hidden..]).zip(r))
    {
        *separate += b_hn;
        *n = (*n + b_n + r * *separate).tanh();
    }
    for ((h, &z), &n) in h.iter_mut().zip(z).zip(&*n) {
        *h = (E::one() - z) * n + z * *h;
    }
}

/// dn = dh'∘(1 − z)∘(1 − n²), dz = dh'∘(h − n)∘z∘(1 − z), dr = dn∘(W_hn h + b_hn)∘r∘(1 − r), dh = dh'∘z
#[inline(always)]
fn gru_gradient<E: Real>(
    gates: &[E],
    separate: &[E],
    h: &[E],
    d_input: &mut [E],
    d_recurrent: &mut [E],
    dh: &mut [E],
) {
    let hidden = dh.len();
    let (separate, h) = (&separate[..hidden], &h[..hidden]);
    let [r, z, n] = parts::<3, E>(gates, hidden);
    let [d_r, d_z, d_n] = parts_mut::<3, E>(d_input, hidden);
    let [d_hr, d_hz, d_hn] = parts_mut::<3, E>(d_recurrent, hidden);
    let one = E::one();
    for j in 0..hidden {
        d_n[j] = dh[j] * (one - z[j]) * (one - n[j] * n[j]);
        d_z[j] = dh[j] * (h[j] - n[j]) * z[j] * (one - z[j]);
        d_r[j] = d_n[j] * separate[j] * r[j] * (one - r[j]);
        (d_hr[j], d_hz[j], d_hn[j]) = (d_r[j], d_z[j], d_n[j] * r[j]);
        dh[j] *= z[j];
    }
}
