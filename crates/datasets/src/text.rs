//! Embedded text, and characters as numbers.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::sync::LazyLock;

use flate2::read::GzDecoder;

use crate::DatasetError;

/// 32,033 given names in small letters, the most frequent first; decoded at the first call.
///
/// Source: A. Karpathy, makemore (MIT licence).
///
/// ```
/// let names = striate_datasets::names();
/// assert_eq!((names.len(), names[0]), (32_033, "emma"));
/// ```
pub fn names() -> &'static [&'static str] {
    static TEXT: LazyLock<String> = LazyLock::new(|| unpack(include_bytes!("../data/names.txt.gz")));
    static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| TEXT.lines().collect());
    &NAMES
}

/// 1,115,394 characters of plays by William Shakespeare, the text known as tiny shakespeare (public domain); decoded
/// at the first call.
///
/// ```
/// use striate_datasets::{Vocabulary, tiny_shakespeare};
/// let text = tiny_shakespeare();
/// assert!(text.starts_with("First Citizen:\nBefore we proceed any further, hear me speak."));
/// assert_eq!(Vocabulary::new(text).len(), 65);
/// ```
pub fn tiny_shakespeare() -> &'static str {
    static TEXT: LazyLock<String> =
        LazyLock::new(|| unpack(include_bytes!("../data/tinyshakespeare.txt.gz")));
    &TEXT
}

fn unpack(gzip: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(gzip).read_to_string(&mut text).expect("the embedded file is whole");
    text
}

/// The distinct characters of a text, numbered in the order of their code points.
///
/// ```
/// use striate_datasets::Vocabulary;
/// let vocabulary = Vocabulary::new("hello");
/// assert_eq!(vocabulary.characters(), ['e', 'h', 'l', 'o']);
/// assert_eq!(vocabulary.encode("hole")?, [1, 3, 2, 0]);
/// assert_eq!(vocabulary.decode(&[1, 3, 2, 0]), "hole");
/// assert!(vocabulary.encode("help").is_err());
/// # Ok::<(), striate_datasets::DatasetError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    characters: Vec<char>,
    numbers: HashMap<char, usize>,
}

impl Vocabulary {
    /// The characters of `text`.
    pub fn new(text: &str) -> Self {
        let characters: Vec<char> = BTreeSet::from_iter(text.chars()).into_iter().collect();
        let numbers = characters.iter().enumerate().map(|(number, &character)| (character, number)).collect();
        Self { characters, numbers }
    }

    /// The characters, by number.
    pub fn characters(&self) -> &[char] {
        &self.characters
    }

    /// Number of characters.
    pub fn len(&self) -> usize {
        self.characters.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.characters.is_empty()
    }

    /// The number of every character.
    ///
    /// # Errors
    /// A character is not in the vocabulary.
    pub fn encode(&self, text: &str) -> Result<Vec<usize>, DatasetError> {
        let number = |(offset, character)| {
            self.numbers.get(&character).copied().ok_or(DatasetError::Character { character, offset })
        };
        text.char_indices().map(number).collect()
    }

    /// The text of these numbers.
    ///
    /// # Panics
    /// When a number is not below [`len`](Self::len).
    #[track_caller]
    pub fn decode(&self, numbers: &[usize]) -> String {
        let character = |&number: &usize| {
            let found = self.characters.get(number);
            *found.unwrap_or_else(|| panic!("decode: number {number}, there are {} characters", self.len()))
        };
        numbers.iter().map(character).collect()
    }
}
