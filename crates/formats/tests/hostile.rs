//! Files of many megabytes that are made to take many times their length: each is refused, or read within bounds.

use std::sync::{Mutex, MutexGuard, PoisonError};

use archive::archive;
use memory::bounded;
use ndarray::Array1;
use striate_formats::{Arrays, Limits, Problem, npy, npz, pth, safetensors};

#[path = "../fuzz/archive.rs"]
mod archive;
#[path = "../fuzz/memory.rs"]
mod memory;

const MANY: usize = 16 << 20;

fn npy_file(header: &[u8], data: &[u8]) -> Vec<u8> {
    let length = (header.len() as u32).to_le_bytes();
    [b"\x93NUMPY\x02\x00", &length[..], header, data].concat()
}

fn npy_problem(file: &[u8]) -> Problem {
    bounded(file, || npy::from_bytes(file, &Limits::default())).unwrap_err().problem
}

/// Files are large: one test at a time, so that what others take is not counted.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn npy_headers() {
    let _alone = alone();
    let axes = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({})}}", "1,".repeat(MANY));
    let axes = npy_problem(&npy_file(axes.as_bytes(), &[1]));
    assert!(matches!(axes, Problem::Limit { what: "axes", limit: 32, found: 33 }), "{axes}");
    let text = npy_problem(&npy_file(&vec![0xff; 2 * MANY], &[]));
    assert!(matches!(text, Problem::Header { expected: "text", .. }), "{text}");
    let open = npy_problem(&npy_file(&[b"{'".as_slice(), &vec![b'{'; 2 * MANY]].concat(), &[]));
    assert!(matches!(open, Problem::Header { .. }), "{open}");
}

#[test]
fn npy_layouts() {
    let _alone = alone();
    let header = format!("{{'descr': '>f2', 'fortran_order': True, 'shape': ({}, 2)}}", MANY);
    let file = npy_file(header.as_bytes(), &vec![0x3c; 4 * MANY]);
    let array = bounded(&file, || npy::from_bytes(&file, &Limits::default())).unwrap();
    assert_eq!(array.shape(), [MANY, 2]);
}

#[test]
fn safetensors_headers() {
    let _alone = alone();
    let problem = |header: &str| {
        let file = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
        bounded(&file, || safetensors::from_bytes(&file, &Limits::default())).unwrap_err().problem
    };
    let shape = |axes: usize| {
        format!("{{\"w\":{{\"dtype\":\"U8\",\"shape\":[{}1],\"data_offsets\":[0,1]}}}}", "1,".repeat(axes))
    };
    let axes = problem(&shape(3 << 20));
    assert!(matches!(axes, Problem::Limit { what: "axes", limit: 32, .. }), "{axes}");
    let long = problem(&shape(MANY));
    assert!(matches!(long, Problem::Limit { what: "bytes of the header", limit: 7_077_888, .. }), "{long}");
    let empty = |i: usize| format!("\"{i}\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}");
    let many: Vec<String> = (0..100_000).map(empty).collect();
    let many = problem(&format!("{{{}}}", many.join(",")));
    assert!(matches!(many, Problem::Limit { what: "arrays", found: 100_000, .. }), "{many}");
    let deep = problem(&format!("{{\"w\":{}", "[".repeat(MANY / 4)));
    assert!(matches!(deep, Problem::Header { .. }), "{deep}");
    let deep = problem(&"{\"a\":".repeat(1 << 20));
    assert!(matches!(deep, Problem::Header { .. }), "{deep}");
}

fn pickled(pickle: &[u8]) -> Result<Arrays, Problem> {
    let file = archive(&[("a/data.pkl", pickle), ("a/data/0", &[0; 16])]);
    bounded(&file, || pth::from_bytes(&file, &Limits::default())).map_err(|error| error.problem)
}

#[test]
fn pickles_of_many_objects() {
    let _alone = alone();
    for instructions in
        [&b"N"[..], b"N\x94", b"N\x85", b"]", b"]Na", b"(t", b"N\x94N\x85a", b"h\x00", b"h\x00\x94"]
    {
        let pickle = [b"\x80\x02]q\x00".as_slice(), &instructions.repeat(3 << 20), b"."].concat();
        assert!(pickled(&pickle).is_err(), "{}", instructions.escape_ascii());
    }
    let listed = [b"\x80\x02]q\x00(".as_slice(), &b"K\x01".repeat(500_000), b"e."].concat();
    assert_eq!(pickled(&listed).unwrap().len(), 0);
    let deep = [b"\x80\x02".as_slice(), &b"]".repeat(500_000), &b"a".repeat(499_999), b"."].concat();
    let deep = pickled(&deep).unwrap_err();
    assert!(matches!(deep, Problem::Limit { what: "nested containers", .. }), "{deep}");
}

#[test]
fn pickles_that_copy_what_is_long() {
    let _alone = alone();
    // A shape of a hundred thousand axes, in ten thousand tensors.
    let mut shape = b"\x80\x02(".to_vec();
    shape.extend(b"K\x01".repeat(100_000));
    shape.extend(b"tq\x00ctorch\nSize\nq\x01");
    let sizes = [&shape[..], &b"h\x01h\x00\x85R".repeat(50_000), b"."].concat();
    assert_eq!(pickled(&sizes).unwrap().len(), 0);
    let storage = b"((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQq\x030";
    let names = b"ctorch._utils\n_rebuild_tensor_v2\nq\x020";
    let tensors = b"h\x02(h\x03K\x00h\x00h\x00tR".repeat(10_000);
    let axes = pickled(&[&shape[..], names, storage, &tensors, b"."].concat()).unwrap_err();
    assert!(matches!(axes, Problem::Limit { what: "axes", limit: 64, .. }), "{axes}");
    // A key of a mebibyte, in a hundred thousand storages.
    let mut keys =
        b"\x80\x02X\x07\x00\x00\x00storageq\x00ctorch\nFloatStorage\nq\x01X\x00\x00\x10\x00".to_vec();
    keys.extend(vec![b'k'; 1 << 20]);
    keys.extend(b"q\x02");
    keys.extend(b"(h\x00h\x01h\x02NK\x04tQ".repeat(70_000));
    keys.push(b'.');
    assert_eq!(pickled(&keys).unwrap().len(), 0);
}

#[test]
fn pickles_whose_errors_are_long() {
    let _alone = alone();
    let text = [b"X".as_slice(), &(MANY as u32).to_le_bytes(), &vec![1; MANY]].concat();
    for end in [&b"Na."[..], b"(u.", b"R.", b"Q."] {
        let error = pickled(&[b"\x80\x02N", &text[..], end].concat()).unwrap_err().to_string();
        assert!(error.len() < 300, "{error}");
    }
    let name = pickled(&[b"\x80\x02c".as_slice(), &vec![0xff; 2 * MANY], b"\nx\n."].concat()).unwrap_err();
    assert!(name.to_string().contains("a name without end"), "{name}");
}

#[test]
fn compressed_archives_of_pytorch() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bomb.npz");
    npz::write_compressed(&file, &Arrays::from_iter([("data.pkl", Array1::<u8>::zeros(256 << 20))])).unwrap();
    let mut bytes = std::fs::read(file).unwrap();
    for at in 0..bytes.len() - 12 {
        if &bytes[at..at + 12] == b"data.pkl.npy" {
            bytes[at..at + 12].copy_from_slice(b"archdata.pkl");
        }
    }
    let error = bounded(&bytes, || pth::from_bytes(&bytes, &Limits::default())).unwrap_err();
    assert!(matches!(error.problem, Problem::Unsupported { what: "compression", .. }), "{error}");
}
