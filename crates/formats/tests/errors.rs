//! Every way in which a file can be wrong, and the error that says so.

use std::path::Path;

use ndarray::{Array1, arr1};
use striate_formats::{Arrays, Dtype, FormatError, Limits, Problem, npy, npz, safetensors};

fn limits() -> Limits {
    Limits::default()
}

fn npy_bytes(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn npy_problem(header: &str, data: &[u8]) -> Problem {
    npy::from_bytes(&npy_bytes(header, data), &limits()).unwrap_err().problem
}

fn f4(shape: &str) -> String {
    format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}")
}

#[test]
fn npy_sizes() {
    let problem = npy_problem(&f4("(3,)"), &[0; 11]);
    assert!(matches!(problem, Problem::Size { expected: 12, found: 11, .. }), "{problem}");
    assert!(matches!(npy_problem(&f4("(3,)"), &[0; 13]), Problem::Size { expected: 12, found: 13, .. }));
    let huge = npy_problem(&f4("(4294967296, 4294967296)"), &[0; 12]);
    assert!(matches!(huge, Problem::Overflow { dtype: Dtype::F32, .. }), "{huge}");
    let hidden = npy_problem(&f4("(0, 4294967296, 4294967296, 4294967296)"), &[]);
    assert!(matches!(hidden, Problem::Overflow { .. }), "an empty axis hides no overflow: {hidden}");
    let many = npy_problem(&f4("(4611686018427387904,)"), &[0; 12]);
    assert!(matches!(many, Problem::Overflow { .. }), "{many}");
    let large = npy_problem(&f4("(1073741825,)"), &[0; 12]);
    assert!(matches!(large, Problem::Limit { what: "bytes of all arrays", .. }), "{large}");
    let deep = npy_problem(&f4(&format!("({})", "1,".repeat(33))), &[0; 4]);
    assert!(matches!(deep, Problem::Limit { what: "axes", limit: 32, found: 33 }), "{deep}");
}

#[test]
fn npy_starts() {
    let problem = |bytes: &[u8]| npy::from_bytes(bytes, &limits()).unwrap_err().problem;
    assert!(matches!(problem(b""), Problem::Magic { .. }));
    assert!(matches!(problem(b"PK\x03\x04....."), Problem::Magic { .. }));
    assert!(matches!(problem(b"\x93NUMPY"), Problem::Truncated { field: "NPY version", .. }));
    assert!(matches!(problem(b"\x93NUMPY\x01\x00"), Problem::Truncated { field: "NPY header length", .. }));
    assert!(matches!(
        problem(b"\x93NUMPY\x02\x00\x01\x00"),
        Problem::Truncated { field: "NPY header length", .. }
    ));
    let long = problem(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}");
    assert!(
        matches!(long, Problem::Truncated { field: "NPY header", needs: 4_294_967_307, has: 14 }),
        "{long}"
    );
    assert!(matches!(
        problem(b"\x93NUMPY\x09\x00\x01\x00{"),
        Problem::Unsupported { what: "NPY version", .. }
    ));
    assert!(matches!(problem(b"\x93NUMPY\x01\x00\x01\x00\xff"), Problem::Header { expected: "text", .. }));
}

/// One entry `a.npy` of 131 bytes, stored: local header 0, name 30, data 35, directory 166, end 217.
fn stored() -> Vec<u8> {
    archive(&Arrays::from_iter([("a", arr1(&[1u8, 2, 3]))]), false)
}

fn archive(arrays: &Arrays, compress: bool) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.npz");
    let write = if compress { npz::write_compressed } else { npz::write };
    write(&file, arrays).unwrap();
    std::fs::read(file).unwrap()
}

/// The problem after some bytes of a file were replaced.
fn edited(mut bytes: Vec<u8>, edits: &[(usize, &[u8])]) -> FormatError {
    for (at, new) in edits {
        bytes[*at..at + new.len()].copy_from_slice(new);
    }
    npz::from_bytes(&bytes, &limits()).unwrap_err()
}

#[test]
fn zip_structure() {
    assert_eq!(stored().len(), 217 + 22, "the offsets below");
    let problem = |edits: &[(usize, &[u8])]| edited(stored(), edits).problem;
    assert!(matches!(problem(&[(0, b"XX")]), Problem::Magic { expected: "a ZIP file (PK 03 04)", .. }));
    assert!(matches!(problem(&[(166, b"XX")]), Problem::Magic { .. }), "directory entry");
    assert!(matches!(problem(&[(217, b"XX")]), Problem::Truncated { field: "end-of-directory record", .. }));
    assert!(matches!(problem(&[(166 + 42, &[1])]), Problem::Magic { .. }), "local header elsewhere");
    assert!(matches!(problem(&[(166 + 42, &[160])]), Problem::Truncated { field: "local header", .. }));
    assert!(matches!(problem(&[(166 + 28, &[200])]), Problem::Truncated { field: "directory entry", .. }));
    assert!(matches!(problem(&[(30, b"b")]), Problem::Header { field: "local name", .. }));
    assert!(
        matches!(problem(&[(166 + 8, &[1])]), Problem::Unsupported { what: "ZIP variant", .. }),
        "encrypted"
    );
    assert!(matches!(problem(&[(166 + 10, &[12])]), Problem::Unsupported { what: "compression method", .. }));
    assert!(
        matches!(problem(&[(166 + 20, &[255; 4])]), Problem::Unsupported { what: "ZIP variant", .. }),
        "zip64"
    );
    assert!(
        matches!(problem(&[(217 + 16, &[255; 4])]), Problem::Unsupported { what: "ZIP variant", .. }),
        "zip64"
    );
    assert!(matches!(problem(&[(217 + 4, &[1])]), Problem::Unsupported { what: "ZIP variant", .. }), "disks");
    assert!(
        matches!(problem(&[(217 + 16, &[0])]), Problem::Offset { expected: 217, .. }),
        "directory elsewhere"
    );
    assert!(matches!(problem(&[(217 + 8, &[2, 0, 2])]), Problem::Truncated { field: "directory entry", .. }));
    assert!(matches!(problem(&[(217 + 8, &[0, 0, 0])]), Problem::Trailing { .. }), "entries not counted");
    let longer = [(166 + 20, &[140u8][..]), (166 + 24, &[140])];
    assert!(matches!(problem(&longer), Problem::Truncated { field: "entry", .. }), "into the directory");
    assert!(matches!(problem(&[(35 + 129, &[9])]), Problem::Checksum { .. }));
    assert!(matches!(edited(stored()[..200].to_vec(), &[]).problem, Problem::Truncated { .. }));
    assert!(matches!(edited(Vec::new(), &[]).problem, Problem::Magic { .. }));
}

#[test]
fn an_error_names_file_and_entry() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weights.npz");
    let mut bytes = stored();
    bytes[35 + 129] = 9;
    std::fs::write(&file, bytes).unwrap();
    let error = npz::read(&file, &limits()).unwrap_err();
    assert_eq!((error.file.as_path(), error.entry.as_str()), (file.as_path(), "a.npy"));
    let text = error.to_string();
    assert!(text.contains("weights.npz: a.npy: checksum is"), "{text}");
    let missing = npz::read(folder.path().join("none"), &limits()).unwrap_err();
    assert!(matches!(missing.problem, Problem::Io(_)));
}

#[test]
fn zip_entries_that_share_names_or_bytes() {
    let two = archive(&Arrays::from_iter([("a", arr1(&[1u8])), ("b", arr1(&[2u8]))]), false);
    let (second, directory) = (30 + 5 + 129, 2 * (30 + 5 + 129));
    let same = edited(two.clone(), &[(second + 30, b"a"), (directory + 51 + 46, b"a")]);
    assert!(matches!(same.problem, Problem::Duplicate), "{same}");
    assert_eq!(same.entry, "a.npy");
    let overlap =
        edited(two, &[(directory + 51 + 42, &[0, 0]), (directory + 51 + 46, b"a"), (directory + 46, b"a")]);
    assert!(matches!(overlap.problem, Problem::Duplicate | Problem::Offset { .. }), "{overlap}");

    // Different bytes, neither of them text, give one name.
    let two = archive(&Arrays::from_iter([("a", arr1(&[1u8])), ("b", arr1(&[2u8]))]), false);
    let edits =
        [(30, [0xfe]), (directory + 46, [0xfe]), (second + 30, [0xff]), (directory + 51 + 46, [0xff])];
    let same = edited(two, &edits.each_ref().map(|(at, byte)| (*at, &byte[..])));
    assert!(matches!(same.problem, Problem::Duplicate), "{same}");

    // The first entry's bytes reach into the second one.
    let three = archive(&Arrays::from_iter([("a", arr1(&[1u8])), ("b", arr1(&[2u8]))]), false);
    let longer = edited(three, &[(directory + 20, &[140]), (directory + 24, &[140])]);
    assert!(matches!(longer.problem, Problem::Offset { found, .. } if found == second as u64), "{longer}");
}

#[test]
fn zip_bombs() {
    let zeros = archive(&Arrays::from_iter([("a", Array1::<u8>::zeros(1 << 20))]), true);
    assert!(zeros.len() < 2000);
    let directory = zeros.len() - 22 - 51;
    let honest = Limits { max_bytes: 100_000, ..limits() };
    let error = npz::from_bytes(&zeros, &honest).unwrap_err().problem;
    assert!(matches!(error, Problem::Limit { limit: 100_000, .. }), "{error}");
    // It says that it is small, and goes on.
    let error = edited(zeros.clone(), &[(directory + 24, &[200, 0, 0, 0])]).problem;
    assert!(matches!(error, Problem::Trailing { expected: 200, found: 201 }), "{error}");
    // It says that it is larger than deflate can make it.
    let error = edited(zeros.clone(), &[(directory + 24, &[0, 0, 0, 0x7f])]).problem;
    assert!(matches!(error, Problem::Limit { what: "uncompressed bytes of the entry", .. }), "{error}");
    let error = edited(zeros.clone(), &[(directory + 24, &[1, 1, 16, 0])]).problem;
    assert!(matches!(error, Problem::Truncated { field: "entry", .. }), "{error}");
    let error = edited(zeros, &[(35, &[255; 8])]).problem;
    assert!(matches!(error, Problem::Inflate(_)), "{error}");
}

#[test]
fn limits_of_archives() {
    let three =
        Arrays::from_iter([("a", arr1(&[0f32; 10])), ("b", arr1(&[0f32; 10])), ("c", arr1(&[0f32; 10]))]);
    let bytes = archive(&three, false);
    let problem = |limits| npz::from_bytes(&bytes, &limits).unwrap_err().problem;
    assert!(matches!(
        problem(Limits { max_arrays: 2, ..limits() }),
        Problem::Limit { what: "arrays", found: 3, .. }
    ));
    assert!(matches!(problem(Limits { max_rank: 0, ..limits() }), Problem::Limit { what: "axes", .. }));

    let bytes = safetensors::to_bytes(&three, &Default::default()).unwrap();
    let problem = |limits| safetensors::from_bytes(&bytes, &limits).unwrap_err().problem;
    let total = problem(Limits { max_bytes: 119, ..limits() });
    assert!(
        matches!(total, Problem::Limit { what: "bytes of all arrays", limit: 119, found: 120 }),
        "{total}"
    );
    assert!(matches!(problem(Limits { max_arrays: 2, ..limits() }), Problem::Limit { what: "arrays", .. }));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, &bytes).unwrap();
    let small = Limits { max_bytes: 100, ..limits() };
    for error in [npz::read(&file, &small).unwrap_err(), safetensors::read(&file, &small).unwrap_err()] {
        assert!(matches!(error.problem, Problem::Limit { what: "bytes of the file", .. }), "{error}");
    }
}

#[test]
fn entries_that_are_no_arrays() {
    let mut bytes = stored();
    for at in [30, 166 + 46] {
        bytes[at..at + 5].copy_from_slice(b"a.txt");
    }
    let error = npz::from_bytes(&bytes, &limits()).unwrap_err();
    assert!(matches!(error.problem, Problem::Unsupported { what: "entry without .npy:", .. }), "{error}");
}

fn tensors(header: &str, data: &[u8]) -> FormatError {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    safetensors::from_bytes(&bytes, &limits()).unwrap_err()
}

#[test]
fn safetensors_headers() {
    let problem = |bytes: &[u8]| safetensors::from_bytes(bytes, &limits()).unwrap_err().problem;
    assert!(matches!(problem(b"short"), Problem::Truncated { field: "header length", needs: 8, has: 5 }));
    assert!(matches!(problem(&[255; 16]), Problem::Limit { what: "bytes of the header", .. }));
    assert!(matches!(problem(&[9, 0, 0, 0, 0, 0, 0, 0, b'{']), Problem::Truncated { field: "header", .. }));
    for header in ["", "[]", "{", "{\"a\": 3}", "{\"__metadata__\": {\"a\": 1}}", "{} x"] {
        let error = tensors(header, &[]);
        assert!(matches!(error.problem, Problem::Header { .. }), "{header}: {error}");
    }
    let twice = tensors("{\"__metadata__\": {}, \"__metadata__\": {}}", &[]);
    assert!(twice.to_string().contains("duplicate field `__metadata__`"), "{twice}");
    let negative = tensors("{\"w\": {\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", &[0; 4]);
    assert!(negative.to_string().contains("\"w\""), "{negative}");
    let unknown = tensors("{\"w\": {\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", &[0; 4]);
    assert!(unknown.to_string().contains("F33"), "{unknown}");
}

#[test]
fn safetensors_sizes() {
    let one = |dtype: &str, shape: &str, offsets: &str, data: usize| {
        let entry =
            format!("{{\"w\":{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":{offsets}}}}}");
        let error = tensors(&entry, &vec![0; data]);
        assert_eq!(error.file, Path::new("<memory>"));
        error.problem
    };
    assert!(matches!(one("F32", "[2]", "[0,4]", 4), Problem::Size { expected: 8, found: 4, .. }));
    assert!(matches!(one("F32", "[2]", "[8,0]", 8), Problem::Offset { expected: 0, found: 8 }));
    assert!(matches!(one("F32", "[2]", "[0,8]", 4), Problem::Truncated { field: "data", needs: 8, has: 4 }));
    assert!(matches!(one("F32", "[2]", "[0,8]", 9), Problem::Trailing { .. }));
    assert!(matches!(one("F32", "[2]", "[4,12]", 12), Problem::Offset { expected: 0, found: 4 }));
    assert!(matches!(one("F8_E4M3", "[2]", "[0,2]", 2), Problem::Unsupported { what: "dtype", .. }));
    assert!(matches!(one("F32", "[4294967296,4294967296]", "[0,8]", 8), Problem::Overflow { .. }));
    assert!(matches!(one("F32", "[1000000]", "[0,4000000]", 8), Problem::Truncated { field: "data", .. }));
}

#[test]
fn safetensors_overlaps_holes_and_duplicates() {
    let entry = |name: &str, begin: usize| {
        format!("\"{name}\":{{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[{begin},{}]}}", begin + 4)
    };
    let overlap = tensors(&format!("{{{},{}}}", entry("a", 0), entry("b", 2)), &[0; 6]);
    assert!(matches!(overlap.problem, Problem::Offset { expected: 4, found: 2 }), "{overlap}");
    assert_eq!(overlap.entry, "b");
    let hole = tensors(&format!("{{{},{}}}", entry("a", 0), entry("b", 6)), &[0; 10]);
    assert!(matches!(hole.problem, Problem::Offset { expected: 4, found: 6 }), "{hole}");
    let twice = tensors(&format!("{{{},{}}}", entry("a", 0), entry("a", 4)), &[0; 8]);
    assert!(matches!(twice.problem, Problem::Duplicate), "{twice}");

    let reserved = Arrays::from_iter([("__metadata__", arr1(&[1u8]))]);
    let error = safetensors::to_bytes(&reserved, &Default::default()).unwrap_err();
    assert!(matches!(error.problem, Problem::Duplicate), "{error}");
}

#[test]
#[should_panic(expected = "the name \"a\" is used twice")]
fn a_name_pushed_twice() {
    Arrays::from_iter([("a", arr1(&[1u8])), ("a", arr1(&[2u8]))]);
}
