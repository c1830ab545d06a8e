use striate_compute::Real;

use super::Kind;
use crate::RecurrentError;

/// The parameters of one layer in one direction, row-major, with PyTorch's names and order of gates (G of them).
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a, E> {
    /// W_ih (G·H, I)
    pub ih: &'a [E],
    /// W_hh (G·H, H)
    pub hh: &'a [E],
    /// b_ih (G·H)
    pub bias_ih: Option<&'a [E]>,
    /// b_hh (G·H)
    pub bias_hh: Option<&'a [E]>,
}

/// The biases as they are added: those of joint gates at once.
pub(super) struct Bias<E> {
    /// One per row of the weights: b_ih, and b_hh where the gate is joint.
    pub(super) gates: Vec<E>,
    /// b_hh of the gates that are not joint.
    pub(super) separate: Vec<E>,
}

impl<E: Real> Weights<'_, E> {
    pub(super) fn bias(&self, kind: Kind, hidden: usize) -> Bias<E> {
        let rows = kind.gates() * hidden;
        let joint = kind.joint_gates() * hidden;
        let mut gates = self.bias_ih.map_or_else(|| vec![E::zero(); rows], <[E]>::to_vec);
        let hh = self.bias_hh.map_or_else(|| vec![E::zero(); rows], <[E]>::to_vec);
        gates.iter_mut().zip(&hh[..joint]).for_each(|(gate, &hh)| *gate += hh);
        Bias { gates, separate: hh[joint..].to_vec() }
    }

    /// Whether there is a unit, and every slice has the length of its shape.
    pub(super) fn check(&self, kind: Kind, input: usize, hidden: usize) -> Result<(), RecurrentError> {
        if hidden == 0 {
            return Err(RecurrentError::Hidden);
        }
        let rows = kind.gates() * hidden;
        let slices = [
            ("w_ih", Some(self.ih), vec![rows, input]),
            ("w_hh", Some(self.hh), vec![rows, hidden]),
            ("b_ih", self.bias_ih, vec![rows]),
            ("b_hh", self.bias_hh, vec![rows]),
        ];
        for (what, slice, expected) in slices {
            match slice {
                Some(slice) if slice.len() != expected.iter().product::<usize>() => {
                    return Err(RecurrentError::Shape { what, expected, shape: vec![slice.len()] });
                }
                _ => (),
            }
        }
        Ok(())
    }
}
