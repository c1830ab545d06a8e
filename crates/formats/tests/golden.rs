//! Files written by numpy and by Python's safetensors (`tests/golden/make.py`), and our own files read back.

use ndarray::{Array, Array2, ArrayD, Dimension, arr0, arr2};
use striate_formats::{AnyArray, Arrays, Dtype, FormatError, Limits, Problem, npy, npz, safetensors};

fn golden(name: &str) -> String {
    format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn ramp() -> Array2<i64> {
    arr2(&[[-1, 0, 1], [2, 3, 4]])
}

/// What `make.py` calls `arrays`, with f16 widened.
fn expected() -> Arrays {
    let mut arrays = Arrays::new();
    arrays.push("f64", ramp().mapv(|v| v as f64 / 3.0));
    arrays.push("f32", ramp().mapv(|v| (v as f64 / 3.0) as f32));
    arrays.push("f16", ramp().mapv(|v| v as f32 / 4.0));
    arrays.push("i64", ramp().mapv(|v| v << 40));
    arrays.push("i32", ramp().mapv(|v| v as i32));
    arrays.push("i16", ramp().mapv(|v| v as i16));
    arrays.push("i8", ramp().mapv(|v| v as i8));
    arrays.push("u64", Array2::from_elem((2, 3), u64::MAX));
    arrays.push("u32", Array2::from_elem((2, 3), u32::MAX));
    arrays.push("u16", Array2::from_elem((2, 3), u16::MAX));
    arrays.push("u8", Array2::from_elem((2, 3), u8::MAX));
    arrays.push("bool", ramp().mapv(|v| v > 1));
    arrays.push("scalar", arr0(2.5f32));
    arrays.push("empty", Array2::<f32>::zeros((0, 3)));
    arrays
}

#[test]
fn numpy_archives_stored_and_deflated() {
    assert_eq!(npz::read(golden("deflated.npz"), &Limits::default()).unwrap(), expected());
    let stored = npz::read(golden("stored.npz"), &Limits::default()).unwrap();
    for (name, array) in expected().iter() {
        assert_eq!(&stored[name], array, "{name}");
    }
}

#[test]
fn fortran_order_and_big_endian_give_the_same_values_in_standard_layout() {
    let stored = npz::read(golden("stored.npz"), &Limits::default()).unwrap();
    let expected = expected();
    for (name, same) in [("fortran", "f32"), ("big_f32", "f32"), ("big_i64", "i64"), ("big_fortran", "i16")] {
        assert_eq!(stored[name], expected[same], "{name}");
    }
    assert!(matches!(&stored["fortran"], AnyArray::F32(a) if a.is_standard_layout()));
    assert_eq!(stored["long_shape"].shape().len(), 22);
    assert_eq!(stored["long_shape"].to_i64().unwrap(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn later_header_versions() {
    for file in ["version2.npy", "version3.npy"] {
        assert_eq!(npy::read(golden(file), &Limits::default()).unwrap(), expected()["f32"]);
    }
}

#[test]
fn object_arrays_are_refused() {
    let FormatError { entry, problem, .. } = npz::read(golden("pickle.npz"), &Limits::default()).unwrap_err();
    assert_eq!(entry, "objects.npy");
    assert!(matches!(problem, Problem::Pickle(_)), "{problem}");
}

#[test]
fn python_safetensors() {
    let (arrays, metadata) = safetensors::read(golden("all.safetensors"), &Limits::default()).unwrap();
    for (name, array) in expected().iter() {
        assert_eq!(&arrays[name], array, "{name}");
    }
    assert_eq!(arrays["bf16"], expected()["f16"]);
    assert_eq!(arrays.len(), expected().len() + 1);
    assert_eq!(metadata["format"], "np");
    assert_eq!(metadata["note"], "ä \"quoted\"");
}

#[test]
fn the_safetensors_crate_reads_what_we_write() {
    let metadata = [("note".to_string(), "ä".to_string())].into();
    let bytes = safetensors::to_bytes(&expected(), &metadata).unwrap();
    let theirs = ::safetensors::SafeTensors::deserialize(&bytes).unwrap();
    for (name, array) in expected().iter() {
        assert_eq!(theirs.tensor(name).unwrap().shape(), array.shape());
    }
    let values: Vec<f64> = expected()["f64"].to_f64().into_iter().collect();
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    assert_eq!(theirs.tensor("f64").unwrap().data(), bytes);
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let limits = Limits::default();

    npz::write(&file, &expected()).unwrap();
    assert_eq!(npz::read(&file, &limits).unwrap(), expected());
    npz::write_compressed(&file, &expected()).unwrap();
    assert_eq!(npz::read(&file, &limits).unwrap(), expected());

    let metadata = [("a".to_string(), "1".to_string()), ("b".to_string(), "2".to_string())].into();
    safetensors::write(&file, &expected(), &metadata).unwrap();
    let (arrays, read) = safetensors::read(&file, &limits).unwrap();
    assert_eq!(read, metadata);
    assert_eq!(arrays.len(), expected().len());
    for (name, array) in expected().iter() {
        assert_eq!(&arrays[name], array, "{name}");
    }
    let widths: Vec<usize> = arrays.iter().map(|(_, array)| array.dtype().size()).collect();
    assert!(widths.is_sorted_by(|a, b| a >= b), "wider elements come first, so that all are aligned");
    assert_eq!(std::fs::read(&file).unwrap(), safetensors::to_bytes(&expected(), &metadata).unwrap());
}

#[test]
fn views_in_other_layouts_are_written_row_by_row() {
    let transposed = arr2(&[[1i32, 2], [3, 4], [5, 6]]).reversed_axes();
    let arrays = Arrays::from_iter([("t", transposed)]);
    let bytes = safetensors::to_bytes(&arrays, &Default::default()).unwrap();
    let (read, _) = safetensors::from_bytes(&bytes, &Limits::default()).unwrap();
    assert_eq!(read["t"].to_i64().unwrap(), [1, 3, 5, 2, 4, 6]);
}

#[test]
fn headers_of_very_many_axes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep.npy");
    let deep = ArrayD::<u8>::zeros(vec![1; 40_000]);
    npy::write(&file, &deep.clone().into()).unwrap();
    assert_eq!(std::fs::read(&file).unwrap()[6], 2, "too long for version 1");
    let limits = Limits { max_rank: 50_000, ..Limits::default() };
    assert_eq!(npy::read(&file, &limits).unwrap(), AnyArray::from(deep));
}

#[test]
fn conversions() {
    fn all<D: Dimension>(array: Array<i64, D>) -> [AnyArray; 11] {
        [
            array.mapv(|v| v as f64).into(),
            array.mapv(|v| v as f32).into(),
            array.clone().into(),
            array.mapv(|v| v as i32).into(),
            array.mapv(|v| v as i16).into(),
            array.mapv(|v| v as i8).into(),
            array.mapv(|v| v as u64).into(),
            array.mapv(|v| v as u32).into(),
            array.mapv(|v| v as u16).into(),
            array.mapv(|v| v as u8).into(),
            array.mapv(|v| v != 0).into(),
        ]
    }
    let bits = arr2(&[[1i64, 0], [0, 1]]);
    for array in all(bits.clone()) {
        assert_eq!(array.to_f32(), bits.mapv(|v| v as f32).into_dyn());
        assert_eq!(array.to_f64(), bits.mapv(|v| v as f64).into_dyn());
        assert_eq!(array.clone().into_f32(), array.to_f32());
        assert_eq!(array.clone().into_f64(), array.to_f64());
        let float = matches!(array.dtype(), Dtype::F32 | Dtype::F64);
        assert_eq!(array.to_indices(), (!float).then_some(vec![1, 0, 0, 1]));
    }
    assert_eq!(AnyArray::from(arr0(-1i8)).to_indices(), None);
    assert_eq!(AnyArray::from(arr0(u64::MAX)).to_i64(), None);
}

#[test]
fn arrays_that_are_not_asked_for_may_be_anything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.npz");
    let mut arrays = Arrays::new();
    arrays.push("names", arr0(f32::from_le_bytes(*b"Anna")));
    arrays.push("ages", arr0(37i64));
    npz::write(&path, &arrays).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let place = bytes.windows(4).position(|part| part == b"Anna").unwrap();
    bytes[place] = b'H';
    std::fs::write(&path, bytes).unwrap();
    let limits = Limits::default();
    assert!(matches!(npz::read(&path, &limits).unwrap_err().problem, Problem::Checksum { .. }));
    let read = npz::read_named(&path, &["ages"], &limits).unwrap();
    assert_eq!((read.len(), read["ages"].to_i64()), (1, Some(vec![37])));
    let error = npz::read_named(&path, &["ages", "sizes"], &limits).unwrap_err();
    assert!(
        error.to_string().ends_with("data.npz: sizes: there is no such array among names, ages"),
        "{error}"
    );
}
