//! Where in a JSON text the value at a path stands.

use trailwire_engine::diagnostic::{Path, Step};

/// The line, counted from 1, in which the value at a path begins, its name included; of what is not there the line of the innermost
/// value around it. `None` where the text is no JSON up to there.
///
/// A single object stands for a list of one, as in documents.
pub(super) fn line_of(text: &str, path: &Path) -> Option<usize> {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0 };
    reader.space();
    let mut found = reader.at;
    for step in &path.0 {
        let entered = match step {
            Step::Attribute(name) | Step::Key(name) => reader.member(name)?,
            Step::Index(index) => reader.element(*index)?,
        };
        match entered {
            Some(place) => found = place,
            None => break,
        }
    }
    let before = text.as_bytes().get(..found)?;
    Some(before.iter().filter(|byte| **byte == b'\n').count() + 1)
}

struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Goes to the value of the last member of this name and gives the place of the name; nothing where there is none.
    fn member(&mut self, wanted: &str) -> Option<Option<usize>> {
        let start = self.at;
        if self.peek()? != b'{' {
            return Some(None);
        }
        let mut found = None;
        self.at += 1;
        loop {
            self.space();
            match self.peek()? {
                b'}' => break,
                b',' => self.at += 1,
                _ => {
                    let (name, place) = (self.string()?, self.at);
                    let name_at = place - name.len();
                    self.space();
                    self.at += 1; // the colon
                    self.space();
                    if serde_json::from_slice::<String>(name).is_ok_and(|name| name == wanted) {
                        found = Some((name_at, self.at));
                    }
                    self.value()?;
                }
            }
        }
        self.at = found.map_or(start, |(_, value)| value);
        Some(found.map(|(name, _)| name))
    }

    /// Goes to an element and gives its place; nothing where there is none.
    fn element(&mut self, wanted: usize) -> Option<Option<usize>> {
        let start = self.at;
        if self.peek()? != b'[' {
            return Some((wanted == 0 && self.peek()? == b'{').then_some(start));
        }
        self.at += 1;
        let mut index = 0;
        loop {
            self.space();
            match self.peek()? {
                b']' => {
                    self.at = start;
                    return Some(None);
                }
                b',' => self.at += 1,
                _ if index == wanted => return Some(Some(self.at)),
                _ => {
                    self.value()?;
                    index += 1;
                }
            }
        }
    }

    /// Passes a string and gives it with its quotes.
    fn string(&mut self) -> Option<&'t [u8]> {
        let start = self.at;
        if self.peek()? != b'"' {
            return None;
        }
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.bytes.get(start..self.at)
    }

    /// Passes a value.
    fn value(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => drop(self.string()?),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b'}' | b']' if depth == 0 => return Some(()),
                _ => self.at += 1,
            }
            if depth == 0 && matches!(self.peek()?, b',' | b'}' | b']') {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{
  "triggers": [
    {"name": "a,]}\"b"},
    {
      "name": "t", "na\u006de2": 1,
      "action": {
        "notify": [ { "fields": { "a b":
           "x" } } ]
      },
      "match_expression": "first",
      "match_expression": "second"
    }
  ],
  "n": [1, -2.5e3 , true]
}"#;

    #[test]
    fn the_line_of_a_path() {
        let trigger = Path::root("triggers").index(1);
        let action = trigger.attribute("action").index(0);
        for (path, line) in [
            (Path::default(), 1),
            (Path::root("triggers"), 2),
            (Path::root("triggers").index(0).attribute("name"), 3),
            (trigger.clone(), 4),
            (trigger.attribute("name2"), 5),
            (action.clone(), 6),
            (action.attribute("notify").index(0).attribute("fields").key("a b"), 7),
            // Of repeated members the last counts.
            (trigger.attribute("match_expression"), 11),
            // What is not there is told at what is around it.
            (trigger.attribute("event_names"), 4),
            (Path::root("triggers").index(7), 2),
            (action.attribute("notify").index(0).attribute("title"), 7),
            (Path::root("n").index(2), 14),
        ] {
            assert_eq!(line_of(TEXT, &path), Some(line), "{path}");
        }
        for text in ["", "{", "{\"triggers", "{\"triggers\": [{", "{\"triggers\": \""] {
            assert_eq!(line_of(text, &trigger), None, "{text}");
        }
    }
}
