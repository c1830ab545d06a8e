//! Files of PyTorch (`tests/golden/make.py`), and pickles that want more than tensors in containers.

use archive::archive;
use ndarray::{Array2, arr0, arr1, arr2};
use striate_formats::{Arrays, FormatError, Limits, Problem, npz, pth};

#[path = "../fuzz/archive.rs"]
mod archive;

fn golden(name: &str) -> String {
    format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> Result<Arrays, FormatError> {
    pth::read(golden(name), &Limits::default())
}

#[test]
fn tensors_of_every_type() {
    let arrays = read("tensors.pth").unwrap();
    let same = npz::read(golden("stored.npz"), &Limits::default()).unwrap();
    let names: Vec<&str> = arrays.names().collect();
    let expected = ["f64", "f32", "f16", "i64", "i32", "i16", "i8", "u8", "bool", "scalar", "empty", "bf16"];
    assert_eq!(names, expected);
    for name in &names[..names.len() - 1] {
        assert_eq!(arrays[*name], same[*name], "{name}");
    }
    assert_eq!(arrays["bf16"], same["f16"], "quarters, which both types hold exactly");
}

#[test]
fn a_checkpoint_with_everything_in_it() {
    for file in ["checkpoint.pt", "protocol4.pt"] {
        let arrays = read(file).unwrap();
        assert_eq!(arrays["model.0.weight"], arr2(&[[0.0f32, 1.0, 2.0], [3.0, 4.0, 5.0]]).into());
        assert_eq!(arrays["model.0.bias"], arr1(&[10.0f32, 11.0]).into());
        assert_eq!(arrays["model.1.num_batches_tracked"], arr0(1i64).into());
        assert_eq!(arrays["parameter"].shape(), [3, 4]);
        assert_eq!(arrays["5"], Array2::<f32>::zeros((0, 3)).into());
        let whole = Array2::from_shape_fn((3, 4), |(i, j)| (4 * i + j) as f32);
        assert_eq!(arrays["views.0"], whole.t().to_owned().into(), "a transpose");
        assert_eq!(arrays["views.1"], arr1(&[6.0f32, 10.0]).into(), "a column");
        assert_eq!(arrays["views.2"], arr2(&[[0.0f32, 1.0, 2.0, 3.0], [8.0, 9.0, 10.0, 11.0]]).into());
        assert_eq!(arrays["views.3"], Array2::<f32>::ones((2, 3)).into(), "one element, repeated");
        assert!(arrays.get("epoch").is_none() && arrays.get("note").is_none());
    }
}

#[test]
fn what_could_run_code_is_named() {
    let error = read("module.pt").unwrap_err().to_string();
    let named = "data.pkl: holds pickled Python objects (torch.nn.modules.container.Sequential)";
    assert!(error.contains(named), "{error}");
    let error = read("old.pth").unwrap_err().to_string();
    assert!(
        error.contains("PyTorch before 1.6 (save it again with a later one) is not supported"),
        "{error}"
    );
}

/// What a pickle beside 16 bytes of storage `0` gives.
fn pickled(pickle: &[u8]) -> Result<Arrays, Problem> {
    let file = archive(&[("a/data.pkl", pickle), ("a/byteorder", b"little"), ("a/data/0", &[0; 16])]);
    pth::from_bytes(&file, &Limits::default()).map_err(|error| error.problem)
}

/// Instructions that leave a tensor of four floats in storage `key` on the stack, with integers for offset and sizes.
fn tensor(key: &str, offset: i32, shape: &[i32], strides: &[i32]) -> Vec<u8> {
    let mut p =
        b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX".to_vec();
    p.extend((key.len() as u32).to_le_bytes().iter().chain(key.as_bytes()));
    p.extend(b"X\x03\x00\x00\x00cpuK\x04tQJ");
    p.extend(offset.to_le_bytes());
    for sizes in [shape, strides] {
        p.push(b'(');
        sizes.iter().for_each(|size| p.extend(b"J".iter().chain(&size.to_le_bytes())));
        p.push(b't');
    }
    p.extend(b"\x89NtR");
    p
}

fn whole(inner: &[u8]) -> Vec<u8> {
    [b"\x80\x02", inner, b"."].concat()
}

#[test]
fn a_tensor_alone_and_its_wrong_windows() {
    let outcome = |tensor: Vec<u8>| pickled(&whole(&[b"]".as_slice(), &tensor, b"a"].concat()));
    assert_eq!(outcome(tensor("0", 0, &[2, 2], &[2, 1])).unwrap()["0"], Array2::<f32>::zeros((2, 2)).into());
    assert_eq!(outcome(tensor("0", 3, &[], &[])).unwrap()["0"], arr0(0f32).into());
    let alone = pickled(&whole(&tensor("0", 0, &[4], &[1]))).unwrap();
    assert_eq!(alone[""], arr1(&[0f32; 4]).into(), "a tensor alone");
    for (offset, shape, strides) in [
        (0, &[5][..], &[1][..]),
        (4, &[1], &[1]),
        (1, &[2, 2], &[2, 1]),
        (0, &[2], &[4]),
        (0, &[2], &[i32::MAX]),
        (0, &[2], &[]),
        (0, &[i32::MAX, i32::MAX], &[i32::MAX, i32::MAX]),
    ] {
        let problem = outcome(tensor("0", offset, shape, strides)).unwrap_err();
        assert!(
            matches!(problem, Problem::Truncated { .. } | Problem::Limit { .. } | Problem::Overflow { .. }),
            "{offset} {shape:?} {strides:?}: {problem}"
        );
    }
    let negative = outcome(tensor("0", -1, &[1], &[1])).unwrap_err().to_string();
    assert!(negative.contains("size -1"), "{negative}");
    let absent = outcome(tensor("7", 0, &[4], &[1])).unwrap_err().to_string();
    assert_eq!(absent, "storage: expected an entry of the archive, found 7");
    let repeated = outcome(tensor("0", 0, &[1 << 30], &[0])).unwrap_err();
    assert!(matches!(repeated, Problem::Limit { what: "bytes of all arrays", .. }), "{repeated}");
}

#[test]
fn nothing_is_called() {
    let system = pickled(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.").unwrap_err();
    assert!(matches!(&system, Problem::Pickle(name) if name == "os.system"), "{system}");
    let stacked = pickled(b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.").unwrap_err();
    assert!(matches!(&stacked, Problem::Pickle(name) if name == "builtins.eval"), "{stacked}");
    let instance = pickled(b"\x80\x02(ios\nsystem\n.").unwrap_err().to_string();
    assert!(instance.contains("instruction 0x69"), "{instance}");
    let wrong = pickled(b"\x80\x02ccollections\nOrderedDict\nK\x01\x85R.").unwrap_err().to_string();
    assert!(wrong.contains("OrderedDict called with 1 arguments"), "{wrong}");
}

#[test]
fn broken_pickles() {
    for (pickle, says) in [
        (&b"\x80\x02"[..], "pickle needs 3 bytes, the file has 2"),
        (b"\x80\x02.", "an instruction without its operand"),
        (b"\x80\x02(K\x01.(.", "instruction"),
        (b"\x80\x02t.", "an instruction without its mark"),
        (b"\x80\x02h\x05.", "a reference to nothing"),
        (b"\x80\x02K\x01K\x02a.", "items appended to Int(1)"),
        (b"\x80\x02}(K\x01u.", "items set in Dict"),
        (b"\x80\x02X\xff\xff\xff\xff.", "pickle needs"),
        (b"\x80\x02\x8a\xff.", "an integer of more than 64 bits"),
        (b"\x80\x02X\x01\x00\x00\x00\xff.", "text that is not UTF-8"),
        (b"\x80\x02ccollections", "a name without end"),
        (b"\x80\x02K\x01Q.", "Int(1) where a tuple belongs"),
    ] {
        match pickled(pickle) {
            Err(problem) => assert!(problem.to_string().contains(says), "{pickle:02x?}: {problem}"),
            Ok(_) => assert_eq!(says, "instruction", "{pickle:02x?} is one"),
        }
    }
}

#[test]
fn containers_that_hold_themselves_or_double_end() {
    let cycle = pickled(b"\x80\x02]q\x00h\x00a.").unwrap_err();
    assert!(matches!(cycle, Problem::Limit { what: "nested containers", limit: 64, .. }), "{cycle}");
    let mut doubling = b"\x80\x02]q\x00".to_vec();
    for i in 0..60u8 {
        doubling.extend([b']', b'q', i + 1, b'h', i, b'a', b'h', i, b'a']);
    }
    doubling.push(b'.');
    let doubling = pickled(&doubling).unwrap_err();
    assert!(matches!(doubling, Problem::Limit { what: "bytes of names", .. }), "{doubling}");
    let again = pickled(&[b"\x80\x02Nq\x000](".as_slice(), &b"h\x00".repeat(1 << 19), b"e."].concat());
    let again = again.unwrap_err();
    assert!(matches!(again, Problem::Limit { what: "objects of the pickle", .. }), "{again}");
    let key = [b"X".as_slice(), &(1u32 << 20).to_le_bytes(), &vec![b'k'; 1 << 20]].concat();
    let named = pickled(&[b"\x80\x02}".as_slice(), &key, b"](", &b"N".repeat(1 << 16), b"es."].concat());
    let named = named.unwrap_err();
    assert!(matches!(named, Problem::Limit { what: "bytes of names", .. }), "{named}");
    let many = pickled(&[b"\x80\x02(".as_slice(), &vec![b'N'; 2 << 20], b"t."].concat()).unwrap_err();
    assert!(matches!(many, Problem::Limit { what: "objects of the pickle", .. }), "{many}");
}

#[test]
fn archives_without_a_pickle_and_of_another_byte_order() {
    let problem = |file: &[u8]| pth::from_bytes(file, &Limits::default()).unwrap_err().to_string();
    let absent = problem(&archive(&[("a/data/0", &[])]));
    assert_eq!(absent, "<memory>: data.pkl: entry: expected the pickle, found an archive without it");
    let big = problem(&archive(&[("a/data.pkl", b"\x80\x02}."), ("a/byteorder", b"big")]));
    assert_eq!(big, "<memory>: byteorder: byte order big is not supported");
    assert!(problem(b"nothing of the kind").contains("expected a ZIP file"));
}
