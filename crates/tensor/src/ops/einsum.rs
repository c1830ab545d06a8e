//! Sums of products by letters, as permutations, a matrix product and a reshape.

use striate_compute::Real;

use crate::shape::{self, Dims, elements, expect};
use crate::tensor::Tensor;

/// A tensor whose axes have letters.
struct Named<E: Real> {
    x: Tensor<E>,
    letters: Vec<char>,
}

impl<E: Real> Named<E> {
    fn place(&self, letter: char) -> usize {
        self.letters.iter().position(|&l| l == letter).expect("the letter is one of the operand's")
    }

    /// Axes of the same letter joined into their diagonal.
    fn without_repeats(mut self) -> Self {
        while let Some(j) = (1..self.letters.len()).find(|&j| self.letters[..j].contains(&self.letters[j])) {
            let i = self.place(self.letters[j]);
            self.x = self.x.diagonal(i as isize, j as isize);
            self.letters.remove(j);
        }
        self
    }

    /// Summed over all letters that `keep` refuses.
    fn sum_unless(self, keep: impl Fn(char) -> bool) -> Self {
        let summed: Vec<isize> =
            (0..).zip(&self.letters).filter(|&(_, &letter)| !keep(letter)).map(|(i, _)| i).collect();
        if summed.is_empty() {
            return self;
        }
        let letters = self.letters.into_iter().filter(|&letter| keep(letter)).collect();
        Named { x: self.x.sum_dim(&summed, false), letters }
    }

    fn permuted(&self, letters: impl IntoIterator<Item = char>) -> Tensor<E> {
        let order: Vec<isize> = letters.into_iter().map(|letter| self.place(letter) as isize).collect();
        if order.iter().copied().eq(0..order.len() as isize) {
            return self.x.clone();
        }
        self.x.permute(&order)
    }

    fn lengths(&self, letters: &[char]) -> Dims {
        letters.iter().map(|&letter| self.x.shape()[self.place(letter)]).collect()
    }
}

/// Product of two operands, summed over the letters that both have and `keep` refuses.
fn contract<E: Real>(a: Named<E>, b: Named<E>, keep: impl Fn(char) -> bool) -> Named<E> {
    let a = a.sum_unless(|letter| keep(letter) || b.letters.contains(&letter));
    let b = b.sum_unless(|letter| keep(letter) || a.letters.contains(&letter));
    let of = |letters: &[char], wanted: &dyn Fn(char) -> bool| -> Vec<char> {
        letters.iter().copied().filter(|&letter| wanted(letter)).collect()
    };
    let both = |letter| b.letters.contains(&letter);
    let batch = of(&a.letters, &|letter| both(letter) && keep(letter));
    let summed = of(&a.letters, &|letter| both(letter) && !keep(letter));
    let rows = of(&a.letters, &|letter| !both(letter));
    let columns = of(&b.letters, &|letter| !a.letters.contains(&letter));
    let (batch_shape, rows_shape, columns_shape) = (a.lengths(&batch), a.lengths(&rows), b.lengths(&columns));
    let shape = |parts: [&[usize]; 3]| -> Dims { parts.concat().into() };

    let left = a.permuted([&batch[..], &rows, &summed].concat());
    let product = if summed.is_empty() {
        let right = b.permuted([&batch[..], &columns].concat());
        let ones: Dims = Dims::from_elem(1, columns.len());
        let rows_of_one: Dims = Dims::from_elem(1, rows.len());
        left.reshape_to(&shape([&batch_shape, &rows_shape, &ones]))
            * right.reshape_to(&shape([&batch_shape, &rows_of_one, &columns_shape]))
    } else {
        let right = b.permuted([&batch[..], &summed, &columns].concat());
        let inner = elements(&a.lengths(&summed));
        let left = left.reshape_to(&shape([&batch_shape, &[elements(&rows_shape)], &[inner]]));
        let right = right.reshape_to(&shape([&batch_shape, &[inner], &[elements(&columns_shape)]]));
        left.matmul(&right).reshape_to(&shape([&batch_shape, &rows_shape, &columns_shape]))
    };
    Named { x: product, letters: [batch, rows, columns].concat() }
}

/// Sums of products in Einstein's notation: a letter per axis, summed over the letters that the result has not.
///
/// `"bij,bjk->bik"` is y\[b, i, k\] = Σⱼ x₀\[b, i, j\] · x₁\[b, j, k\]; gradients are those of the products. A letter
/// that an operand has twice is its diagonal; without `->` the result has the letters that occur once, in
/// alphabetical order. More than two operands are multiplied from the left on. Products over a shared letter run as
/// one batched matrix product. PyTorch's `torch.einsum`, without `...` and without broadcasting of lengths of 1.
///
/// # Panics
/// When the specification does not fit the operands: see [`shape::einsum`].
///
/// ```
/// # use striate_tensor::{ops::einsum, Tensor};
/// let (a, b) = (Tensor::<f32>::ones(&[5, 2, 3]), Tensor::ones(&[5, 3, 4]));
/// assert_eq!(einsum("bij,bjk->bik", &[&a, &b]).shape(), [5, 2, 4]);
/// assert_eq!(einsum("ii", &[&Tensor::<f32>::eye(3)]).item(), 3.0);
/// ```
#[track_caller]
pub fn einsum<E: Real>(spec: &str, operands: &[&Tensor<E>]) -> Tensor<E> {
    let shapes: Vec<&[usize]> = operands.iter().map(|x| x.shape()).collect();
    let plan = expect(shape::einsum(spec, &shapes));
    let named =
        |i: usize| Named { x: operands[i].clone(), letters: plan.inputs[i].clone() }.without_repeats();
    let mut product = named(0);
    for i in 1..operands.len() {
        let later = &plan.inputs[i + 1..];
        let keep = |letter| plan.output.contains(&letter) || later.iter().flatten().any(|&l| l == letter);
        product = contract(product, named(i), keep);
    }
    product.sum_unless(|letter| plan.output.contains(&letter)).permuted(plan.output.iter().copied())
}
