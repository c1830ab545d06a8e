//! An array of whatever element type the file has.

use std::io::{self, Write};

use ndarray::{Array, ArrayD, Dimension};

use crate::Dtype;

/// An array of whatever element type a file has.
///
/// ```
/// use ndarray::arr1;
/// use striate_formats::{AnyArray, Dtype};
///
/// let array = AnyArray::from(arr1(&[0u8, 128, 255]));
/// assert_eq!((array.dtype(), array.shape()), (Dtype::U8, &[3][..]));
/// assert_eq!(array.to_f32(), arr1(&[0.0, 128.0, 255.0]).into_dyn());
/// assert_eq!(array.to_indices(), Some(vec![0, 128, 255]));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum AnyArray {
    F64(ArrayD<f64>),
    F32(ArrayD<f32>),
    I64(ArrayD<i64>),
    I32(ArrayD<i32>),
    I16(ArrayD<i16>),
    I8(ArrayD<i8>),
    U64(ArrayD<u64>),
    U32(ArrayD<u32>),
    U16(ArrayD<u16>),
    U8(ArrayD<u8>),
    Bool(ArrayD<bool>),
}

impl AnyArray {
    /// The element type.
    pub fn dtype(&self) -> Dtype {
        match self {
            Self::F64(_) => Dtype::F64,
            Self::F32(_) => Dtype::F32,
            Self::I64(_) => Dtype::I64,
            Self::I32(_) => Dtype::I32,
            Self::I16(_) => Dtype::I16,
            Self::I8(_) => Dtype::I8,
            Self::U64(_) => Dtype::U64,
            Self::U32(_) => Dtype::U32,
            Self::U16(_) => Dtype::U16,
            Self::U8(_) => Dtype::U8,
            Self::Bool(_) => Dtype::Bool,
        }
    }

    /// The length of every axis.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::F64(a) => a.shape(),
            Self::F32(a) => a.shape(),
            Self::I64(a) => a.shape(),
            Self::I32(a) => a.shape(),
            Self::I16(a) => a.shape(),
            Self::I8(a) => a.shape(),
            Self::U64(a) => a.shape(),
            Self::U32(a) => a.shape(),
            Self::U16(a) => a.shape(),
            Self::U8(a) => a.shape(),
            Self::Bool(a) => a.shape(),
        }
    }

    /// The elements as f32, rounded where f32 is narrower (as Rust's `as`); `true` is 1.
    pub fn to_f32(&self) -> ArrayD<f32> {
        match self {
            Self::F64(a) => a.mapv(|v| v as f32),
            Self::F32(a) => a.clone(),
            Self::I64(a) => a.mapv(|v| v as f32),
            Self::I32(a) => a.mapv(|v| v as f32),
            Self::I16(a) => a.mapv(f32::from),
            Self::I8(a) => a.mapv(f32::from),
            Self::U64(a) => a.mapv(|v| v as f32),
            Self::U32(a) => a.mapv(|v| v as f32),
            Self::U16(a) => a.mapv(f32::from),
            Self::U8(a) => a.mapv(f32::from),
            Self::Bool(a) => a.mapv(|v| f32::from(u8::from(v))),
        }
    }

    /// As [`to_f32`](Self::to_f32), without a copy when the elements are f32 already.
    pub fn into_f32(self) -> ArrayD<f32> {
        match self {
            Self::F32(a) => a,
            other => other.to_f32(),
        }
    }

    /// The elements as f64, rounded only for 64-bit integers beyond 2⁵³; `true` is 1.
    pub fn to_f64(&self) -> ArrayD<f64> {
        match self {
            Self::F64(a) => a.clone(),
            Self::F32(a) => a.mapv(f64::from),
            Self::I64(a) => a.mapv(|v| v as f64),
            Self::I32(a) => a.mapv(f64::from),
            Self::I16(a) => a.mapv(f64::from),
            Self::I8(a) => a.mapv(f64::from),
            Self::U64(a) => a.mapv(|v| v as f64),
            Self::U32(a) => a.mapv(f64::from),
            Self::U16(a) => a.mapv(f64::from),
            Self::U8(a) => a.mapv(f64::from),
            Self::Bool(a) => a.mapv(|v| f64::from(u8::from(v))),
        }
    }

    /// As [`to_f64`](Self::to_f64), without a copy when the elements are f64 already.
    pub fn into_f64(self) -> ArrayD<f64> {
        match self {
            Self::F64(a) => a,
            other => other.to_f64(),
        }
    }

    /// The elements as i64, row by row; `None` for floats and for what does not fit.
    pub fn to_i64(&self) -> Option<Vec<i64>> {
        match self {
            Self::F64(_) | Self::F32(_) => None,
            Self::I64(a) => Some(a.iter().copied().collect()),
            Self::I32(a) => Some(a.iter().map(|&v| v.into()).collect()),
            Self::I16(a) => Some(a.iter().map(|&v| v.into()).collect()),
            Self::I8(a) => Some(a.iter().map(|&v| v.into()).collect()),
            Self::U64(a) => a.iter().map(|&v| v.try_into().ok()).collect(),
            Self::U32(a) => Some(a.iter().map(|&v| v.into()).collect()),
            Self::U16(a) => Some(a.iter().map(|&v| v.into()).collect()),
            Self::U8(a) => Some(a.iter().map(|&v| v.into()).collect()),
            Self::Bool(a) => Some(a.iter().map(|&v| v.into()).collect()),
        }
    }

    /// The elements as labels or indices, row by row; `None` for floats and negative numbers.
    pub fn to_indices(&self) -> Option<Vec<usize>> {
        self.to_i64()?.into_iter().map(|v| usize::try_from(v).ok()).collect()
    }

    /// Writes the elements row by row, little-endian.
    pub(crate) fn write_elements(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::F64(a) => write(a, out, f64::to_le_bytes),
            Self::F32(a) => write(a, out, f32::to_le_bytes),
            Self::I64(a) => write(a, out, i64::to_le_bytes),
            Self::I32(a) => write(a, out, i32::to_le_bytes),
            Self::I16(a) => write(a, out, i16::to_le_bytes),
            Self::I8(a) => write(a, out, i8::to_le_bytes),
            Self::U64(a) => write(a, out, u64::to_le_bytes),
            Self::U32(a) => write(a, out, u32::to_le_bytes),
            Self::U16(a) => write(a, out, u16::to_le_bytes),
            Self::U8(a) => write(a, out, u8::to_le_bytes),
            Self::Bool(a) => write(a, out, |v| [u8::from(v)]),
        }
    }

    /// Bytes that [`write_elements`](Self::write_elements) writes.
    pub(crate) fn byte_len(&self) -> usize {
        self.shape().iter().product::<usize>() * self.dtype().size()
    }
}

fn write<const N: usize, T: Copy>(
    array: &ArrayD<T>,
    out: &mut dyn Write,
    bytes: impl Fn(T) -> [u8; N],
) -> io::Result<()> {
    let array = array.as_standard_layout();
    let values = array.as_slice().expect("standard layout");
    let mut buffer = Vec::with_capacity(values.len().min(8192) * N);
    for block in values.chunks(8192) {
        buffer.clear();
        buffer.extend(block.iter().flat_map(|&v| bytes(v)));
        out.write_all(&buffer)?;
    }
    Ok(())
}

macro_rules! from_array {
    ($($variant:ident $element:ty),*) => {$(
        impl<D: Dimension> From<Array<$element, D>> for AnyArray {
            fn from(array: Array<$element, D>) -> Self {
                Self::$variant(array.into_dyn())
            }
        }
    )*};
}
from_array!(F64 f64, F32 f32, I64 i64, I32 i32, I16 i16, I8 i8, U64 u64, U32 u32, U16 u16, U8 u8, Bool bool);
