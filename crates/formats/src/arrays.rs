//! A named, ordered list of arrays.

use std::collections::HashMap;
use std::ops::Index;

use crate::AnyArray;

/// A named, ordered list of arrays: what an npz or safetensors file holds.
///
/// ```
/// use ndarray::arr1;
/// use striate_formats::Arrays;
///
/// let mut arrays = Arrays::new();
/// arrays.push("bias", arr1(&[1.0f32]));
/// arrays.push("steps", arr1(&[7i64]));
/// assert_eq!(arrays.names().collect::<Vec<_>>(), ["bias", "steps"]);
/// assert_eq!(arrays["steps"].to_i64(), Some(vec![7]));
/// assert!(arrays.get("weight").is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrays {
    entries: Vec<(String, AnyArray)>,
    index: HashMap<String, usize>,
}

impl Arrays {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an array at the end. Panics when the name is there already.
    #[track_caller]
    pub fn push(&mut self, name: impl Into<String>, array: impl Into<AnyArray>) {
        let name = name.into();
        let earlier = self.index.insert(name.clone(), self.entries.len());
        assert!(earlier.is_none(), "Arrays::push: the name {name:?} is used twice");
        self.entries.push((name, array.into()));
    }

    /// The array of that name.
    pub fn get(&self, name: &str) -> Option<&AnyArray> {
        self.index.get(name).map(|&i| &self.entries[i].1)
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    /// Names and arrays, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AnyArray)> {
        self.entries.iter().map(|(name, array)| (name.as_str(), array))
    }

    /// How many arrays there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Index<&str> for Arrays {
    type Output = AnyArray;

    /// The array of that name. Panics when there is none; [`Arrays::get`] does not.
    #[track_caller]
    fn index(&self, name: &str) -> &AnyArray {
        self.get(name).unwrap_or_else(|| panic!("Arrays: no array is named {name:?}"))
    }
}

impl IntoIterator for Arrays {
    type Item = (String, AnyArray);
    type IntoIter = std::vec::IntoIter<(String, AnyArray)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<S: Into<String>, A: Into<AnyArray>> FromIterator<(S, A)> for Arrays {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = (S, A)>>(entries: I) -> Self {
        let mut arrays = Self::new();
        for (name, array) in entries {
            arrays.push(name, array);
        }
        arrays
    }
}
