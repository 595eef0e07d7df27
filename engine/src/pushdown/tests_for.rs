//! From a set of values of a field to tests that all of them satisfy.

use super::Mode;
use crate::expr::{Comparator, Network};
use crate::pattern::{Bound, Excluded, Range, Scalar, Test, address_of, can_be_pushed_as_name};
use crate::shape::{Arrays, Kinds, Numbers, Set, Strings};
use crate::value::{Number, Value, float, integer};

/// What is known of the value at a path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The types that it can have.
    pub(super) kinds: Kinds,
    /// Whether `{"exists": false}` says that it is missing.
    pub(super) tells_absence: bool,
}

/// The tests and what they are worth.
pub(super) struct Found {
    /// None where no value of the set is possible at all.
    pub(super) tests: Vec<Test>,
    /// Whether nothing else satisfies them.
    pub(super) exact: bool,
    /// Whether the value is then neither array nor object.
    pub(super) single: bool,
}

/// Tests of the field at `path` that hold for every value of the set that is possible there.
///
/// # Errors
/// Why there are none.
pub(super) fn tests_for(path: &[&str], set: &Set, place: Place, mode: Mode) -> Result<Found, String> {
    if let Some(name) = path.iter().find(|name| !can_be_pushed_as_name(name)) {
        return Err(format!("`{name}` means something else to EventBridge than a member's name"));
    }
    let kinds = place.kinds;
    let mut writer = Writer { tests: Vec::new(), exact: set.exact, rest: false, mode };
    if kinds.has(Kinds::STRING) {
        set.strings.iter().try_for_each(|strings| writer.strings(strings))?;
    }
    if kinds.has(Kinds::NUMBER) {
        writer.numbers(&set.numbers)?;
    }
    if kinds.has(Kinds::BOOLEAN) && !writer.rest {
        for (wanted, truth) in [(set.booleans.0, false), (set.booleans.1, true)] {
            if wanted {
                writer.push(Test::Equals(Scalar::Bool(truth)));
            }
        }
    }
    if kinds.has(Kinds::ARRAY) {
        set.arrays.iter().try_for_each(|arrays| writer.arrays(arrays))?;
    }
    let null = set.null && kinds.has(Kinds::NULL);
    if null && !writer.rest {
        writer.push(Test::Equals(Scalar::Null));
    }
    let empty_array = kinds.has(Kinds::ARRAY) && set.arrays.contains(&Arrays::Empty);
    let objects = kinds.has(Kinds::OBJECT) && (set.objects.0 || set.objects.1);
    if null || empty_array || objects {
        if !place.tells_absence {
            return Err("the field can be missing, and a pattern cannot be sure of that here".to_owned());
        }
        writer.push(Test::Exists(false));
    }
    let scalars = Kinds::NULL.with(Kinds::BOOLEAN).with(Kinds::STRING).with(Kinds::NUMBER);
    // `anything-but` fits null, booleans and numbers, too.
    let rest_is_wanted = set.null && !kinds.has(Kinds::BOOLEAN.with(Kinds::NUMBER));
    let exact = writer.exact && kinds.within(scalars) && (!writer.rest || rest_is_wanted);
    let single = (!kinds.has(Kinds::ARRAY) || set.arrays.is_empty()) && !objects;
    Ok(Found { tests: writer.tests, exact, single })
}

struct Writer {
    tests: Vec<Test>,
    exact: bool,
    /// Whether there is an `anything-but`: numbers, booleans and null satisfy it.
    rest: bool,
    mode: Mode,
}

impl Writer {
    fn push(&mut self, test: Test) {
        if !self.tests.contains(&test) {
            self.tests.push(test);
        }
    }

    fn push_inexact(&mut self, test: Test) {
        self.exact = false;
        self.push(test);
    }

    fn anything_but(&mut self, excluded: Excluded) {
        self.rest = true;
        self.push(Test::AnythingBut(excluded));
    }

    fn strings(&mut self, strings: &Strings) -> Result<(), String> {
        // EventBridge compares with the quotes on, so a quote at the end of a prefix can be the string's own end.
        let quoted = || Err("EventBridge takes the quote for the end of the string".to_owned());
        match strings {
            Strings::All => self.push(Test::Prefix(String::new())),
            Strings::Is(text) => {
                self.exact &= address_of(text).is_none();
                self.push(Test::Equals(Scalar::String(text.clone())));
            }
            Strings::NotIn(texts) => self.anything_but(Excluded::Strings(texts.clone())),
            Strings::Prefix(text) => {
                self.exact &= !text.ends_with('"');
                self.push(Test::Prefix(text.clone()));
            }
            Strings::Suffix(text) => {
                self.exact &= !text.starts_with('"');
                self.push(Test::Suffix(text.clone()));
            }
            Strings::NotPrefix(text) | Strings::NotSuffix(text) if text.is_empty() => {}
            Strings::NotPrefix(text) if text.ends_with('"') => return quoted(),
            Strings::NotSuffix(text) if text.starts_with('"') => return quoted(),
            Strings::NotPrefix(text) => self.anything_but(Excluded::Prefixes(vec![text.clone()])),
            Strings::NotSuffix(text) => self.anything_but(Excluded::Suffixes(vec![text.clone()])),
            Strings::Contains(_) | Strings::NotContains(_) if self.mode != Mode::Full => {
                return Err("it takes a wildcard, which only `push_down = \"full\"` may spend".to_owned());
            }
            Strings::Contains(text) => self.push(Test::Wildcard(containing(text))),
            Strings::NotContains(text) => self.anything_but(Excluded::Wildcards(vec![containing(text)])),
            Strings::IsIgnoringCase(text) => self.push(Test::EqualsIgnoringCase(text.clone())),
            Strings::NotIgnoringCase(texts) => self.anything_but(Excluded::IgnoringCase(texts.clone())),
            Strings::PrefixIgnoringCase(text) => {
                self.exact &= !text.ends_with('"');
                self.push(Test::PrefixIgnoringCase(text.clone()));
            }
            Strings::SuffixIgnoringCase(text) => {
                self.exact &= !text.starts_with('"');
                self.push(Test::SuffixIgnoringCase(text.clone()));
            }
            Strings::InNetwork(network, _) => self.network(*network)?,
        }
        Ok(())
    }

    /// An IPv4 address can be written as IPv6 (`::ffff:10.0.0.1`), which EventBridge does not read with dots in it. All those
    /// texts begin with a colon or a zero.
    fn network(&mut self, network: Network) -> Result<(), String> {
        let address = u32::try_from(network.address).ok().filter(|_| network.v4);
        let Some(address) = address.map(std::net::Ipv4Addr::from_bits) else {
            return Err("IPv6 addresses have spellings that EventBridge does not read".to_owned());
        };
        let bits = network.mask.count_ones();
        self.push_inexact(if bits == 32 {
            Test::Equals(Scalar::String(address.to_string()))
        } else {
            Test::Cidr(format!("{address}/{bits}"))
        });
        self.push(Test::Prefix(":".to_owned()));
        self.push(Test::Prefix("0".to_owned()));
        Ok(())
    }

    fn numbers(&mut self, numbers: &[Numbers]) -> Result<(), String> {
        for some in numbers {
            match some {
                Numbers::Is(number) => {
                    safe(number)?;
                    self.push(Test::Equals(Scalar::Number(number.clone())));
                }
                _ if self.rest => {}
                Numbers::NotIn(list) => {
                    list.iter().try_for_each(safe)?;
                    self.anything_but(Excluded::Numbers(list.clone()));
                }
                Numbers::Compared(comparator, number) => {
                    safe(number)?;
                    self.push(Test::Numeric(range(*comparator, number)?));
                }
                Numbers::All => return Err("a pattern has no test for every number".to_owned()),
            }
        }
        Ok(())
    }

    fn arrays(&mut self, arrays: &Arrays) -> Result<(), String> {
        let element = match arrays {
            // Said with what is missing.
            Arrays::Empty => return Ok(()),
            Arrays::With(Value::Null) => Scalar::Null,
            Arrays::With(Value::Bool(truth)) => Scalar::Bool(*truth),
            Arrays::With(Value::Number(number)) => {
                safe(number)?;
                Scalar::Number(number.clone())
            }
            Arrays::With(Value::String(text)) => Scalar::String(text.clone()),
            Arrays::With(_) | Arrays::All => return Err("the field can be an array, of which a pattern sees the elements only".to_owned()),
        };
        self.push(Test::Equals(element));
        Ok(())
    }
}

/// A wildcard for texts in which `text` stands.
fn containing(text: &str) -> String {
    format!("*{}*", text.replace('\\', "\\\\").replace('*', "\\*"))
}

/// A range with one end. EventBridge does not compare numbers of more digits than a double holds, so it is only of use with a
/// second end; [`super::draft`] sees to that.
fn range(comparator: Comparator, number: &Number) -> Result<Range, String> {
    let end = |bound| Some((number.clone(), bound));
    match comparator {
        Comparator::Greater => Ok(Range::Between { bottom: end(Bound::Excluded), top: None }),
        Comparator::GreaterOrEqual => Ok(Range::Between { bottom: end(Bound::Included), top: None }),
        Comparator::Less => Ok(Range::Between { bottom: None, top: end(Bound::Excluded) }),
        Comparator::LessOrEqual => Ok(Range::Between { bottom: None, top: end(Bound::Included) }),
        Comparator::Equal | Comparator::NotEqual => Err("it is no range".to_owned()),
    }
}

/// Numbers of at most 15 digits are the same to everybody.
fn safe(number: &Number) -> Result<(), String> {
    const MOST: u128 = 999_999_999_999_999;
    let digits = || format!("{:e}", float(number)).chars().take_while(|letter| *letter != 'e').filter(char::is_ascii_digit).count();
    let is_safe = integer(number).map_or_else(|| digits() <= 15, |whole| whole.unsigned_abs() <= MOST);
    if is_safe { Ok(()) } else { Err(format!("EventBridge does not compare numbers of so many digits as {number}")) }
}
