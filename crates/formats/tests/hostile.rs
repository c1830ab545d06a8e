//! Thousands of damaged files: no panic, no hang, no more memory than a small multiple of the file.

use std::panic::catch_unwind;

use ndarray::{Array2, arr1};
use peak_alloc::PeakAlloc;
use striate_formats::{Arrays, Limits, npy, npz, pth, safetensors};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Far above what the small files need, far below what they can be made to claim.
const MOST: usize = 8 << 20;

struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }

    /// A copy with a few bytes changed, cut off, doubled or made extreme.
    fn damage(&mut self, whole: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        for _ in 0..1 + self.below(4) {
            let at = self.below(bytes.len());
            let end = bytes.len().min(at + 1 + self.below(8));
            match self.below(7) {
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes.truncate(at),
                2 => bytes[at..end].fill(0xff),
                3 => bytes[at..end].fill(0),
                4 => bytes.extend_from_within(at..end),
                5 => drop(bytes.splice(at..at, whole[..self.below(whole.len())].iter().copied())),
                _ => {
                    // Another digit, as headers in text have them.
                    let digits: Vec<usize> =
                        (0..bytes.len()).filter(|&i| bytes[i].is_ascii_digit()).collect();
                    if !digits.is_empty() {
                        let at = digits[self.below(digits.len())];
                        bytes.splice(at..at, b"99999999".iter().copied().take(1 + self.below(8)));
                    }
                }
            }
            if bytes.is_empty() {
                break;
            }
        }
        bytes
    }
}

#[test]
fn damaged_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let mut arrays = Arrays::new();
    arrays.push("weight", Array2::<f32>::from_shape_fn((3, 5), |(i, j)| (i * j) as f32));
    arrays.push("bias", arr1(&[1.0f64, 2.0]));
    arrays.push("steps", arr1(&[7i64]));
    let bytes_of = |write: &dyn Fn()| {
        write();
        std::fs::read(&file).unwrap()
    };
    let metadata = [("note".to_string(), "text".to_string())].into();

    type Parser = fn(&[u8]) -> bool;
    let checkpoint = format!("{}/tests/golden/checkpoint.pt", env!("CARGO_MANIFEST_DIR"));
    let cases: [(&str, Vec<u8>, Parser); 5] = [
        ("pth", std::fs::read(checkpoint).unwrap(), |b| pth::from_bytes(b, &Limits::default()).is_ok()),
        ("npy", bytes_of(&|| npy::write(&file, &arrays["weight"]).unwrap()), |b| {
            npy::from_bytes(b, &Limits::default()).is_ok()
        }),
        ("npz", bytes_of(&|| npz::write(&file, &arrays).unwrap()), |b| {
            npz::from_bytes(b, &Limits::default()).is_ok()
        }),
        ("deflated npz", bytes_of(&|| npz::write_compressed(&file, &arrays).unwrap()), |b| {
            npz::from_bytes(b, &Limits::default()).is_ok()
        }),
        ("safetensors", safetensors::to_bytes(&arrays, &metadata).unwrap(), |b| {
            safetensors::from_bytes(b, &Limits::default()).is_ok()
        }),
    ];
    for (name, whole, parse) in cases {
        assert!(parse(&whole), "{name}");
        let mut random = Xorshift(0x9e37_79b9_7f4a_7c15);
        let mut refused = 0;
        for round in 0..20_000 {
            let bytes = random.damage(&whole);
            let before = MEMORY.current_usage();
            MEMORY.reset_peak_usage();
            let outcome = catch_unwind(|| parse(&bytes));
            let used = MEMORY.peak_usage().saturating_sub(before);
            assert!(outcome.is_ok(), "{name}, round {round}: panic on {bytes:02x?}");
            assert!(used < MOST, "{name}, round {round}: {used} bytes taken for {bytes:02x?}");
            refused += usize::from(!outcome.unwrap());
        }
        assert!(refused > 10_000, "{name}: only {refused} refused");
    }
}
