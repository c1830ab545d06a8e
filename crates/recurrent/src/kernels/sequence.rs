//! Forward and gradients of packed sequences.
//!
//! Rows of sequences at one step lie together, the longest sequence first, and steps follow each other, as in PyTorch's
//! `PackedSequence`: at step t the first `batch_sizes[t]` sequences are there. The products with x of all steps are one
//! GEMM, and so are the gradients of the weights; between them sequences are dealt to the threads, each of which goes
//! through time on its own.

use std::ops::Range;

use striate_compute::gemm::{Mat, MatMut, Operand, Packed, gemm, gemm_serial};
use striate_compute::{Buffer, Real, par};

use super::gates::{self, Step, StepGradient};
use super::weights::Bias;
use super::{Kind, Weights};
use crate::RecurrentError;

/// Batches up to this size read the weights row by row: packing pays with the rows that share it.
const FEW: usize = 3;
/// Steps from which it pays to copy weights whose columns are contiguous.
const MANY: usize = 16;
/// Columns of a stripe of such a copy: a vector of a few rows times a stripe is summed in registers.
const STRIPE: usize = 128;
/// Fewest sequences of a thread: rows of a tile.
const MIN_ROWS: usize = 4;
/// Multiply-adds of a run that are worth more than one thread.
const PARALLEL: usize = 1 << 18;

/// The sizes of a run in one direction.
#[derive(Clone, Copy, Debug)]
pub struct Sequence<'a> {
    /// What is computed.
    pub kind: Kind,
    /// I: numbers in a row of x.
    pub input: usize,
    /// H: numbers in a row of h.
    pub hidden: usize,
    /// Sequences at each step: positive, and never more than at the step before.
    pub batch_sizes: &'a [usize],
    /// Whether time runs backwards.
    pub reverse: bool,
}

/// What a forward leaves for the gradients, in packed rows.
pub struct Trace<E: Real> {
    gates: Buffer<E>,
    separate: Buffer<E>,
    h: Buffer<E>,
    c: Buffer<E>,
}

/// dL/da of all steps, from which the gradients of x and of the weights follow by one product each.
pub struct Gradients<E: Real> {
    input: Buffer<E>,
    /// Where it differs from `input`.
    recurrent: Option<Buffer<E>>,
}

/// The rule of batch sizes: one step at least, each positive and none larger than the one before.
pub(crate) fn check_batch_sizes(batch_sizes: &[usize]) -> Result<(), RecurrentError> {
    let mut before = *batch_sizes.first().ok_or(RecurrentError::Empty { what: "batch_sizes" })?;
    for (step, &size) in batch_sizes.iter().enumerate() {
        if size == 0 || size > before {
            return Err(RecurrentError::BatchSizes { step, size, before });
        }
        before = size;
    }
    Ok(())
}

impl Sequence<'_> {
    /// Packed rows: Σ batch_sizes.
    pub fn rows(&self) -> usize {
        self.batch_sizes.iter().sum()
    }

    /// Sequences.
    pub fn batch(&self) -> usize {
        self.batch_sizes.first().copied().unwrap_or(0)
    }

    /// Whether there is a step, and every step has sequences, and no more than the one before.
    #[track_caller]
    fn check_sizes(&self) {
        if let Err(error) = check_batch_sizes(self.batch_sizes) {
            panic!("recurrent kernel: {error}");
        }
    }

    fn width(&self) -> usize {
        self.kind.gates() * self.hidden
    }

    fn joint(&self) -> usize {
        self.kind.joint_gates() * self.hidden
    }

    /// Runs all steps: y (rows, H) from x (rows, I); `h` and, for an LSTM, `c` (batch, H) go from the initial to the
    /// final state of each sequence. Keeps what the gradients need when `keep` says so.
    ///
    /// # Panics
    /// When a slice does not have the length of its shape, or the batch sizes are 0 somewhere or grow.
    #[track_caller]
    pub fn forward<E: Real>(
        &self,
        x: &[E],
        weights: &Weights<E>,
        h: &mut [E],
        c: &mut [E],
        y: &mut [E],
        keep: bool,
    ) -> Option<Trace<E>> {
        self.check_sizes();
        self.check_weights(weights);
        self.check("x", x.len(), self.rows() * self.input);
        self.check("y", y.len(), self.rows() * self.hidden);
        self.check_state(h, c);
        let (rows, hidden, width) = (self.rows(), self.hidden, self.width());
        let mut gates = Buffer::scratch(rows * width);
        let w_ih = Mat::new(weights.ih, width, self.input);
        gemm(Mat::new(x, rows, self.input), w_ih.t(), E::zero(), &mut gates);

        let mut separate = Buffer::scratch(rows * (width - self.joint()));
        let kept = if keep { rows * hidden } else { 0 };
        let mut trace_h = Buffer::scratch(kept);
        let mut trace_c = Buffer::scratch(if self.kind.has_cell() { kept } else { 0 });
        let bias = weights.bias(self.kind, hidden);
        let w_hh = Mat::new(weights.hh, width, hidden);
        let (joint, apart) = halves(w_hh, self.joint());
        let joint = self.right_factor(joint.t());
        let apart = (apart.rows > 0).then(|| self.right_factor(apart.t()));

        let chunks = self.chunks();
        let mut tasks: Vec<Task<E>> = {
            let (mut gates, mut y) = (self.deal(&mut gates, width, &chunks), self.deal(y, hidden, &chunks));
            let mut separate = self.deal(&mut separate, width - self.joint(), &chunks);
            let mut trace_h = self.deal(&mut trace_h, if keep { hidden } else { 0 }, &chunks);
            let cell = if keep && self.kind.has_cell() { hidden } else { 0 };
            let mut trace_c = self.deal(&mut trace_c, cell, &chunks);
            let mut h = by_chunk(h, hidden, &chunks);
            let mut c = by_chunk(c, if self.kind.has_cell() { hidden } else { 0 }, &chunks);
            (0..chunks.len())
                .map(|i| Task {
                    gates: std::mem::take(&mut gates[i]),
                    separate: std::mem::take(&mut separate[i]),
                    y: std::mem::take(&mut y[i]),
                    trace_h: std::mem::take(&mut trace_h[i]),
                    trace_c: std::mem::take(&mut trace_c[i]),
                    h: std::mem::take(&mut h[i]),
                    c: std::mem::take(&mut c[i]),
                })
                .collect()
        };
        par::pieces_mut(&mut tasks, 1, |_, task| {
            for t in self.time() {
                task[0].step(self, t, &bias, &joint, apart.as_ref());
            }
        });
        drop(tasks);
        keep.then_some(Trace { gates, separate, h: trace_h, c: trace_c })
    }

    /// Goes back through time: `dh` and `dc` (batch, H) go from the gradients of the final states to those of the
    /// initial ones; `dy` (rows, H) is what came from the outputs, if any.
    ///
    /// # Panics
    /// As [`Sequence::forward`].
    #[track_caller]
    pub fn backward<E: Real>(
        &self,
        weights: &Weights<E>,
        trace: &Trace<E>,
        dy: Option<Mat<E>>,
        dh: &mut [E],
        dc: &mut [E],
    ) -> Gradients<E> {
        self.check_sizes();
        self.check_weights(weights);
        self.check_state(dh, dc);
        if let Some(dy) = dy {
            assert!(
                dy.rows == self.rows() && dy.cols == self.hidden,
                "recurrent kernel: dy has another shape"
            );
        }
        let (rows, hidden, width) = (self.rows(), self.hidden, self.width());
        let separate = width - self.joint();
        let mut d_input = Buffer::scratch(rows * width);
        let mut d_recurrent = Buffer::scratch(if separate > 0 { rows * width } else { 0 });
        let w_hh = self.right_factor(Mat::new(weights.hh, width, hidden));
        let starts = self.starts();

        let chunks = self.chunks();
        let mut tasks: Vec<GradientTask<E>> = {
            let mut d_input = self.deal(&mut d_input, width, &chunks);
            let mut d_recurrent = self.deal(&mut d_recurrent, if separate > 0 { width } else { 0 }, &chunks);
            let mut dh = by_chunk(dh, hidden, &chunks);
            let mut dc = by_chunk(dc, if self.kind.has_cell() { hidden } else { 0 }, &chunks);
            (0..chunks.len())
                .map(|i| GradientTask {
                    first: chunks[i].start,
                    d_input: std::mem::take(&mut d_input[i]),
                    d_recurrent: std::mem::take(&mut d_recurrent[i]),
                    dh: std::mem::take(&mut dh[i]),
                    dc: std::mem::take(&mut dc[i]),
                })
                .collect()
        };
        par::pieces_mut(&mut tasks, 1, |_, task| {
            for t in self.time().rev() {
                task[0].step(self, t, starts[t], trace, dy, &w_hh);
            }
        });
        drop(tasks);
        Gradients { input: d_input, recurrent: (separate > 0).then_some(d_recurrent) }
    }

    /// The steps in the order in which they are taken.
    fn time(&self) -> impl DoubleEndedIterator<Item = usize> {
        let (steps, reverse) = (self.batch_sizes.len(), self.reverse);
        (0..steps).map(move |t| if reverse { steps - 1 - t } else { t })
    }

    /// The first row of each step.
    fn starts(&self) -> Vec<usize> {
        let sum = |before: &mut usize, &size: &usize| {
            let start = *before;
            *before += size;
            Some(start)
        };
        self.batch_sizes.iter().scan(0, sum).collect()
    }

    /// The sequences of each thread: about as many steps for each.
    fn chunks(&self) -> Vec<Range<usize>> {
        let (batch, rows) = (self.batch(), self.rows());
        let work = rows.saturating_mul(self.width()).saturating_mul(self.hidden);
        let most = if work < PARALLEL { 1 } else { (batch / MIN_ROWS).max(1) };
        let threads = par::threads().min(most);
        let mut ends = Vec::with_capacity(threads);
        let mut steps = 0;
        for sequence in 0..batch {
            steps += self.batch_sizes.iter().filter(|&&size| size > sequence).count();
            if steps * threads >= (ends.len() + 1) * rows {
                ends.push(sequence + 1);
            }
        }
        let starts = std::iter::once(0).chain(ends.clone());
        starts.zip(ends).map(|(start, end)| start..end).collect()
    }

    /// A weight as the right factor of the products of one step.
    fn right_factor<'a, E: Real>(&self, weight: Mat<'a, E>) -> Factor<'a, E> {
        if self.batch() > FEW {
            Factor::Packed(Packed::right(weight))
        } else if weight.col_stride == 1 || self.batch_sizes.len() < MANY {
            Factor::View(weight)
        } else {
            Factor::Stripes((0..weight.cols).step_by(STRIPE).map(|first| stripe(weight, first)).collect())
        }
    }

    /// For each chunk of sequences, what it has of each step of a matrix of packed rows.
    fn deal<'a, E>(&self, data: &'a mut [E], width: usize, chunks: &[Range<usize>]) -> Vec<Vec<&'a mut [E]>> {
        let mut dealt: Vec<Vec<&mut [E]>> =
            chunks.iter().map(|_| Vec::with_capacity(self.batch_sizes.len())).collect();
        let mut rest = data;
        for &size in self.batch_sizes {
            for (chunk, parts) in chunks.iter().zip(&mut dealt) {
                let rows = chunk.end.min(size).saturating_sub(chunk.start);
                let (part, after) = std::mem::take(&mut rest).split_at_mut(rows * width);
                rest = after;
                parts.push(part);
            }
        }
        dealt
    }

    #[track_caller]
    fn check(&self, what: &str, len: usize, expected: usize) {
        assert_eq!(len, expected, "recurrent kernel: {what} has {len} elements, needs {expected}");
    }

    #[track_caller]
    fn check_weights<E: Real>(&self, weights: &Weights<E>) {
        if let Err(error) = weights.check(self.kind, self.input, self.hidden) {
            panic!("recurrent kernel: {error}");
        }
    }

    #[track_caller]
    fn check_state<E>(&self, h: &[E], c: &[E]) {
        self.check("h", h.len(), self.batch() * self.hidden);
        self.check("c", c.len(), if self.kind.has_cell() { h.len() } else { 0 });
    }
}

impl<E: Real> Gradients<E> {
    /// g ← β·g + dL/dx (rows, I)
    pub fn x(&self, sequence: &Sequence, weights: &Weights<E>, beta: E, g: &mut [E]) {
        let w_ih = Mat::new(weights.ih, sequence.width(), sequence.input);
        gemm(self.input(sequence), w_ih, beta, g);
    }

    /// g ← β·g + dL/dW_ih (G·H, I), for x (rows, I)
    pub fn w_ih(&self, sequence: &Sequence, x: &[E], beta: E, g: &mut [E]) {
        gemm(self.input(sequence).t(), Mat::new(x, sequence.rows(), sequence.input), beta, g);
    }

    /// g ← β·g + dL/dW_hh (G·H, H)
    pub fn w_hh(&self, sequence: &Sequence, trace: &Trace<E>, beta: E, g: &mut [E]) {
        let h = Mat::new(&trace.h, sequence.rows(), sequence.hidden);
        gemm(self.recurrent(sequence).t(), h, beta, g);
    }

    /// g ← β·g + dL/db_ih (G·H)
    pub fn b_ih(&self, sequence: &Sequence, beta: E, g: &mut [E]) {
        add_rows(self.input(sequence), beta, g);
    }

    /// g ← β·g + dL/db_hh (G·H)
    pub fn b_hh(&self, sequence: &Sequence, beta: E, g: &mut [E]) {
        add_rows(self.recurrent(sequence), beta, g);
    }

    fn input(&self, sequence: &Sequence) -> Mat<'_, E> {
        Mat::new(&self.input, sequence.rows(), sequence.width())
    }

    fn recurrent(&self, sequence: &Sequence) -> Mat<'_, E> {
        Mat::new(self.recurrent.as_ref().unwrap_or(&self.input), sequence.rows(), sequence.width())
    }
}

/// g ← β·g + the sum of all rows
fn add_rows<E: Real>(rows: Mat<E>, beta: E, g: &mut [E]) {
    gemm(Mat::new(&vec![E::one(); rows.rows], 1, rows.rows), rows, beta, g);
}

/// A weight as a right factor, in the order that pays.
enum Factor<'a, E: Real> {
    View(Mat<'a, E>),
    /// Row-major, some columns each.
    Stripes(Vec<Buffer<E>>),
    Packed(Packed<E>),
}

impl<E: Real> Factor<'_, E> {
    /// y ← x·W + β·y, where x was written just before
    fn multiply(&self, x: Mat<E>, beta: E, y: MatMut<E>) {
        match self {
            Factor::View(weight) => gemm_serial(x, *weight, beta, y),
            Factor::Packed(weight) => gemm_serial(Operand::InPlace(x), weight, beta, y),
            Factor::Stripes(stripes) => {
                let mut rest = y;
                for stripe in stripes {
                    let cols = stripe.len() / x.cols;
                    let (y, after) = rest.split_cols(cols);
                    rest = after;
                    gemm_serial(x, Mat::new(stripe, x.cols, cols), beta, y);
                }
            }
        }
    }
}

/// Columns of a matrix from `first` on, row-major.
fn stripe<E: Real>(matrix: Mat<E>, first: usize) -> Buffer<E> {
    let cols = (matrix.cols - first).min(STRIPE);
    let mut stripe = Buffer::scratch(matrix.rows * cols);
    for (i, row) in stripe.chunks_exact_mut(cols).enumerate() {
        let from = &matrix.data[i * matrix.row_stride + first * matrix.col_stride..];
        row.iter_mut().zip(from.iter().step_by(matrix.col_stride)).for_each(|(to, &x)| *to = x);
    }
    stripe
}

/// The first `rows` rows of a matrix and the others.
fn halves<E: Real>(matrix: Mat<E>, rows: usize) -> (Mat<E>, Mat<E>) {
    let (first, second) = matrix.data.split_at(rows * matrix.row_stride);
    (Mat { data: first, rows, ..matrix }, Mat { data: second, rows: matrix.rows - rows, ..matrix })
}

/// The rows of each chunk of sequences.
fn by_chunk<'a, E>(data: &'a mut [E], width: usize, chunks: &[Range<usize>]) -> Vec<&'a mut [E]> {
    let mut rest = data;
    let take = |chunk: &Range<usize>| {
        let (part, after) = std::mem::take(&mut rest).split_at_mut(chunk.len() * width);
        rest = after;
        part
    };
    chunks.iter().map(take).collect()
}

/// Some sequences on their way forward: a slice for each step, and their states.
struct Task<'a, E> {
    gates: Vec<&'a mut [E]>,
    separate: Vec<&'a mut [E]>,
    y: Vec<&'a mut [E]>,
    trace_h: Vec<&'a mut [E]>,
    trace_c: Vec<&'a mut [E]>,
    h: &'a mut [E],
    c: &'a mut [E],
}

impl<E: Real> Task<'_, E> {
    fn step(
        &mut self,
        sequence: &Sequence,
        t: usize,
        bias: &Bias<E>,
        joint: &Factor<E>,
        apart: Option<&Factor<E>>,
    ) {
        let (hidden, width) = (sequence.hidden, sequence.width());
        let (gates, y) = (&mut *self.gates[t], &mut *self.y[t]);
        let n = y.len() / hidden;
        if n == 0 {
            return;
        }
        let h = &mut self.h[..n * hidden];
        let c = if self.c.is_empty() { &mut [] } else { &mut self.c[..n * hidden] };
        self.trace_h[t].iter_mut().zip(&*h).for_each(|(kept, &h)| *kept = h);
        self.trace_c[t].iter_mut().zip(&*c).for_each(|(kept, &c)| *kept = c);
        let before = Mat::new(h, n, hidden);
        let joint_gates = MatMut::with_stride(gates, n, sequence.joint(), width);
        joint.multiply(before, E::one(), joint_gates);
        let separate = &mut *self.separate[t];
        if let Some(apart) = apart {
            let separate = MatMut::new(separate, n, width - sequence.joint());
            apart.multiply(before, E::zero(), separate);
        }
        gates::forward(sequence.kind, hidden, bias, Step { gates, separate, h, c, y });
    }
}

/// Some sequences on their way back.
struct GradientTask<'a, E> {
    first: usize,
    d_input: Vec<&'a mut [E]>,
    d_recurrent: Vec<&'a mut [E]>,
    dh: &'a mut [E],
    dc: &'a mut [E],
}

impl<E: Real> GradientTask<'_, E> {
    fn step(
        &mut self,
        sequence: &Sequence,
        t: usize,
        start: usize,
        trace: &Trace<E>,
        dy: Option<Mat<E>>,
        w_hh: &Factor<E>,
    ) {
        let (hidden, width) = (sequence.hidden, sequence.width());
        let n = self.d_input[t].len() / width;
        if n == 0 {
            return;
        }
        let first = start + self.first;
        let dh = &mut self.dh[..n * hidden];
        let dc = if self.dc.is_empty() { &mut [] } else { &mut self.dc[..n * hidden] };
        if let Some(dy) = dy {
            for (row, dh) in dh.chunks_exact_mut(hidden).enumerate() {
                let dy = &dy.data[(first + row) * dy.row_stride..][..hidden];
                dh.iter_mut().zip(dy).for_each(|(dh, &dy)| *dh += dy);
            }
        }
        let d_recurrent = &mut *self.d_recurrent[t];
        let kept = |buffer: &Buffer<E>, width: usize| -> Range<usize> {
            if buffer.is_empty() { 0..0 } else { first * width..(first + n) * width }
        };
        let step = StepGradient {
            gates: &trace.gates[kept(&trace.gates, width)],
            separate: &trace.separate[kept(&trace.separate, width - sequence.joint())],
            h: &trace.h[kept(&trace.h, hidden)],
            c: &trace.c[kept(&trace.c, hidden)],
            dh,
            dc,
            d_input: &mut *self.d_input[t],
            d_recurrent,
        };
        gates::backward(sequence.kind, hidden, step);
        let da = if self.d_recurrent[t].is_empty() { &*self.d_input[t] } else { &*self.d_recurrent[t] };
        let dh = MatMut::new(&mut self.dh[..n * hidden], n, hidden);
        w_hh.multiply(Mat::new(da, n, width), E::one(), dh);
    }
}
