//! The rule of einsum: what each letter of a specification stands for.

use super::ShapeError;

/// A specification such as `"bij,bjk->bik"`, parsed and checked against the operands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Einsum {
    /// The letters of each operand, one per axis.
    pub inputs: Vec<Vec<char>>,
    /// The letters of the result.
    pub output: Vec<char>,
}

/// Parses `spec` and checks that every letter has one length.
///
/// Without `->`, the result has the letters that occur once, in alphabetical order, as in NumPy and PyTorch.
pub fn einsum(spec: &str, shapes: &[&[usize]]) -> Result<Einsum, ShapeError> {
    let operands: Vec<(&'static str, &[usize])> = shapes.iter().map(|&shape| ("x", shape)).collect();
    let fail = |rule: String| Err(ShapeError::new("einsum", format!("{spec:?}: {rule}"), &operands));
    let compact: String = spec.chars().filter(|c| !c.is_whitespace()).collect();
    if let Some(c) = compact.replace("->", "").chars().find(|c| !c.is_ascii_alphabetic() && *c != ',') {
        return fail(format!("axes are letters, {c:?} is none"));
    }
    let (left, right) = match compact.split_once("->") {
        Some((left, right)) => (left, Some(right)),
        None => (&compact[..], None),
    };
    let inputs: Vec<Vec<char>> = left.split(',').map(|letters| letters.chars().collect()).collect();
    if inputs.len() != shapes.len() {
        return fail(format!("names {} operands, there are {}", inputs.len(), shapes.len()));
    }
    let mut lengths: Vec<(char, usize, usize)> = Vec::new();
    for (letters, shape) in inputs.iter().zip(shapes) {
        if letters.len() != shape.len() {
            let name: String = letters.iter().collect();
            return fail(format!("{name:?} names {} axes of an operand with {}", letters.len(), shape.len()));
        }
        for (&letter, &n) in letters.iter().zip(*shape) {
            match lengths.iter_mut().find(|(known, ..)| *known == letter) {
                Some((_, length, _)) if *length != n => {
                    return fail(format!("axis {letter} has lengths {length} and {n}"));
                }
                Some((.., count)) => *count += 1,
                None => lengths.push((letter, n, 1)),
            }
        }
    }
    let output = match right {
        None => {
            lengths.sort_unstable();
            lengths.iter().filter(|(.., count)| *count == 1).map(|&(letter, ..)| letter).collect()
        }
        Some(right) => right.chars().collect::<Vec<char>>(),
    };
    for (i, letter) in output.iter().enumerate() {
        if output[..i].contains(letter) {
            return fail(format!("the result names axis {letter} twice"));
        }
        if !lengths.iter().any(|(known, ..)| known == letter) {
            return fail(format!("the result's axis {letter} is in no operand"));
        }
    }
    Ok(Einsum { inputs, output })
}
