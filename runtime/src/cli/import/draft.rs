//! A trigger on its way from another product's format into HCL.

use serde_json::{Map, Value, json};
use trailwire_engine::check;
use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::expr::Expr;
use trailwire_engine::lang::Language;
use trailwire_engine::matcher::is_read_only_name;
use trailwire_engine::trigger::Trigger;

use super::lift::{self, Lifted};

/// A trigger's name has at most so many characters.
pub(super) const LONGEST_NAME: usize = 40;

/// A trigger, and what is to be said of it.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// The rule's own name.
    pub(super) title: String,
    /// The trigger's name: lower-case letters, digits and hyphens.
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) severity: Option<&'static str>,
    pub(super) disabled: bool,
    /// Empty: any event.
    pub(super) event_names: Vec<String>,
    pub(super) event_sources: Vec<String>,
    /// The match as the attribute has it: text, for an event pattern its JSON.
    pub(super) matching: Option<(Language, Value)>,
    pub(super) include_read_only: bool,
    /// Empty: all.
    pub(super) account_ids: Vec<String>,
    /// Empty: all.
    pub(super) regions: Vec<String>,
    /// Where it comes from, for a comment.
    pub(super) origin: Vec<String>,
    /// What could not be carried over, each a sentence.
    pub(super) notes: Vec<String>,
}

/// Where the triggers are to be.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// An HCL expression; `None` for a module of its own.
    pub(super) hub: Option<String>,
    pub(super) destinations: Vec<String>,
}

impl Draft {
    /// An empty draft of this name.
    pub(super) fn new(title: &str) -> Self {
        Self { title: title.to_owned(), name: name_of(title), ..Self::default() }
    }

    /// Makes `expr` the match, names and sources taken out of it.
    pub(super) fn matches(&mut self, expr: &Expr) -> Lifted {
        let (lifted, rest) = lift::take(expr);
        self.event_names.clone_from(&lifted.names);
        self.event_sources.clone_from(&lifted.sources);
        self.matching = rest.map(|rest| (Language::JmesPath, Value::from(rest.to_string())));
        lifted
    }

    /// Read-only events count where one of the names is of such, and where any name is meant.
    pub(super) fn include_read_only_where_needed(&mut self) {
        let source = match self.event_sources.as_slice() {
            [source] => Some(source.as_str()),
            _ => None,
        };
        self.include_read_only = self.event_names.is_empty() || self.event_names.iter().any(|name| is_read_only_name(name, source));
    }

    /// What the engine refuses in it, drawn; `None` where it is accepted.
    pub(super) fn fault(&self) -> Option<String> {
        let drawn = |diagnostics: &[Diagnostic]| {
            let errors: Vec<String> =
                diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).map(|error| error.message.clone()).collect();
            (!errors.is_empty()).then(|| errors.join("; "))
        };
        match Trigger::from_value(&self.document()) {
            Ok(trigger) => drawn(&check::check_trigger(&trigger)),
            Err(diagnostics) => drawn(&diagnostics),
        }
    }

    /// The document that the HCL stands for.
    pub(super) fn document(&self) -> Value {
        let mut document = Map::from_iter([
            ("name".to_owned(), json!(self.name)),
            ("enabled".to_owned(), json!(!self.disabled)),
            ("any_event".to_owned(), json!(self.event_names.is_empty())),
            ("include_read_only".to_owned(), json!(self.include_read_only)),
            ("action".to_owned(), json!([{"notify": [{"destinations": ["d"]}]}])),
        ]);
        let texts = |texts: &[String]| (!texts.is_empty()).then(|| json!(texts));
        let written = [
            ("description", self.description.as_ref().map(|text| json!(text))),
            ("severity", self.severity.map(|severity| json!(severity))),
            ("event_names", texts(&self.event_names)),
            ("event_sources", texts(&self.event_sources)),
            ("account_ids", texts(&self.account_ids)),
            ("regions", texts(&self.regions)),
        ];
        document.extend(written.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        if let Some((language, value)) = &self.matching {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            document.insert(language.attribute().to_owned(), json!(text));
        }
        Value::Object(document)
    }
}

/// A trigger's name out of any text: `AWS Root Credentials` is `aws-root-credentials`, `VpcChanges` is `vpc-changes`.
fn name_of(title: &str) -> String {
    let mut name = String::new();
    let mut last = ' ';
    for character in title.chars() {
        let begins_word = character.is_ascii_uppercase() && (last.is_ascii_lowercase() || last.is_ascii_digit());
        if !character.is_ascii_alphanumeric() || begins_word {
            name.push('-');
        }
        if character.is_ascii_alphanumeric() {
            name.push(character.to_ascii_lowercase());
        }
        last = character;
    }
    let words: Vec<&str> = name.split('-').filter(|word| !word.is_empty()).collect();
    let name = words.join("-");
    let begins_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    let name = if begins_well { name } else { format!("rule-{name}") };
    cut(name.trim_end_matches('-'), LONGEST_NAME).to_owned()
}

/// At most so many characters, ended at a hyphen if there is one in the second half.
pub(super) fn cut(name: &str, longest: usize) -> &str {
    if name.len() <= longest {
        return name;
    }
    let head = name.get(..longest).unwrap_or(name);
    let whole_words = head.rsplit_once('-').map_or(head, |(words, _)| words);
    if whole_words.len() >= longest / 2 { whole_words } else { head }.trim_end_matches('-')
}

/// A text of several lines as one.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_gives_a_name() {
        let cases = [
            ("AWS Root Credentials", "aws-root-credentials"),
            ("  --S3 'bucket' (public)!", "s3-bucket-public"),
            ("2 keys", "rule-2-keys"),
            ("été", "t"),
            ("…", "rule"),
            ("A user was added to a group that may do everything there is", "a-user-was-added-to-a-group-that-may-do"),
            ("VpcChanges, S3Bucket, IAMUser", "vpc-changes-s3-bucket-iamuser"),
            ("AVERYLONGNAMEWITHOUTANYSPACETHATGOESONANDONANDON", "averylongnamewithoutanyspacethatgoesonan"),
        ];
        for (title, name) in cases {
            assert_eq!(name_of(title), name);
            assert!(name.len() <= LONGEST_NAME);
        }
    }
}
