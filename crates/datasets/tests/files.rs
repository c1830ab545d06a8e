//! Good files, and every way in which a file can be wrong.

use std::fs;
use std::io::Write;
use std::path::Path;

use ndarray::{Array3, Axis, arr0, arr1, arr2};
use striate_datasets::csv::{Column, CsvOptions};
use striate_datasets::{DatasetError, cifar, csv, idx, npz};
use striate_formats::{AnyArray, Arrays};
use tempfile::TempDir;

fn idx_bytes(kind: u8, shape: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, shape.len() as u8];
    shape.iter().for_each(|n| bytes.extend(n.to_be_bytes()));
    bytes.extend(data);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn idx_element_types() {
    let read = |kind, data: &[u8]| idx::from_bytes(&idx_bytes(kind, &[2], data)).unwrap();
    assert_eq!(read(0x08, &[1, 255]), AnyArray::from(arr1(&[1u8, 255])));
    assert_eq!(read(0x09, &[1, 255]), AnyArray::from(arr1(&[1i8, -1])));
    assert_eq!(read(0x0b, &[1, 2, 255, 254]), AnyArray::from(arr1(&[258i16, -2])));
    assert_eq!(read(0x0c, &[0, 0, 1, 2, 255, 255, 255, 254]), AnyArray::from(arr1(&[258i32, -2])));
    assert_eq!(read(0x0d, &[0x3f, 0xc0, 0, 0, 0xbf, 0x80, 0, 0]), AnyArray::from(arr1(&[1.5f32, -1.0])));
    let doubles = [1.5f64, -0.1].map(f64::to_be_bytes).concat();
    assert_eq!(read(0x0e, &doubles), AnyArray::from(arr1(&[1.5f64, -0.1])));
    assert_eq!(idx::from_bytes(&idx_bytes(8, &[], &[7])).unwrap(), AnyArray::from(arr0(7u8)));
    assert_eq!(idx::from_bytes(&gzip(&idx_bytes(8, &[2, 0], &[]))).unwrap().shape(), [2, 0]);
}

#[test]
fn idx_errors() {
    let error = |bytes: &[u8]| idx::from_bytes(bytes).unwrap_err();
    assert!(matches!(error(b""), DatasetError::Truncated { field: "magic number", needs: 4, has: 0, .. }));
    assert!(matches!(
        error(b"\x01\x00\x08\x01"),
        DatasetError::Field { offset: 0, field: "magic number", .. }
    ));
    assert!(matches!(
        error(b"\x00\x00\x07\x01"),
        DatasetError::Field { offset: 2, field: "element type", .. }
    ));
    assert!(matches!(
        error(b"\x00\x00\x08\x21"),
        DatasetError::Field { offset: 3, field: "number of axes", .. }
    ));
    let axes = error(&idx_bytes(8, &[1, 2], &[])[..9]);
    assert!(matches!(
        axes,
        DatasetError::Truncated { field: "lengths of the axes", offset: 4, needs: 8, has: 5, .. }
    ));
    let short = error(&idx_bytes(8, &[5], &[1, 2]));
    assert!(
        matches!(short, DatasetError::Truncated { field: "elements", offset: 8, needs: 5, has: 2, .. }),
        "{short}"
    );
    let long = error(&idx_bytes(8, &[2], &[1, 2, 3]));
    assert!(matches!(long, DatasetError::Trailing { end: 10, .. }), "{long}");
    let huge = error(&idx_bytes(8, &[u32::MAX; 32], &[1, 2]));
    assert!(matches!(huge, DatasetError::TooLarge { .. }), "{huge}");
    let hidden = error(&idx_bytes(8, &[0, u32::MAX, u32::MAX, u32::MAX], &[]));
    assert!(matches!(hidden, DatasetError::TooLarge { .. }), "an empty axis hides no overflow: {hidden}");
    // A megabyte of zeros behind a header that promises two bytes.
    let bomb = error(&gzip(&idx_bytes(8, &[2], &vec![0; 1 << 20])));
    assert!(matches!(bomb, DatasetError::Trailing { end: 10, .. }), "{bomb}");
    let mut broken = gzip(&idx_bytes(8, &[200], &[9; 200]));
    let middle = broken.len() / 2;
    broken[middle] ^= 0xff;
    assert!(matches!(error(&broken), DatasetError::Io { .. } | DatasetError::Truncated { .. }));
    assert!(matches!(idx::read("/nowhere/file"), Err(DatasetError::Io { .. })));
}

/// A small relative of MNIST; `edit` may change a file.
fn mnist(edit: impl Fn(&str, Vec<u8>) -> Option<(String, Vec<u8>)>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("train-images-idx3-ubyte", idx_bytes(8, &[3, 2, 2], &[0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8])),
        ("train-labels-idx1-ubyte", idx_bytes(8, &[3], &[2, 0, 1])),
        ("t10k-images-idx3-ubyte", idx_bytes(8, &[1, 2, 2], &[9, 9, 9, 9])),
        ("t10k-labels-idx1-ubyte", idx_bytes(8, &[1], &[1])),
    ];
    for (name, bytes) in files {
        if let Some((name, bytes)) = edit(name, bytes) {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
    }
    folder
}

#[test]
fn idx_folders_in_every_spelling() {
    for (separator, packed) in [("-idx", false), ("-idx", true), (".idx", false), (".idx", true)] {
        let folder = mnist(|name, bytes| {
            let name = name.replace("-idx", separator);
            Some(if packed { (name + ".gz", gzip(&bytes)) } else { (name, bytes) })
        });
        let split = idx::folder(folder.path()).unwrap();
        assert_eq!(split.train().images().shape(), [3, 1, 2, 2]);
        assert_eq!(split.train().features().row(0).to_vec(), [0.0, 0.2, 0.4, 1.0]);
        assert_eq!(split.train().labels(), [2, 0, 1]);
        assert_eq!(split.train().classes(), ["0", "1", "2"]);
        assert_eq!((split.test().labels(), split.test().classes().len()), (&[1][..], 3));
    }
}

#[test]
fn idx_folders_that_are_wrong() {
    let error =
        |name: &'static str, new: Option<Vec<u8>>| {
            let folder = mnist(|n, bytes| {
                if n == name { new.clone().map(|new| (n.into(), new)) } else { Some((n.into(), bytes)) }
            });
            idx::folder(folder.path()).unwrap_err()
        };
    let missing = error("train-labels-idx1-ubyte", None);
    assert!(matches!(missing, DatasetError::Missing { .. }));
    let text = missing.to_string();
    for name in [
        "train-labels-idx1-ubyte",
        "train-labels-idx1-ubyte.gz",
        "train-labels.idx1-ubyte",
        "train-labels.idx1-ubyte.gz",
    ] {
        assert!(text.contains(name), "{text}");
    }
    let counts = error("train-labels-idx1-ubyte", Some(idx_bytes(8, &[2], &[0, 1])));
    assert!(matches!(counts, DatasetError::Counts { samples: 3, labels: 2, .. }), "{counts}");
    assert!(counts.to_string().contains("train-labels-idx1-ubyte"));
    let label = error("t10k-labels-idx1-ubyte", Some(idx_bytes(8, &[1], &[3])));
    assert!(matches!(label, DatasetError::Label { sample: 0, label: 3, classes: 3, .. }), "{label}");
    let rank = error("train-images-idx3-ubyte", Some(idx_bytes(8, &[3], &[0, 1, 2])));
    assert!(matches!(rank, DatasetError::Shape { .. }), "{rank}");
    let kind = error("train-labels-idx1-ubyte", Some(idx_bytes(9, &[3], &[0, 1, 2])));
    assert!(matches!(kind, DatasetError::Shape { .. }), "{kind}");
    // As many pixels, of another shape.
    let size = error("t10k-images-idx3-ubyte", Some(idx_bytes(8, &[1, 1, 4], &[9, 9, 9, 9])));
    assert!(matches!(size, DatasetError::PictureSize { found: (4, 1), expected: (2, 2), .. }), "{size}");
    for name in ["t10k-images-idx3-ubyte", "train-images-idx3-ubyte"] {
        assert!(size.to_string().contains(name), "{size}");
    }
    for name in ["train-images-idx3-ubyte", "t10k-images-idx3-ubyte"] {
        for shape in [[0, 2, 2], [3, 0, 2], [1, 2, 0]] {
            let empty = error(name, Some(idx_bytes(8, &shape, &[])));
            let shape = shape.map(|n| n as usize);
            assert!(matches!(&empty, DatasetError::Shape { found, .. } if *found == shape), "{empty}");
            assert!(empty.to_string().contains(name), "{empty}");
        }
    }
}

fn cifar_record(labels: &[u8], first: u8) -> Vec<u8> {
    let mut record = labels.to_vec();
    record.extend((0..3072).map(|i| if i == 0 { first } else { (i / 1024) as u8 * 51 }));
    record
}

#[test]
fn cifar_10() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    for i in 1..=5 {
        write(&format!("data_batch_{i}.bin"), &[cifar_record(&[i], 255), cifar_record(&[9], 0)].concat());
    }
    assert!(matches!(cifar::cifar10(folder.path()), Err(DatasetError::Missing { .. })));
    write("test_batch.bin", &cifar_record(&[3], 0));
    let split = cifar::cifar10(folder.path()).unwrap();
    assert_eq!(split.train().images().shape(), [10, 3, 32, 32]);
    assert_eq!(split.train().labels(), [1, 9, 2, 9, 3, 9, 4, 9, 5, 9]);
    assert_eq!(split.train().images()[[0, 0, 0, 0]], 1.0);
    assert_eq!(split.train().images()[[0, 2, 31, 31]], 0.4, "channel by channel");
    assert_eq!(split.test().classes()[3], "cat");

    write("data_batch_2.bin", &cifar_record(&[10], 0));
    let label = cifar::cifar10(folder.path()).unwrap_err();
    assert!(
        matches!(&label, DatasetError::Label { file, sample: 0, label: 10, .. } if file.ends_with("data_batch_2.bin"))
    );
    write("data_batch_2.bin", &cifar_record(&[1], 0)[..3000]);
    let short = cifar::cifar10(folder.path()).unwrap_err();
    assert!(matches!(
        short,
        DatasetError::Truncated { field: "record", offset: 0, needs: 3073, has: 3000, .. }
    ));
    write("data_batch_2.bin", &[cifar_record(&[1], 0), vec![7]].concat());
    assert!(matches!(
        cifar::cifar10(folder.path()),
        Err(DatasetError::Truncated { offset: 3073, has: 1, .. })
    ));
    write("data_batch_2.bin", &[]);
    assert!(matches!(cifar::cifar10(folder.path()), Err(DatasetError::Truncated { has: 0, .. })));
}

#[test]
fn cifar_100() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("train.bin", &cifar_record(&[200, 99], 255));
    write("test.bin", &cifar_record(&[1, 0], 255));
    write("fine_label_names.txt", b"apple\n");
    assert!(matches!(cifar::cifar100(folder.path()), Err(DatasetError::Field { field: "names", .. })));
    let names: Vec<String> = (0..100).map(|i| format!("class{i}")).collect();
    write("fine_label_names.txt", names.join("\n").as_bytes());
    let split = cifar::cifar100(folder.path()).unwrap();
    assert_eq!((split.train().labels(), split.train().classes()[99].as_str()), (&[99][..], "class99"));
    assert_eq!(split.train().images()[[0, 0, 0, 0]], 1.0);
    write("test.bin", &cifar_record(&[1, 100], 255));
    assert!(matches!(
        cifar::cifar100(folder.path()),
        Err(DatasetError::Label { label: 100, classes: 100, .. })
    ));
}

#[test]
fn files_that_are_too_long_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let long = |name: &str| fs::File::create(folder.path().join(name)).unwrap().set_len(5 << 30).unwrap();
    long("table.csv");
    long("data_batch_1.bin");
    long("fine_label_names.txt");
    let table = csv::labelled(folder.path().join("table.csv"), &CsvOptions::default()).unwrap_err();
    assert!(matches!(table, DatasetError::TooLarge { .. }), "{table}");
    let records = cifar::cifar10(folder.path()).unwrap_err();
    assert!(matches!(records, DatasetError::TooLarge { .. }), "{records}");
    let names = cifar::cifar100(folder.path()).unwrap_err();
    assert!(matches!(names, DatasetError::TooLarge { .. }), "{names}");
}

fn with_file<T>(contents: &[u8], read: impl Fn(&Path) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("table.csv");
    fs::write(&file, contents).unwrap();
    read(&file)
}

#[test]
fn csv_layouts() {
    let options = CsvOptions { header: false, delimiter: b';', label: Column::Index(1) };
    let table = with_file(b" 1.5 ; 10 ;-2\n3;9;4e1\n0;10;0\n", |file| csv::labelled(file, &options)).unwrap();
    assert_eq!(table.features(), arr2(&[[1.5, -2.0], [3.0, 40.0], [0.0, 0.0]]));
    assert_eq!(table.classes(), ["9", "10"], "in the order of numbers");
    assert_eq!(table.labels(), [1, 0, 1]);

    let named = CsvOptions { label: Column::Name("y".into()), ..CsvOptions::default() };
    let table = with_file(b"y,x\n2,1\n4,3\n", |file| csv::regression(file, &named)).unwrap();
    assert_eq!(
        (table.inputs(), table.targets()),
        (arr2(&[[1.0], [3.0]]).view(), arr2(&[[2.0], [4.0]]).view())
    );
    let text =
        with_file("x,y\n1,\"b, c\"\n2,ä\n".as_bytes(), |file| csv::labelled(file, &CsvOptions::default()));
    assert_eq!(text.unwrap().classes(), ["b, c", "ä"]);
    assert_eq!(
        with_file(b"x,y\n", |file| csv::labelled(file, &CsvOptions::default())).unwrap().labels(),
        [0; 0]
    );
}

#[test]
fn csv_errors() {
    let read =
        |text: &[u8]| with_file(text, |file| csv::regression(file, &CsvOptions::default())).unwrap_err();
    let cell = |text: &str| match read(text.as_bytes()) {
        DatasetError::Cell { line, column, expected, found, .. } => (line, column, expected, found),
        other => panic!("{other}"),
    };
    assert_eq!(cell("x,y\n1,2\nz,3\n"), (3, "x".into(), "a finite number", "z".into()));
    assert_eq!(cell("x,y\n1,2\n,3\n").3, "");
    assert_eq!(cell("x,y\n1,NaN\n"), (2, "y".into(), "a finite number", "NaN".into()));
    assert_eq!(cell("x,y\n1,1e99\n").3, "1e99");
    assert_eq!(cell("x,y\n1,2\n1,2,3\n").2, "as many cells as in the first line");
    assert_eq!(cell("").2, "the label's column");
    assert!(matches!(read(b"x,y\n1,\xff\n"), DatasetError::Cell { expected: "UTF-8", line: 2, .. }));
    assert!(matches!(csv::labelled("/nowhere", &CsvOptions::default()), Err(DatasetError::Io { .. })));
    for label in [Column::Name("z".into()), Column::Index(2)] {
        let options = CsvOptions { label, ..CsvOptions::default() };
        let error = with_file(b"x,y\n1,2\n", |file| csv::labelled(file, &options)).unwrap_err();
        assert!(matches!(error, DatasetError::Cell { expected: "the label's column", .. }), "{error}");
    }
}

#[test]
fn npz_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.npz");
    let read = |labels: AnyArray| {
        let mut arrays = Arrays::new();
        arrays.push("images", Array3::<f64>::from_elem((2, 3, 3), 7.0));
        arrays.push("labels", labels);
        striate_formats::npz::write(&path, &arrays).unwrap();
        npz::labelled(&path, "images", "labels")
    };
    let data = read(arr1(&[4u8, 0]).into()).unwrap();
    assert_eq!(data.images().index_axis(Axis(0), 1)[[2, 2]], 7.0);
    assert_eq!((data.labels(), data.classes().len()), (&[4, 0][..], 5));
    assert!(matches!(read(arr1(&[1.0f32, 0.0]).into()), Err(DatasetError::Field { field: "labels", .. })));
    assert!(matches!(read(arr1(&[-1i64, 0]).into()), Err(DatasetError::Field { field: "labels", .. })));
    assert!(matches!(read(arr2(&[[1u8], [0]]).into()), Err(DatasetError::Shape { .. })));
    assert!(matches!(read(arr1(&[1u8]).into()), Err(DatasetError::Counts { samples: 2, labels: 1, .. })));
    let many = read(arr1(&[0i64, i64::MAX]).into()).unwrap_err();
    assert!(matches!(many, DatasetError::Label { sample: 1, .. }), "no list of so many classes: {many}");
    let missing = npz::labelled(&path, "x_train", "labels").unwrap_err();
    assert!(
        missing.to_string().contains("x_train: there is no such array among images, labels"),
        "{missing}"
    );
    fs::write(&path, b"not an npz").unwrap();
    assert!(matches!(npz::labelled(&path, "images", "labels"), Err(DatasetError::Format(_))));
}
