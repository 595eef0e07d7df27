//! Reads the members of one JSON object, noting what is wrong with the path to it.
//!
//! A member that is absent and one that is null are the same. An empty list and an empty text are errors wherever leaving
//! them out means something, so that nobody gets "everything" by computing "nothing".

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Path};
use crate::text::nearest;
use crate::value::{Map, Value, integer, type_name};

/// One object and the place of its members. Members are asked for by name; [`Reader::finish`] complains of the others.
pub(super) struct Reader<'a> {
    object: Option<&'a Map<String, Value>>,
    path: Path,
    asked: Vec<&'static str>,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(value: &'a Value, path: Path, diagnostics: &'a mut Vec<Diagnostic>) -> Self {
        let object = value.as_object();
        let mut reader = Self { object, path, asked: Vec::new(), diagnostics };
        if object.is_none() {
            let message = format!("an object is wanted here, this is {}", with_article(value));
            reader.push(Diagnostic::error(Code::WRONG_TYPE, message).at(reader.path.clone()));
        }
        reader
    }

    /// Notes an error at a member.
    pub(super) fn error(&mut self, code: Code, name: &str, message: impl Into<String>, help: impl Into<String>) {
        let path = self.path.attribute(name);
        self.push(Diagnostic::error(code, message).at(path).help(help));
    }

    /// Notes an error at this object.
    pub(super) fn error_here(&mut self, code: Code, message: impl Into<String>, help: impl Into<String>) {
        let path = self.path.clone();
        self.push(Diagnostic::error(code, message).at(path).help(help));
    }

    /// Notes what was found in a member that was read before.
    pub(super) fn take_in(&mut self, name: &'static str, diagnostics: Vec<Diagnostic>) {
        self.asked.push(name);
        diagnostics.into_iter().for_each(|diagnostic| self.push(diagnostic));
    }

    /// Notes that a member is not there.
    pub(super) fn missing(&mut self, name: &str, help: impl Into<String>) {
        if self.object.is_some() {
            self.error(Code::MISSING, name, format!("`{name}` is missing"), help);
        }
    }

    /// A text; an empty one is an error.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        let text = self.typed(name, "a string", Value::as_str)?;
        if text.is_empty() {
            self.error(Code::EMPTY, name, format!("`{name}` is empty"), "leave it out, or write null");
            return None;
        }
        Some(text.to_owned())
    }

    /// A text that must be there.
    pub(super) fn required_text(&mut self, name: &'static str) -> String {
        if self.absent(name) {
            self.missing(name, "it must be given");
        }
        self.text(name).unwrap_or_default()
    }

    /// A boolean, or its default.
    pub(super) fn boolean(&mut self, name: &'static str, default: bool) -> bool {
        self.typed(name, "a boolean", Value::as_bool).unwrap_or(default)
    }

    /// An integer.
    pub(super) fn integer(&mut self, name: &'static str) -> Option<i128> {
        self.typed(name, "a whole number", |value| match value {
            Value::Number(number) => integer(number),
            _ => None,
        })
    }

    /// One of a list of words, or its default.
    pub(super) fn one_of<T: Copy + Default>(&mut self, name: &'static str, words: &[(&'static str, T)]) -> T {
        let Some(text) = self.text(name) else { return T::default() };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return *value;
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let help = nearest(&text, known.iter().copied())
            .map_or_else(|| format!("it is one of {}", known.join(", ")), |word| format!("did you mean `{word}`?"));
        self.error(Code::NOT_ONE_OF, name, format!("`{text}` is not a known `{name}`"), help);
        T::default()
    }

    /// A list of texts; an empty list and an empty text in it are errors.
    pub(super) fn texts(&mut self, name: &'static str) -> Vec<String> {
        let Some(list) = self.typed(name, "a list of strings", Value::as_array) else { return Vec::new() };
        if list.is_empty() {
            let help = format!("leave `{name}` out, or write null; an empty list would match nothing");
            self.error(Code::EMPTY, name, format!("`{name}` is an empty list"), help);
        }
        let mut texts = Vec::with_capacity(list.len());
        for (index, element) in list.iter().enumerate() {
            let path = self.path.attribute(name).index(index);
            match element.as_str() {
                Some("") => self.push(Diagnostic::error(Code::EMPTY, "an empty text in a list").at(path).help("take it out")),
                Some(text) => texts.push(text.to_owned()),
                None => {
                    let message = format!("a string is wanted here, this is {}", with_article(element));
                    self.push(Diagnostic::error(Code::WRONG_TYPE, message).at(path));
                }
            }
        }
        texts
    }

    /// A map of texts.
    pub(super) fn text_map(&mut self, name: &'static str) -> BTreeMap<String, String> {
        let Some(map) = self.typed(name, "a map of strings", Value::as_object) else { return BTreeMap::new() };
        let mut texts = BTreeMap::new();
        for (key, value) in map {
            if let Some(text) = value.as_str() {
                texts.insert(key.clone(), text.to_owned());
            } else {
                let path = self.path.attribute(name).key(key);
                let message = format!("a string is wanted here, this is {}", with_article(value));
                self.push(Diagnostic::error(Code::WRONG_TYPE, message).at(path));
            }
        }
        texts
    }

    /// A list of objects, each read by `read`; none where the member is absent. A single object is taken for a list of one.
    pub(super) fn objects<T>(&mut self, name: &'static str, read: impl Fn(&mut Reader<'_>) -> T) -> Vec<T> {
        let value = self.value(name);
        let path = self.path.attribute(name);
        match value {
            None => Vec::new(),
            Some(Value::Array(list)) => list
                .iter()
                .enumerate()
                .map(|(index, element)| read(&mut Reader::new(element, path.index(index), self.diagnostics)))
                .collect(),
            Some(object @ Value::Object(_)) => vec![read(&mut Reader::new(object, path, self.diagnostics))],
            Some(other) => {
                let message = format!("a list of objects is wanted here, this is {}", with_article(other));
                self.error(Code::WRONG_TYPE, name, message, "a block is written as an array of objects");
                Vec::new()
            }
        }
    }

    /// A block of which there may be one: an error where there are more.
    pub(super) fn block<T>(&mut self, name: &'static str, read: impl Fn(&mut Reader<'_>) -> T) -> Option<T> {
        let mut blocks = self.objects(name, read);
        if blocks.len() > 1 {
            self.error(Code::BLOCK_COUNT, name, format!("there are {} `{name}` blocks here", blocks.len()), "write one");
        }
        (!blocks.is_empty()).then(|| blocks.swap_remove(0))
    }

    /// Whether a member is absent or null.
    pub(super) fn absent(&self, name: &str) -> bool {
        self.object.and_then(|object| object.get(name)).is_none_or(Value::is_null)
    }

    /// Whether a member is a list without elements.
    pub(super) fn is_empty_list(&self, name: &str) -> bool {
        self.object.and_then(|object| object.get(name)).and_then(Value::as_array).is_some_and(Vec::is_empty)
    }

    /// Whether there is an object to read at all.
    pub(super) fn is_object(&self) -> bool {
        self.object.is_some()
    }

    /// Complains of every member that was not asked for.
    pub(super) fn finish(&mut self) {
        let Some(object) = self.object else { return };
        for name in object.keys() {
            if !self.asked.contains(&name.as_str()) {
                let help = nearest(name, self.asked.iter().copied())
                    .map_or_else(|| format!("known here are {}", self.asked.join(", ")), |known| format!("did you mean `{known}`?"));
                let path = self.path.attribute(name);
                self.push(Diagnostic::error(Code::UNKNOWN_MEMBER, format!("nothing is called `{name}` here")).at(path).help(help));
            }
        }
    }

    fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.asked.push(name);
        self.object.and_then(|object| object.get(name)).filter(|value| !value.is_null())
    }

    fn typed<T>(&mut self, name: &'static str, wanted: &str, take: impl Fn(&'a Value) -> Option<T>) -> Option<T> {
        let value = self.value(name)?;
        let taken = take(value);
        if taken.is_none() {
            let message = format!("`{name}` is {wanted}, this is {}", with_article(value));
            let path = self.path.attribute(name);
            self.push(Diagnostic::error(Code::WRONG_TYPE, message).at(path));
        }
        taken
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

fn with_article(value: &Value) -> String {
    match type_name(value) {
        "null" => "null".to_owned(),
        name @ ("array" | "object") => format!("an {name}"),
        name => format!("a {name}"),
    }
}
