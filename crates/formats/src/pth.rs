//! Tensors in `.pth` and `.pt` files, as PyTorch's `torch.save` writes them since version 1.6.
//!
//! Such a file is a ZIP archive of a Python pickle and the bytes of its storages. The pickle is read by a machine that
//! can only build tensors, numbers, text and containers: a name beyond those of a short list is an error, and nothing is
//! ever called. A model that was saved whole, with its classes, is refused for that reason: save its `state_dict()`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use ndarray::{Dimension, IxDyn};

use crate::error::Source;
use crate::limits::Budget;
use crate::pickle::{self, Id, Object, Pickle, Storage, Tensor};
use crate::{Arrays, FormatError, Limits, Problem, npy, zip};

/// How deep containers may lie in each other.
const DEEPEST: usize = 64;
/// Most objects that are looked at on the way to the tensors, which several containers can share.
const MOST_VISITS: usize = 1 << 21;
/// Most bytes of names on the way: a long key above many tensors would stand in each of their names.
const MOST_NAME_BYTES: usize = 1 << 23;
/// How the files of PyTorch before 1.6 begin.
const OLD: [u8; 4] = [0x80, 0x02, 0x8a, 0x0a];

/// Reads all tensors of a file (`torch.load`).
///
/// A tensor in a dictionary has its key for a name, one in a dictionary in a dictionary both with a dot between them, as
/// in `model.fc.weight`, and one in a list its place; a tensor alone has an empty name.
/// What is no tensor is left out. f16 and bf16 are widened to f32.
///
/// # Errors
/// The file cannot be read, is not such an archive, is compressed or damaged, holds anything but tensors in containers,
/// or asks for more than the limits, or for more than four times its own length and 64 MiB.
///
/// ```no_run
/// use striate_formats::{Limits, pth};
///
/// // Python: torch.save(model.state_dict(), "model.pth")
/// let arrays = pth::read("model.pth", &Limits::default())?;
/// println!("{:?}", arrays["fc.weight"].shape());
/// # Ok::<(), striate_formats::FormatError>(())
/// ```
pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Arrays, FormatError> {
    let source = Source(path.as_ref());
    let bytes = npy::read_file(source, limits)?;
    decode(&bytes, limits, source)
}

/// Reads all tensors from the bytes of a file; errors as [`read`].
pub fn from_bytes(bytes: &[u8], limits: &Limits) -> Result<Arrays, FormatError> {
    decode(bytes, limits, Source::memory())
}

fn decode(bytes: &[u8], limits: &Limits, source: Source) -> Result<Arrays, FormatError> {
    if bytes.starts_with(&OLD) {
        let found = "of PyTorch before 1.6 (save it again with a later one)".into();
        return Err(source.at("file")(Problem::Unsupported { what: "the format", found }));
    }
    let entries = zip::entries(bytes, limits, source)?;
    let Some(root) = entries.iter().find_map(|entry| entry.name.strip_suffix("data.pkl")) else {
        let found = "an archive without it".into();
        return Err(source.at("data.pkl")(Problem::Header { field: "entry", expected: "the pickle", found }));
    };
    let below = |entry: &'_ zip::Entry| entry.name.strip_prefix(root).map(str::to_string);
    let by_name: HashMap<String, &zip::Entry> =
        entries.iter().filter_map(|entry| Some((below(entry)?, entry))).collect();
    let contents = |name: &str| {
        by_name.get(name).map(|entry| entry.stored().map_err(source.at(&entry.name))).transpose()
    };
    match contents("byteorder")? {
        Some(order) if order != b"little" => {
            let found = order[..order.len().min(20)].escape_ascii().to_string();
            return Err(source.at("byteorder")(Problem::Unsupported { what: "byte order", found }));
        }
        _ => (),
    }
    let pickle = pickle::parse(contents("data.pkl")?.expect("found above")).map_err(source.at("data.pkl"))?;
    let tensors = tensors(&pickle).map_err(source.at("data.pkl"))?;
    limits.check_count(tensors.len()).map_err(source.at("data.pkl"))?;

    let most = (4 * bytes.len() as u64).saturating_add(64 << 20);
    let mut budget = Budget::new(&Limits { max_bytes: limits.max_bytes.min(most), ..*limits });
    let mut storages: HashMap<&str, &[u8]> = HashMap::new();
    let mut arrays = Arrays::new();
    for (name, tensor) in tensors {
        let at = |problem: Problem| source.at(&name)(problem);
        if arrays.get(&name).is_some() {
            return Err(at(Problem::Duplicate));
        }
        let key = pickle.text(tensor.storage.key);
        if !storages.contains_key(key) {
            let missing = || Problem::Header {
                field: "storage",
                expected: "an entry of the archive",
                found: key.into(),
            };
            storages.insert(key, contents(&format!("data/{key}"))?.ok_or_else(missing).map_err(at)?);
        }
        let elements = elements(tensor, storages[key], &mut budget).map_err(at)?;
        let array = tensor.storage.dtype.decode(&elements, &tensor.shape, false).map_err(at)?;
        arrays.push(&name, array);
    }
    Ok(arrays)
}

/// All tensors that the pickle's root holds, by name.
fn tensors(pickle: &Pickle) -> Result<Vec<(String, &Tensor)>, Problem> {
    let mut found = Vec::new();
    let mut open: Vec<(String, usize, Id)> = vec![(String::new(), 0, pickle.root)];
    let (mut visits, mut name_bytes) = (0, 0);
    while let Some((name, depth, id)) = open.pop() {
        visits += 1;
        limit("nested containers", DEEPEST, depth)?;
        limit("objects in containers", MOST_VISITS, visits)?;
        let mut inside = |key: Cow<str>, id| -> Result<(), Problem> {
            name_bytes += name.len() + 1 + key.len();
            limit("bytes of names", MOST_NAME_BYTES, name_bytes)?;
            let name = if name.is_empty() { key.into_owned() } else { format!("{name}.{key}") };
            open.push((name, depth + 1, id));
            Ok(())
        };
        match &pickle.objects[id] {
            Object::Tensor(tensor) => found.push((name, &**tensor)),
            Object::Dict(items) => items
                .iter()
                .rev()
                .filter_map(|&(key, id)| Some((pickle.key(key)?, id)))
                .try_for_each(|(key, id)| inside(key, id))?,
            Object::List(items) | Object::Tuple(items) => {
                items.iter().enumerate().rev().try_for_each(|(i, &id)| inside(i.to_string().into(), id))?
            }
            _ => (),
        }
    }
    Ok(found)
}

fn limit(what: &'static str, limit: usize, found: usize) -> Result<(), Problem> {
    if found <= limit {
        return Ok(());
    }
    Err(Problem::Limit { what, limit: limit as u64, found: found as u64 })
}

/// The bytes of a tensor's elements in row-major order, from those of its storage.
fn elements(tensor: &Tensor, storage: &[u8], budget: &mut Budget) -> Result<Vec<u8>, Problem> {
    let Tensor { storage: Storage { dtype, len, .. }, offset, ref shape, ref strides } = *tensor;
    let (size, found) = (dtype.size(), storage.len() as u64);
    if len.checked_mul(size).map(|bytes| bytes as u64) != Some(found) {
        let expected = (len as u64).saturating_mul(size as u64);
        return Err(Problem::Size { shape: vec![len], dtype, expected, found });
    }
    let wanted = budget.claim(dtype, shape)?;
    if wanted == 0 {
        return Ok(Vec::new());
    }
    let last = shape.iter().zip(strides).try_fold(offset, |last, (&n, &stride)| {
        (n - 1).checked_mul(stride).and_then(|step| last.checked_add(step))
    });
    let last = last.filter(|&last| last < len && shape.len() == strides.len());
    let last = last.ok_or(Problem::Truncated { field: "the tensor", needs: u64::MAX, has: found })?;
    if last + 1 - offset == wanted / size && is_row_major(shape, strides) {
        return Ok(storage[offset * size..][..wanted].to_vec());
    }
    let mut elements = Vec::with_capacity(wanted);
    for index in ndarray::indices(IxDyn(shape)) {
        let steps = index.slice().iter().zip(strides).map(|(i, stride)| i * stride);
        elements.extend_from_slice(&storage[(offset + steps.sum::<usize>()) * size..][..size]);
    }
    Ok(elements)
}

fn is_row_major(shape: &[usize], strides: &[usize]) -> bool {
    let mut expected = 1;
    shape.iter().zip(strides).rev().all(|(&n, &stride)| {
        let fits = n == 1 || stride == expected;
        expected *= n;
        fits
    })
}
