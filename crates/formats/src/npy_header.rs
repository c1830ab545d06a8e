//! The header of an NPY file: a Python dictionary with `descr`, `fortran_order` and `shape`.

use crate::limits::check;
use crate::{Dtype, Problem};

#[derive(Debug, PartialEq)]
pub(crate) struct NpyHeader {
    pub(crate) dtype: Dtype,
    pub(crate) big_endian: bool,
    pub(crate) fortran: bool,
    pub(crate) shape: Vec<usize>,
}

impl NpyHeader {
    /// Parses the dictionary; a shape of more than `max_rank` axes is an error before it takes memory.
    pub(crate) fn parse(text: &str, max_rank: usize) -> Result<Self, Problem> {
        let mut rest = Cursor { rest: text };
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        rest.expect('{', "a dictionary")?;
        while !rest.take('}') {
            let key = rest.string("a key")?;
            rest.expect(':', "`:` after a key")?;
            let earlier = match key {
                "descr" if rest.starts_with('[') => {
                    return Err(Problem::Unsupported { what: "structured dtype", found: rest.found() });
                }
                "descr" => descr.replace(rest.string("a dtype string")?).is_some(),
                "fortran_order" => fortran.replace(rest.boolean()?).is_some(),
                "shape" => shape.replace(rest.shape(max_rank)?).is_some(),
                _ => return Err(header("descr, fortran_order and shape", key)),
            };
            if earlier {
                return Err(header("every key once", key));
            }
            if !rest.take(',') && !rest.starts_with('}') {
                return Err(header("`,` or `}` after a value", rest.found()));
            }
        }
        if !rest.rest.trim().is_empty() {
            return Err(header("only blanks after the dictionary", rest.found()));
        }
        let missing = || header("descr, fortran_order and shape", text.trim_end());
        let (dtype, big_endian) = dtype(descr.ok_or_else(missing)?)?;
        Ok(Self {
            dtype,
            big_endian,
            fortran: fortran.ok_or_else(missing)?,
            shape: shape.ok_or_else(missing)?,
        })
    }

    /// The dictionary as numpy writes it, for a little-endian array in C order.
    pub(crate) fn text(dtype: Dtype, shape: &[usize]) -> String {
        let descr = match dtype {
            Dtype::F64 => "<f8",
            Dtype::F32 => "<f4",
            Dtype::F16 => "<f2",
            Dtype::BF16 => unreachable!("arrays in memory are never bf16"),
            Dtype::I64 => "<i8",
            Dtype::I32 => "<i4",
            Dtype::I16 => "<i2",
            Dtype::I8 => "|i1",
            Dtype::U64 => "<u8",
            Dtype::U32 => "<u4",
            Dtype::U16 => "<u2",
            Dtype::U8 => "|u1",
            Dtype::Bool => "|b1",
        };
        let axes: Vec<String> = shape.iter().map(usize::to_string).collect();
        let comma = if axes.len() == 1 { "," } else { "" };
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}{comma}), }}", axes.join(", "))
    }
}

fn dtype(descr: &str) -> Result<(Dtype, bool), Problem> {
    let unsupported = || Problem::Unsupported { what: "dtype", found: format!("{descr:?}") };
    let (order, kind) = descr.split_at_checked(1).ok_or_else(unsupported)?;
    let dtype = match kind {
        "f8" => Dtype::F64,
        "f4" => Dtype::F32,
        "f2" => Dtype::F16,
        "i8" => Dtype::I64,
        "i4" => Dtype::I32,
        "i2" => Dtype::I16,
        "i1" => Dtype::I8,
        "u8" => Dtype::U64,
        "u4" => Dtype::U32,
        "u2" => Dtype::U16,
        "u1" => Dtype::U8,
        "b1" => Dtype::Bool,
        _ if descr.contains('O') => return Err(Problem::Pickle(format!("dtype {descr:?}"))),
        _ => return Err(unsupported()),
    };
    match order {
        "<" | "|" => Ok((dtype, false)),
        ">" => Ok((dtype, true)),
        "=" => Ok((dtype, cfg!(target_endian = "big"))),
        _ => Err(unsupported()),
    }
}

fn header(expected: &'static str, found: impl Into<String>) -> Problem {
    Problem::Header { field: "NPY header", expected, found: found.into() }
}

struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn starts_with(&mut self, c: char) -> bool {
        self.rest = self.rest.trim_start();
        self.rest.starts_with(c)
    }

    fn take(&mut self, c: char) -> bool {
        let there = self.starts_with(c);
        if there {
            self.rest = &self.rest[c.len_utf8()..];
        }
        there
    }

    fn expect(&mut self, c: char, expected: &'static str) -> Result<(), Problem> {
        if self.take(c) { Ok(()) } else { Err(header(expected, self.found())) }
    }

    /// The next few characters, for an error.
    fn found(&self) -> String {
        format!("{:?}", self.rest.chars().take(40).collect::<String>())
    }

    fn string(&mut self, expected: &'static str) -> Result<&'a str, Problem> {
        let quote = if self.starts_with('"') { '"' } else { '\'' };
        self.expect(quote, expected)?;
        let (text, rest) = self.rest.split_once(quote).ok_or_else(|| header(expected, self.found()))?;
        self.rest = rest;
        Ok(text)
    }

    fn boolean(&mut self) -> Result<bool, Problem> {
        self.rest = self.rest.trim_start();
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Ok(value);
            }
        }
        Err(header("True or False", self.found()))
    }

    fn shape(&mut self, max_rank: usize) -> Result<Vec<usize>, Problem> {
        let mut shape = Vec::new();
        self.expect('(', "a tuple")?;
        while !self.take(')') {
            check("axes", max_rank as u64, shape.len() as u64 + 1)?;
            self.rest = self.rest.trim_start();
            let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
            let axis = self.rest[..digits].parse();
            shape.push(axis.map_err(|_| header("axis lengths that fit an address", self.found()))?);
            self.rest = &self.rest[digits..];
            self.rest = self.rest.strip_prefix('L').unwrap_or(self.rest); // written by Python 2
            if !self.take(',') && !self.starts_with(')') {
                return Err(header("`,` or `)` after an axis", self.found()));
            }
        }
        Ok(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numpy_spellings() {
        let parse = |text| NpyHeader::parse(text, 32).unwrap();
        let header = parse("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }     \n");
        let expected = NpyHeader { dtype: Dtype::F32, big_endian: false, fortran: false, shape: vec![3, 4] };
        assert_eq!(header, expected);
        assert_eq!(parse("{\"shape\":(), \"fortran_order\":True,\"descr\":\">i8\"}").shape, [0; 0]);
        assert_eq!(parse("{'descr': '|u1', 'fortran_order': False, 'shape': (5L,)}").shape, [5]);
        assert!(parse("{'descr': '>u2', 'fortran_order': True, 'shape': (5,)}").big_endian);
    }

    #[test]
    fn written_headers_are_read_back() {
        for shape in [vec![], vec![7], vec![2, 0, 3]] {
            let header = NpyHeader::parse(&NpyHeader::text(Dtype::Bool, &shape), 32).unwrap();
            assert_eq!((header.dtype, header.shape), (Dtype::Bool, shape));
        }
    }

    #[test]
    fn malformed_headers_say_what_was_expected() {
        let cases = [
            ("", "a dictionary"),
            ("{'descr': '<f4'}", "descr, fortran_order and shape"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}", "axis lengths"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "axis lengths"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (3 4)}", "after an axis"),
            ("{'descr': '<f4', 'fortran_order': 1, 'shape': (3,)}", "True or False"),
            ("{'descr': '<f4', 'descr': '<f4', 'shape': (3,)}", "every key once"),
            ("{'descr': '<f4', 'fortran_order': False 'shape': (3,)}", "after a value"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)} x", "only blanks"),
            ("{'descr': '<f4, 'other': 3}", "after a value"),
            ("{'other': 3}", "descr, fortran_order and shape"),
            ("{'descr': '<f4", "a dtype string"),
        ];
        for (text, expected) in cases {
            let error = NpyHeader::parse(text, 32).unwrap_err();
            assert!(
                matches!(error, Problem::Header { .. }) && error.to_string().contains(expected),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn object_structured_and_complex_dtypes_are_refused() {
        let parse = |d: &str| {
            let text = format!("{{'descr': {d}, 'fortran_order': False, 'shape': (3,)}}");
            NpyHeader::parse(&text, 32).unwrap_err()
        };
        assert!(matches!(parse("'|O'"), Problem::Pickle(_)));
        assert!(matches!(parse("[('x', '<f4')]"), Problem::Unsupported { what: "structured dtype", .. }));
        for descr in ["'<c8'", "'<U7'", "'?f4'", "''", "'é'"] {
            assert!(matches!(parse(descr), Problem::Unsupported { what: "dtype", .. }), "{descr}");
        }
    }
}
