//! Sets of values of one field, as far as tests of a field can tell them apart.

use super::{Atom, Kinds, Question, Step};
use crate::expr::{Comparator, Network};
use crate::value::{Number, Value, compare_numbers, equal};

/// A set of values. Missing and null are one, as in an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Set {
    /// Whether null, and so a missing field, is in it.
    pub null: bool,
    /// Whether `false` and whether `true` is.
    pub booleans: (bool, bool),
    /// Which numbers are: any of these.
    pub numbers: Vec<Numbers>,
    /// Which strings are: any of these.
    pub strings: Vec<Strings>,
    /// Which arrays are: any of these.
    pub arrays: Vec<Arrays>,
    /// Whether `{}` and whether other objects are.
    pub objects: (bool, bool),
    /// Whether, arrays and objects apart, it is no larger than what it stands for.
    pub exact: bool,
}

/// Some numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// Every number.
    All,
    /// This one.
    Is(Number),
    /// Every other than these.
    NotIn(Vec<Number>),
    /// Those that compare so.
    Compared(Comparator, Number),
}

/// Some strings.
#[derive(Debug, Clone, PartialEq)]
pub enum Strings {
    /// Every string.
    All,
    /// This one.
    Is(String),
    /// Every other than these.
    NotIn(Vec<String>),
    /// Those that begin so.
    Prefix(String),
    /// Those that do not.
    NotPrefix(String),
    /// Those that end so.
    Suffix(String),
    /// Those that do not.
    NotSuffix(String),
    /// Those in which it stands.
    Contains(String),
    /// Those in which it does not.
    NotContains(String),
    /// Those that are it but for ASCII case. It is ASCII.
    IsIgnoringCase(String),
    /// Those that are not.
    NotIgnoringCase(Vec<String>),
    /// Those that begin so but for ASCII case. It is ASCII.
    PrefixIgnoringCase(String),
    /// Those that end so but for ASCII case. It is ASCII.
    SuffixIgnoringCase(String),
    /// Addresses in the network, with its text.
    InNetwork(Network, String),
}

/// Some arrays.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrays {
    /// Every array.
    All,
    /// `[]`.
    Empty,
    /// Those that have an element equal to it.
    With(Value),
}

/// For which values of the field a question is answered how.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcomes {
    /// True inside an expression.
    pub truth: Set,
    /// Not true inside an expression.
    pub falsehood: Set,
    /// True as a verdict.
    pub verdict: Set,
    /// An error.
    pub error: Set,
}

impl Set {
    /// No value.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            null: false,
            booleans: (false, false),
            numbers: Vec::new(),
            strings: Vec::new(),
            arrays: Vec::new(),
            objects: (false, false),
            exact: true,
        }
    }

    /// Every value.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            null: true,
            booleans: (true, true),
            numbers: vec![Numbers::All],
            strings: vec![Strings::All],
            arrays: vec![Arrays::All],
            objects: (true, true),
            exact: true,
        }
    }

    /// Both.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.null |= other.null;
        self.booleans = (self.booleans.0 || other.booleans.0, self.booleans.1 || other.booleans.1);
        self.numbers.extend(other.numbers);
        self.strings.extend(other.strings);
        self.arrays.extend(other.arrays);
        self.objects = (self.objects.0 || other.objects.0, self.objects.1 || other.objects.1);
        self.exact &= other.exact;
        self
    }

    fn strings(strings: Strings) -> Self {
        Self { strings: vec![strings], ..Self::nothing() }
    }

    fn inexact(self) -> Self {
        Self { exact: false, ..self }
    }

    /// The values equal to a literal.
    fn equal_to(value: &Value) -> Self {
        let nothing = Self::nothing();
        match value {
            Value::Null => Self { null: true, ..nothing },
            Value::Bool(truth) => Self { booleans: (!truth, *truth), ..nothing },
            Value::Number(number) => Self { numbers: vec![Numbers::Is(number.clone())], ..nothing },
            Value::String(text) => Self::strings(Strings::Is(text.clone())),
            Value::Array(elements) if elements.is_empty() => Self { arrays: vec![Arrays::Empty], ..nothing },
            Value::Array(_) => Self { arrays: vec![Arrays::All], ..nothing },
            Value::Object(members) => Self { objects: (members.is_empty(), !members.is_empty()), ..nothing },
        }
    }

    /// The values equal to none of the literals.
    fn other_than(values: &[Value]) -> Self {
        let mut set = Self::everything();
        let mut numbers = Vec::new();
        let mut texts = Vec::new();
        for value in values {
            match value {
                Value::Null => set.null = false,
                Value::Bool(false) => set.booleans.0 = false,
                Value::Bool(true) => set.booleans.1 = false,
                Value::Number(number) => numbers.push(number.clone()),
                Value::String(text) => texts.push(text.clone()),
                // Of arrays and objects too many are in it.
                Value::Array(_) | Value::Object(_) => {}
            }
        }
        if !numbers.is_empty() {
            set.numbers = vec![Numbers::NotIn(numbers)];
        }
        if !texts.is_empty() {
            set.strings = vec![Strings::NotIn(texts)];
        }
        set
    }

    /// The values that are true inside an expression.
    fn truths() -> Self {
        Self {
            null: false,
            booleans: (false, true),
            strings: vec![Strings::NotIn(vec![String::new()])],
            objects: (false, true),
            ..Self::everything()
        }
    }

    /// The values that are not.
    fn falsehoods() -> Self {
        Self {
            null: true,
            booleans: (true, false),
            strings: vec![Strings::Is(String::new())],
            arrays: vec![Arrays::Empty],
            objects: (true, false),
            ..Self::nothing()
        }
    }

    /// The values that are true as a verdict.
    fn verdicts() -> Self {
        let truths = Self::truths();
        Self { numbers: vec![Numbers::NotIn(vec![Number::from(0)])], objects: (true, true), ..truths }
    }

    fn other_than_strings() -> Self {
        Self { strings: Vec::new(), ..Self::everything() }
    }

    /// Whether a value is in it; true, too, where it is not known.
    #[must_use]
    pub fn may_hold(&self, value: &Value) -> bool {
        match value {
            Value::Null => self.null,
            Value::Bool(truth) => {
                if *truth {
                    self.booleans.1
                } else {
                    self.booleans.0
                }
            }
            Value::Number(number) => self.numbers.iter().any(|numbers| numbers.hold(number)),
            Value::String(text) => self.strings.iter().any(|strings| strings.hold(text)),
            Value::Array(elements) => self.arrays.iter().any(|arrays| match arrays {
                Arrays::All => true,
                Arrays::Empty => elements.is_empty(),
                Arrays::With(wanted) => elements.iter().any(|element| equal(element, wanted)),
            }),
            Value::Object(members) => {
                if members.is_empty() {
                    self.objects.0
                } else {
                    self.objects.1
                }
            }
        }
    }

    /// The values that a step takes into this set; what makes the step err is not among them.
    fn before(self, step: Step<'_>) -> Self {
        match step {
            Step::OrElse(default) => {
                let falsehoods = if self.may_hold(default) { Self::falsehoods() } else { Self::nothing() };
                let mut kept = Self { null: false, booleans: (false, self.booleans.1), objects: (false, self.objects.1), ..self };
                kept.strings = kept.strings.into_iter().filter_map(Strings::without_empty).collect();
                kept.arrays.retain(|arrays| *arrays != Arrays::Empty);
                let too_much = kept.strings.iter().any(|strings| strings.hold(""));
                kept.exact &= !too_much || falsehoods != Self::nothing();
                // Of arrays and objects a set holds too many: whether the default is among them is not sure.
                kept.exact &= falsehoods == Self::nothing() || !is_container(default);
                kept.with(falsehoods)
            }
            Step::NotNull(default) => {
                let null = self.may_hold(default);
                Self { null, exact: self.exact && !(null && is_container(default)), ..self }
            }
            Step::Lower => self.before_case(|text| !text.bytes().any(|byte| byte.is_ascii_uppercase())),
            Step::Upper => self.before_case(|text| !text.bytes().any(|byte| byte.is_ascii_lowercase())),
            Step::Type => self.before_type(),
        }
    }

    /// The values whose type's name is in the set.
    fn before_type(&self) -> Self {
        let hold = |name: &str| self.strings.iter().any(|strings| strings.hold(name));
        let (boolean, object) = (hold("boolean"), hold("object"));
        Self {
            null: hold("null"),
            booleans: (boolean, boolean),
            numbers: if hold("number") { vec![Numbers::All] } else { Vec::new() },
            strings: if hold("string") { vec![Strings::All] } else { Vec::new() },
            arrays: if hold("array") { vec![Arrays::All] } else { Vec::new() },
            objects: (object, object),
            exact: self.exact,
        }
    }

    /// The types of its values.
    #[must_use]
    pub fn kinds(&self) -> Kinds {
        [
            (self.null, Kinds::NULL),
            (self.booleans.0 || self.booleans.1, Kinds::BOOLEAN),
            (!self.numbers.is_empty(), Kinds::NUMBER),
            (!self.strings.is_empty(), Kinds::STRING),
            (!self.arrays.is_empty(), Kinds::ARRAY),
            (self.objects.0 || self.objects.1, Kinds::OBJECT),
        ]
        .into_iter()
        .filter(|(is, _)| *is)
        .fold(Kinds::NOTHING, |all, (_, kind)| all.with(kind))
    }

    /// The strings that are in the set once their case is changed; `fits` tells whether a text can come out of that.
    fn before_case(self, fits: fn(&str) -> bool) -> Self {
        let mut exact = self.exact;
        let mut strings = Vec::new();
        for some in self.strings {
            strings.push(match some {
                Strings::Is(text) | Strings::Prefix(text) | Strings::Suffix(text) if !fits(&text) => continue,
                Strings::Is(text) if text.is_ascii() => Strings::IsIgnoringCase(text),
                Strings::Prefix(text) if text.is_ascii() => Strings::PrefixIgnoringCase(text),
                Strings::Suffix(text) if text.is_ascii() => Strings::SuffixIgnoringCase(text),
                Strings::NotIn(texts) if texts.iter().all(|text| text.is_ascii()) => {
                    let texts: Vec<String> = texts.into_iter().filter(|text| fits(text)).collect();
                    if texts.is_empty() { Strings::All } else { Strings::NotIgnoringCase(texts) }
                }
                Strings::All => Strings::All,
                _ => {
                    exact = false;
                    Strings::All
                }
            });
        }
        Self { strings, exact, ..Self::nothing() }
    }
}

fn is_container(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

impl Numbers {
    fn hold(&self, number: &Number) -> bool {
        let same = |other: &Number| compare_numbers(number, other).is_eq();
        match self {
            Self::All => true,
            Self::Is(other) => same(other),
            Self::NotIn(others) => !others.iter().any(same),
            Self::Compared(comparator, other) => {
                let order = compare_numbers(number, other);
                match comparator {
                    Comparator::Less => order.is_lt(),
                    Comparator::LessOrEqual => order.is_le(),
                    Comparator::Greater => order.is_gt(),
                    Comparator::GreaterOrEqual => order.is_ge(),
                    Comparator::Equal => order.is_eq(),
                    Comparator::NotEqual => order.is_ne(),
                }
            }
        }
    }
}

impl Strings {
    /// These without the empty one, as far as that can be said.
    fn without_empty(self) -> Option<Self> {
        match self {
            Self::Is(text) if text.is_empty() => None,
            Self::All => Some(Self::NotIn(vec![String::new()])),
            Self::NotIn(mut texts) => {
                if !texts.iter().any(String::is_empty) {
                    texts.push(String::new());
                }
                Some(Self::NotIn(texts))
            }
            same => Some(same),
        }
    }

    /// Whether a text is among them.
    #[must_use]
    pub fn hold(&self, text: &str) -> bool {
        let lower = |text: &str| text.to_ascii_lowercase();
        match self {
            Self::All => true,
            Self::Is(other) => text == other,
            Self::NotIn(others) => !others.iter().any(|other| other == text),
            Self::Prefix(other) => text.starts_with(other.as_str()),
            Self::NotPrefix(other) => !text.starts_with(other.as_str()),
            Self::Suffix(other) => text.ends_with(other.as_str()),
            Self::NotSuffix(other) => !text.ends_with(other.as_str()),
            Self::Contains(other) => text.contains(other.as_str()),
            Self::NotContains(other) => !text.contains(other.as_str()),
            Self::IsIgnoringCase(other) => text.eq_ignore_ascii_case(other),
            Self::NotIgnoringCase(others) => !others.iter().any(|other| other.eq_ignore_ascii_case(text)),
            Self::PrefixIgnoringCase(other) => lower(text).starts_with(&lower(other)),
            Self::SuffixIgnoringCase(other) => lower(text).ends_with(&lower(other)),
            Self::InNetwork(network, _) => text.parse().is_ok_and(|address| network.contains(address)),
        }
    }
}

impl Atom<'_> {
    /// For which values of the field the atom is true, is not, errs.
    #[must_use]
    pub fn outcomes(&self) -> Outcomes {
        let mut outcomes = self.question.outcomes();
        for step in self.operand.steps.iter().rev() {
            let error = match step {
                Step::Lower | Step::Upper => outcomes.error.before(*step).with(Set::other_than_strings()),
                Step::OrElse(_) | Step::NotNull(_) | Step::Type => outcomes.error.before(*step),
            };
            outcomes = Outcomes {
                truth: outcomes.truth.before(*step),
                falsehood: outcomes.falsehood.before(*step),
                verdict: outcomes.verdict.before(*step),
                error,
            };
        }
        outcomes
    }
}

impl Question<'_> {
    fn outcomes(&self) -> Outcomes {
        let of = |truth: Set, falsehood: Set, error: Set| Outcomes { verdict: truth.clone(), truth, falsehood, error };
        let on_strings = |truth: Set, falsehood: Set| of(truth, falsehood, Set::other_than_strings());
        match self {
            Self::Truth => Outcomes { truth: Set::truths(), falsehood: Set::falsehoods(), verdict: Set::verdicts(), error: Set::nothing() },
            Self::Compared(Comparator::Equal, value) => {
                of(Set::equal_to(value), Set::other_than(std::slice::from_ref(value)), Set::nothing())
            }
            Self::Compared(Comparator::NotEqual, value) => {
                of(Set::other_than(std::slice::from_ref(value)), Set::equal_to(value), Set::nothing())
            }
            Self::Compared(comparator, value) => ordered(*comparator, value),
            Self::StartsWith(text) => {
                on_strings(Set::strings(Strings::Prefix((*text).to_owned())), Set::strings(Strings::NotPrefix((*text).to_owned())))
            }
            Self::EndsWith(text) => {
                on_strings(Set::strings(Strings::Suffix((*text).to_owned())), Set::strings(Strings::NotSuffix((*text).to_owned())))
            }
            Self::Contains(value) => contains(value),
            Self::OneOf(values) => {
                let truth = values.iter().fold(Set::nothing(), |all, value| all.with(Set::equal_to(value)));
                of(truth, Set::other_than(values), Set::nothing())
            }
            Self::InNetwork(network, text) => {
                on_strings(Set::strings(Strings::InNetwork(*network, (*text).to_owned())), Set::strings(Strings::All).inexact())
            }
            Self::Matches => on_strings(Set::strings(Strings::All).inexact(), Set::strings(Strings::All).inexact()),
        }
    }
}

fn ordered(comparator: Comparator, value: &Value) -> Outcomes {
    let (truth, falsehood) = match value {
        Value::Number(number) => {
            let opposite = match comparator {
                Comparator::Less => Comparator::GreaterOrEqual,
                Comparator::LessOrEqual => Comparator::Greater,
                Comparator::Greater => Comparator::LessOrEqual,
                _ => Comparator::Less,
            };
            let some = |comparator| vec![Numbers::Compared(comparator, number.clone())];
            (Set { numbers: some(comparator), ..Set::nothing() }, Set { numbers: some(opposite), ..Set::everything() })
        }
        Value::String(_) => (Set::strings(Strings::All).inexact(), Set::everything().inexact()),
        _ => (Set::nothing(), Set::everything()),
    };
    Outcomes { verdict: truth.clone(), truth, falsehood, error: Set::nothing() }
}

/// `contains(field, value)`: in a string, only a string can stand; in an array, any value. Other types err.
fn contains(value: &Value) -> Outcomes {
    let (inside, outside) = match value {
        Value::String(text) if text.is_empty() => (vec![Strings::All], Vec::new()),
        Value::String(text) => (vec![Strings::Contains(text.clone())], vec![Strings::NotContains(text.clone())]),
        _ => (Vec::new(), vec![Strings::All]),
    };
    let truth = Set { strings: inside, arrays: vec![Arrays::With(value.clone())], ..Set::nothing() };
    let falsehood = Set { strings: outside, arrays: vec![Arrays::All], ..Set::nothing() };
    let error = Set { arrays: Vec::new(), ..Set::other_than_strings() };
    Outcomes { verdict: truth.clone(), truth, falsehood, error }
}
