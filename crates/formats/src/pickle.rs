//! As much of Python's pickle as PyTorch's files use: a machine that builds containers, numbers, text and descriptions
//! of tensors. It knows a list of names and calls nothing.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::limits::check;
use crate::{Dtype, Problem};

/// Most objects that a pickle may build or put on the stack again: enough for twenty thousand tensors.
const MOST_OBJECTS: usize = 1 << 19;
/// The longest name of a module or class.
const LONGEST_NAME: usize = 1 << 10;
/// Most axes of a tensor, which are PyTorch's.
const MOST_AXES: usize = 64;

/// An object by its place in [`Pickle`]: containers can hold one object twice.
pub(crate) type Id = usize;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Object {
    None,
    Bool,
    Int(i64),
    Float,
    Text(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Name(Name),
    Storage(Storage),
    Tensor(Box<Tensor>),
}

impl Object {
    /// What it is, for an error; containers and text can be long.
    fn kind(&self) -> String {
        match self {
            Self::Text(text) => format!("Text({:?})", text.chars().take(20).collect::<String>()),
            Self::Tuple(items) | Self::List(items) => format!("a sequence of {}", items.len()),
            Self::Dict(items) => format!("Dict of {}", items.len()),
            Self::Tensor(_) => "Tensor".into(),
            short => format!("{short:?}"),
        }
    }
}

/// What a pickle may name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Name {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Size,
    Storage(Dtype),
}

/// The elements of one or several tensors: an entry of the archive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Storage {
    pub(crate) dtype: Dtype,
    /// The text that names the entry.
    pub(crate) key: Id,
    pub(crate) len: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) storage: Storage,
    pub(crate) offset: usize,
    pub(crate) shape: Vec<usize>,
    pub(crate) strides: Vec<usize>,
}

/// All objects of a pickle.
pub(crate) struct Pickle {
    pub(crate) objects: Vec<Object>,
    pub(crate) root: Id,
}

impl Pickle {
    /// The text of an object that is one.
    pub(crate) fn text(&self, id: Id) -> &str {
        match &self.objects[id] {
            Object::Text(text) => text,
            other => unreachable!("{} is no text", other.kind()),
        }
    }

    /// What a key of a dictionary, text or a number, adds to a name.
    pub(crate) fn key(&self, key: Id) -> Option<Cow<'_, str>> {
        match &self.objects[key] {
            Object::Text(key) => Some(key.into()),
            Object::Int(key) => Some(key.to_string().into()),
            _ => None,
        }
    }
}

pub(crate) fn parse(bytes: &[u8]) -> Result<Pickle, Problem> {
    let mut machine = Machine {
        bytes,
        at: 0,
        objects: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        pushed: 0,
    };
    loop {
        if let Some(root) = machine.step()? {
            return Ok(Pickle { objects: machine.objects, root });
        }
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    objects: Vec<Object>,
    stack: Vec<Id>,
    /// Lengths that the stack had at each mark.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
    /// How often an object was put on the stack.
    pushed: usize,
}

fn broken(found: impl AsRef<str>) -> Problem {
    let expected = "tensors in containers, as torch.save writes them";
    Problem::Header { field: "pickle", expected, found: found.as_ref().chars().take(80).collect() }
}

impl Machine<'_> {
    /// One instruction; the result when it was the last.
    fn step(&mut self) -> Result<Option<Id>, Problem> {
        match self.take(1)?[0] {
            0x80 => drop(self.take(1)?),         // PROTO
            0x95 => drop(self.take(8)?),         // FRAME
            b'.' => return self.pop().map(Some), // STOP
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'N' => self.push(Object::None)?,
            0x88 | 0x89 => self.push(Object::Bool)?,
            b'K' => self.int(1)?,
            b'M' => self.int(2)?,
            b'J' => self.int(4)?,
            0x8a => {
                let length = self.take(1)?[0] as usize; // LONG1
                self.int(length)?;
            }
            b'G' => {
                self.take(8)?;
                self.push(Object::Float)?;
            }
            b'X' => self.text(4)?,
            0x8c => self.text(1)?,
            b')' => self.push(Object::Tuple(Vec::new()))?,
            b'}' => self.push(Object::Dict(Vec::new()))?,
            b']' => self.push(Object::List(Vec::new()))?,
            0x85 => self.tuple(1)?,
            0x86 => self.tuple(2)?,
            0x87 => self.tuple(3)?,
            b't' => {
                let items = self.pop_marked()?;
                self.push(Object::Tuple(items))?;
            }
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' => {
                let items = self.pop_marked()?;
                self.append(items)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.insert(vec![key, value])?;
            }
            b'u' => {
                let items = self.pop_marked()?;
                self.insert(items)?;
            }
            b'q' => {
                let place = self.take(1)?[0].into();
                self.remember(place)?;
            }
            b'r' => {
                let place = self.u32()?;
                self.remember(place)?;
            }
            0x94 => self.remember(self.memo.len() as u32)?, // MEMOIZE
            b'h' => {
                let place = self.take(1)?[0].into();
                self.recall(place)?;
            }
            b'j' => {
                let place = self.u32()?;
                self.recall(place)?;
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Object::Name(named(&module, &name)?))?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?); // STACK_GLOBAL
                let name = named(self.as_text(module)?, self.as_text(name)?)?;
                self.push(Object::Name(name))?;
            }
            b'Q' => {
                let id = self.pop()?;
                let storage = self.storage(id)?;
                self.push(storage)?;
            }
            b'R' => self.reduce()?,
            b'b' => drop(self.pop()?), // BUILD: attributes of a container, such as a state_dict's versions
            other => return Err(broken(format!("instruction {other:#04x}"))),
        }
        Ok(None)
    }

    fn take(&mut self, n: usize) -> Result<&[u8], Problem> {
        let end = self.at.saturating_add(n);
        let taken = self.bytes.get(self.at..end).ok_or(Problem::Truncated {
            field: "pickle",
            needs: end as u64,
            has: self.bytes.len() as u64,
        })?;
        self.at = end;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32, Problem> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().expect("four bytes")))
    }

    /// Pushes an integer of `length` bytes: of one or two without sign, of others in two's complement.
    fn int(&mut self, length: usize) -> Result<(), Problem> {
        if length > 8 {
            return Err(broken("an integer of more than 64 bits"));
        }
        let bytes = self.take(length)?;
        let negative = !matches!(length, 1 | 2) && bytes.last().is_some_and(|&byte| byte >= 0x80);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        wide[..length].copy_from_slice(bytes);
        self.push(Object::Int(i64::from_le_bytes(wide)))
    }

    /// Pushes text whose length stands before it in `width` bytes.
    fn text(&mut self, width: usize) -> Result<(), Problem> {
        let length = if width == 1 { self.take(1)?[0] as usize } else { self.u32()? as usize };
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| broken("text that is not UTF-8"))?;
        let text = Object::Text(text.to_string());
        self.push(text)
    }

    fn line(&mut self) -> Result<String, Problem> {
        let rest = &self.bytes[self.at..];
        let end = rest
            .iter()
            .take(LONGEST_NAME)
            .position(|&byte| byte == b'\n')
            .ok_or_else(|| broken("a name without end"))?;
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        self.at += end + 1;
        Ok(line)
    }

    fn push(&mut self, object: Object) -> Result<(), Problem> {
        self.objects.push(object);
        self.push_again(self.objects.len() - 1)
    }

    /// Pushes an object that there is already.
    fn push_again(&mut self, id: Id) -> Result<(), Problem> {
        self.pushed += 1;
        check("objects of the pickle", MOST_OBJECTS as u64, self.pushed as u64)?;
        self.stack.push(id);
        Ok(())
    }

    /// The topmost object above the last mark.
    fn pop(&mut self) -> Result<Id, Problem> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(broken("an instruction without its operand"));
        }
        Ok(self.stack.pop().expect("above the floor"))
    }

    fn pop_marked(&mut self) -> Result<Vec<Id>, Problem> {
        let mark = self.marks.pop().ok_or_else(|| broken("an instruction without its mark"))?;
        Ok(self.stack.split_off(mark))
    }

    fn top(&mut self) -> Result<&mut Object, Problem> {
        let id = self.pop()?;
        self.stack.push(id);
        Ok(&mut self.objects[id])
    }

    fn tuple(&mut self, n: usize) -> Result<(), Problem> {
        let mut items = (0..n).map(|_| self.pop()).collect::<Result<Vec<Id>, Problem>>()?;
        items.reverse();
        self.push(Object::Tuple(items))
    }

    fn append(&mut self, more: Vec<Id>) -> Result<(), Problem> {
        match self.top()? {
            Object::List(items) => items.extend(more),
            other => return Err(broken(format!("items appended to {}", other.kind()))),
        }
        Ok(())
    }

    /// Puts keys and values, one after the other, into the dictionary on top.
    fn insert(&mut self, more: Vec<Id>) -> Result<(), Problem> {
        let (pairs, rest) = more.as_chunks::<2>();
        match self.top()? {
            Object::Dict(items) if rest.is_empty() => {
                items.extend(pairs.iter().map(|&[key, value]| (key, value)))
            }
            other => return Err(broken(format!("items set in {}", other.kind()))),
        }
        Ok(())
    }

    fn remember(&mut self, place: u32) -> Result<(), Problem> {
        let id = self.pop()?;
        self.stack.push(id);
        self.memo.insert(place, id);
        check("references of the pickle", MOST_OBJECTS as u64, self.memo.len() as u64)?;
        Ok(())
    }

    fn recall(&mut self, place: u32) -> Result<(), Problem> {
        let id = *self.memo.get(&place).ok_or_else(|| broken("a reference to nothing"))?;
        self.push_again(id)
    }

    fn items(&self, id: Id) -> Result<&[Id], Problem> {
        match &self.objects[id] {
            Object::Tuple(items) => Ok(items),
            other => Err(broken(format!("{} where a tuple belongs", other.kind()))),
        }
    }

    fn as_text(&self, id: Id) -> Result<&str, Problem> {
        match &self.objects[id] {
            Object::Text(text) => Ok(text),
            other => Err(broken(format!("{} where text belongs", other.kind()))),
        }
    }

    fn size(&self, id: Id) -> Result<usize, Problem> {
        match self.objects[id] {
            Object::Int(n) => usize::try_from(n).map_err(|_| broken(format!("size {n}"))),
            ref other => Err(broken(format!("{} where a size belongs", other.kind()))),
        }
    }

    fn sizes(&self, id: Id) -> Result<Vec<usize>, Problem> {
        let items = self.items(id)?;
        check("axes", MOST_AXES as u64, items.len() as u64)?;
        items.iter().map(|&id| self.size(id)).collect()
    }

    /// ('storage', type, key, device, length)
    fn storage(&self, id: Id) -> Result<Object, Problem> {
        let &[kind, name, key, _, len] = self.items(id)? else {
            return Err(broken("a reference to something other than a storage"));
        };
        match (self.as_text(kind)?, &self.objects[name]) {
            ("storage", &Object::Name(Name::Storage(dtype))) => {
                self.as_text(key)?;
                let len = self.size(len)?;
                Ok(Object::Storage(Storage { dtype, key, len }))
            }
            _ => Err(broken("a reference to something other than a storage")),
        }
    }

    /// What one of the known names makes of its arguments.
    fn reduce(&mut self) -> Result<(), Problem> {
        let (arguments, name) = (self.pop()?, self.pop()?);
        let Object::Name(name) = self.objects[name] else {
            return Err(broken("a call of something other than a known name"));
        };
        let arguments = self.items(arguments)?;
        let made = match (name, arguments) {
            (Name::OrderedDict, []) => Object::Dict(Vec::new()),
            (Name::Size, &[sizes]) => {
                self.items(sizes)?;
                return self.push_again(sizes);
            }
            (Name::RebuildParameter, &[tensor, ..]) => return self.push_again(tensor),
            (Name::RebuildTensor, &[storage, offset, shape, strides, ..]) => {
                let Object::Storage(storage) = self.objects[storage] else {
                    return Err(broken("a tensor without a storage"));
                };
                Object::Tensor(Box::new(Tensor {
                    storage,
                    offset: self.size(offset)?,
                    shape: self.sizes(shape)?,
                    strides: self.sizes(strides)?,
                }))
            }
            _ => return Err(broken(format!("{name:?} called with {} arguments", arguments.len()))),
        };
        self.push(made)
    }
}

fn named(module: &str, name: &str) -> Result<Name, Problem> {
    let dtype = |dtype| Ok(Name::Storage(dtype));
    match (module, name) {
        ("collections", "OrderedDict") => Ok(Name::OrderedDict),
        ("torch._utils", "_rebuild_tensor_v2") => Ok(Name::RebuildTensor),
        ("torch._utils", "_rebuild_parameter") => Ok(Name::RebuildParameter),
        ("torch", "Size") => Ok(Name::Size),
        ("torch", "DoubleStorage") => dtype(Dtype::F64),
        ("torch", "FloatStorage") => dtype(Dtype::F32),
        ("torch", "HalfStorage") => dtype(Dtype::F16),
        ("torch", "BFloat16Storage") => dtype(Dtype::BF16),
        ("torch", "LongStorage") => dtype(Dtype::I64),
        ("torch", "IntStorage") => dtype(Dtype::I32),
        ("torch", "ShortStorage") => dtype(Dtype::I16),
        ("torch", "CharStorage") => dtype(Dtype::I8),
        ("torch", "ByteStorage") => dtype(Dtype::U8),
        ("torch", "BoolStorage") => dtype(Dtype::Bool),
        _ => Err(Problem::Pickle(format!("{module}.{name}"))),
    }
}
