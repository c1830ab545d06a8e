//! Element types in files, and their bytes.

use std::fmt;

use ndarray::{ArrayD, ArrayViewD, IxDyn, ShapeBuilder};

use crate::{AnyArray, Problem};

/// The element type of an array in a file. [`F16`](Dtype::F16) and [`BF16`](Dtype::BF16) are widened to f32 on
/// reading, so an [`AnyArray`] never has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Dtype {
    F64,
    F32,
    F16,
    BF16,
    I64,
    I32,
    I16,
    I8,
    U64,
    U32,
    U16,
    U8,
    Bool,
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::BF16 => "bf16",
            Self::I64 => "i64",
            Self::I32 => "i32",
            Self::I16 => "i16",
            Self::I8 => "i8",
            Self::U64 => "u64",
            Self::U32 => "u32",
            Self::U16 => "u16",
            Self::U8 => "u8",
            Self::Bool => "bool",
        })
    }
}

impl Dtype {
    /// Bytes of one element in a file.
    pub fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 | Self::U64 => 8,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F16 | Self::BF16 | Self::I16 | Self::U16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    /// Bytes of one element in memory (f16 and bf16 become f32).
    pub(crate) fn size_in_memory(self) -> usize {
        match self {
            Self::F16 | Self::BF16 => 4,
            other => other.size(),
        }
    }

    /// The array whose little-endian elements are `bytes`, as many as `shape` needs.
    pub(crate) fn decode(self, bytes: &[u8], shape: &[usize], fortran: bool) -> Result<AnyArray, Problem> {
        let layout = Layout { shape, fortran, dtype: self };
        match self {
            Self::F64 => layout.array(bytes, f64::from_le_bytes).map(AnyArray::F64),
            Self::F32 => layout.array(bytes, f32::from_le_bytes).map(AnyArray::F32),
            Self::F16 => layout.array(bytes, |b| f16_to_f32(u16::from_le_bytes(b))).map(AnyArray::F32),
            Self::BF16 => layout.array(bytes, |b| bf16_to_f32(u16::from_le_bytes(b))).map(AnyArray::F32),
            Self::I64 => layout.array(bytes, i64::from_le_bytes).map(AnyArray::I64),
            Self::I32 => layout.array(bytes, i32::from_le_bytes).map(AnyArray::I32),
            Self::I16 => layout.array(bytes, i16::from_le_bytes).map(AnyArray::I16),
            Self::I8 => layout.array(bytes, i8::from_le_bytes).map(AnyArray::I8),
            Self::U64 => layout.array(bytes, u64::from_le_bytes).map(AnyArray::U64),
            Self::U32 => layout.array(bytes, u32::from_le_bytes).map(AnyArray::U32),
            Self::U16 => layout.array(bytes, u16::from_le_bytes).map(AnyArray::U16),
            Self::U8 => layout.array(bytes, u8::from_le_bytes).map(AnyArray::U8),
            Self::Bool => layout.array(bytes, |[b]| b != 0).map(AnyArray::Bool),
        }
    }
}

struct Layout<'a> {
    shape: &'a [usize],
    fortran: bool,
    dtype: Dtype,
}

impl Layout<'_> {
    fn array<const N: usize, T>(
        &self,
        bytes: &[u8],
        element: impl Fn([u8; N]) -> T,
    ) -> Result<ArrayD<T>, Problem> {
        let (elements, rest) = bytes.as_chunks::<N>();
        debug_assert!(rest.is_empty());
        let overflow = |_| Problem::Overflow { shape: self.shape.to_vec(), dtype: self.dtype };
        let values: Vec<T> = if self.fortran {
            let columns = ArrayViewD::from_shape(IxDyn(self.shape).f(), elements).map_err(overflow)?;
            columns.iter().map(|b| element(*b)).collect()
        } else {
            elements.iter().map(|b| element(*b)).collect()
        };
        ArrayD::from_shape_vec(self.shape, values).map_err(overflow)
    }
}

/// IEEE 754 binary16 → binary32, exact.
fn f16_to_f32(half: u16) -> f32 {
    let sign = (half as u32 & 0x8000) << 16;
    let magnitude = half as u32 & 0x7fff;
    if magnitude >= 0x7c00 {
        return f32::from_bits(sign | 0x7f80_0000 | (magnitude & 0x3ff) << 13); // ∞ and NaN
    }
    // The exponent and fraction moved into place, the bias corrected by an exact product with 2¹¹².
    let value = f32::from_bits(magnitude << 13) * f32::from_bits((127 + 112) << 23);
    f32::from_bits(sign | value.to_bits())
}

fn bf16_to_f32(brain: u16) -> f32 {
    f32::from_bits((brain as u32) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_16_bit_float_widens_as_the_half_crate_widens_it() {
        for bits in 0..=u16::MAX {
            let pairs = [
                (f16_to_f32(bits), half::f16::from_bits(bits).to_f32()),
                (bf16_to_f32(bits), half::bf16::from_bits(bits).to_f32()),
            ];
            for (ours, reference) in pairs {
                assert!(
                    ours.to_bits() == reference.to_bits() || ours.is_nan() && reference.is_nan(),
                    "{bits:04x}"
                );
            }
        }
    }
}
