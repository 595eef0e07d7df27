//! Every code there is. A number keeps its meaning for ever and is never used again.
//!
//! | range | about |
//! | --- | --- |
//! | 1000-1099 | the form of documents and configuration |
//! | 1100-1199 | the meaning of single attributes |
//! | 2000-2099 | JMESPath: syntax |
//! | 2100-2199 | JMESPath: functions, types and traps |
//! | 2200-2299 | filter patterns |
//! | 2300-2399 | event patterns |
//! | 2400-2499 | event names and sources |
//! | 2500-2599 | searches of logs |
//! | 4000-4999 | AWS and the fan-out |
//! | 5000-5999 | the provider itself |
//! | 6000-6999 | the runtime |

use std::fmt;

/// The number of a diagnostic, printed as `TW2101`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TW{:04}", self.0)
    }
}

impl Code {
    /// The code that is printed so, if there is one: `TW2101`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("TW").filter(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        let code = Self(digits.parse().ok()?);
        Self::ALL.iter().any(|(known, _)| *known == code).then_some(code)
    }

    /// Whether the `allow` of a trigger silences it.
    #[must_use]
    pub fn is_silenceable(self) -> bool {
        self.silenced() != Silenced::Never
    }

    /// Whether one trigger, alone, tells whether it occurs.
    #[must_use]
    pub fn is_told_alone(self) -> bool {
        self.silenced() != Silenced::BesideOthers
    }

    fn silenced(self) -> Silenced {
        Self::SILENCED.iter().find(|(code, _)| *code == self).map_or(Silenced::Never, |(_, silenced)| *silenced)
    }
}

/// What the `allow` of a trigger does to a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Silenced {
    /// Nothing: form, syntax, and what AWS would refuse.
    Never,
    /// Silences it. One trigger tells whether it occurs.
    Alone,
    /// Silences it. Whether it occurs depends on other triggers or on the hub, too.
    BesideOthers,
}

macro_rules! silenced {
    () => {
        Silenced::Never
    };
    (silenceable) => {
        Silenced::Alone
    };
    (silenceable_beside_others) => {
        Silenced::BesideOthers
    };
}

/// `NAME = number;`, with `, silenceable` behind the number where `allow` silences the code (`, silenceable_beside_others` where
/// more than the trigger decides whether it occurs).
macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal $(, $silenced:ident)?;)*) => {
        impl Code {
            $($(#[doc = $doc])* pub const $name: Self = Self($number);)*

            /// All of them, in order of definition.
            pub const ALL: &'static [(Self, &'static str)] = &[$((Self($number), concat!($($doc),*)),)*];

            const SILENCED: &'static [(Self, Silenced)] = &[$((Self($number), silenced!($($silenced)?)),)*];
        }
    };
}

codes! {
    /// A document is not JSON.
    NOT_JSON = 1000;
    /// A value has another type than the one asked for.
    WRONG_TYPE = 1001;
    /// A member or attribute that nobody knows.
    UNKNOWN_MEMBER = 1002;
    /// Something that must be given is not.
    MISSING = 1003;
    /// A document of a format that this version cannot read.
    FORMAT_VERSION = 1004;
    /// A name twice in one document.
    DUPLICATE_NAME = 1005;
    /// A block of which there must be exactly one, or another number.
    BLOCK_COUNT = 1006;

    /// A name that does not fit its rule.
    BAD_NAME = 1100;
    /// An empty list or text where leaving it out means something else.
    EMPTY = 1101;
    /// A text that is not one of the allowed ones.
    NOT_ONE_OF = 1102;
    /// A length of time that cannot be read or is out of bounds.
    BAD_DURATION = 1103;
    /// Two attributes that exclude each other, or one that needs another.
    CONFLICT = 1104;
    /// An address that cannot be used.
    BAD_URL = 1105;
    /// A template that cannot be read.
    BAD_TEMPLATE = 1106;
    /// A region, account or ARN that is not one.
    BAD_AWS_NAME = 1107;
    /// A number out of bounds.
    OUT_OF_RANGE = 1108;
    /// A destination that nothing declares, or that cannot do what is asked.
    BAD_DESTINATION = 1109;
    /// A test whose event cannot be read.
    TEST_EVENT = 1110;
    /// A test whose verdict differs from the one expected.
    TEST_VERDICT = 1111;
    /// A match that no event can ever satisfy.
    NEVER_FIRES = 1112;
    /// A definition that is too long to be kept.
    TOO_LONG = 1113;
    /// An `allow` of something that is no code.
    ALLOW_UNKNOWN = 1114;
    /// An `allow` of a code that cannot be silenced.
    ALLOW_REFUSED = 1115;
    /// An `allow` without a reason.
    ALLOW_REASON = 1116;
    /// An `allow` of a code that does not occur.
    ALLOW_UNUSED = 1117, silenceable;
    /// A query of an operation that it may not call.
    UNKNOWN_OPERATION = 1118;
    /// A parameter of a query that its operation does not take, or that it needs.
    BAD_PARAMETER = 1119;
    /// A query's result under a name that is taken.
    RESULT_NAME = 1120;
    /// A member that the answer to a query does not have.
    RESULT_MEMBER = 1121;
    /// A query that the hub does not allow.
    QUERY_REFUSED = 1122;

    /// A character that no JMESPath token begins with.
    UNEXPECTED_CHARACTER = 2000;
    /// A quoted text, literal or raw string without its end.
    UNTERMINATED = 2001;
    /// A token where the grammar wants another.
    UNEXPECTED_TOKEN = 2002;
    /// An expression that ends too early.
    UNEXPECTED_END = 2003;
    /// A quoted identifier with a bad escape, or a number too large.
    BAD_TOKEN = 2004;
    /// An expression that is nested too deeply or is too long.
    TOO_COMPLEX = 2005;
    /// An expression with nothing in it.
    EMPTY_EXPRESSION = 2006;

    /// A function that does not exist.
    UNKNOWN_FUNCTION = 2101;
    /// A function with too few or too many arguments.
    ARITY = 2102;
    /// An argument that can never have the type that the function asks for.
    ARGUMENT_TYPE = 2103;
    /// A regular expression or network that cannot be compiled, or is no literal.
    BAD_LITERAL_ARGUMENT = 2104;
    /// A text in double quotes, which is a field.
    QUOTED_TEXT = 2105, silenceable;
    /// A bare `true`, `false` or `null`, which is a field.
    BARE_CONSTANT = 2106, silenceable;
    /// A bare word that was meant as a text, which is a field.
    BARE_TEXT = 2107, silenceable;
    /// A text such as `'null'` that was meant as null.
    QUOTED_NULL = 2108, silenceable;
    /// `!a.b`, which means `(!a).b` and is never true.
    NOT_BINDS_TIGHTER = 2110, silenceable;
    /// A field compared with a value of a type that it never has.
    NEVER_OF_TYPE = 2111, silenceable;
    /// An order of two values that have none.
    NEVER_ORDERED = 2112, silenceable;
    /// A text that a field is not known to have.
    UNKNOWN_TEXT = 2113, silenceable;
    /// A text that is searched in a literal: arguments in the wrong order.
    SWAPPED_ARGUMENTS = 2114, silenceable;
    /// Something looked for in a text that is no text.
    NEVER_CONTAINS = 2115, silenceable;
    /// A field as an argument of a function that never takes values of its type.
    FIELD_ARGUMENT = 2116, silenceable;
    /// An array as a verdict, which is true even where it is empty.
    ARRAY_VERDICT = 2120, silenceable;
    /// An object or array before `&&`: where it is empty, the match is true.
    EMPTY_DECIDES = 2121, silenceable;
    /// A literal as a condition.
    CONSTANT_OPERAND = 2122, silenceable;
    /// A match, or alternatives, that are always true.
    ALWAYS_TRUE = 2123, silenceable;
    /// Conditions that never hold together.
    CONTRADICTION = 2124, silenceable;
    /// A condition that stands twice.
    REPEATED = 2125, silenceable;
    /// A field of the record that is looked for outside of `detail`.
    OUTSIDE_DETAIL = 2130, silenceable;
    /// A member of the event beside `detail` that there is not.
    UNKNOWN_ENVELOPE_MEMBER = 2131, silenceable;
    /// A field of the record that is spelt wrong.
    MISSPELT_FIELD = 2132, silenceable;
    /// A field of the record that nobody knows.
    UNKNOWN_FIELD = 2133, silenceable;
    /// A step into a value that has no such steps: a member of a text, an element of an object.
    WRONG_STEP = 2134, silenceable;
    /// A function that errs where a field is absent, on one that often is.
    OFTEN_ABSENT = 2135, silenceable;

    /// A text that is no filter pattern for JSON.
    FILTER_FORM = 2200;
    /// A character that no token of a filter pattern begins with.
    FILTER_CHARACTER = 2201;
    /// A quoted text, regular expression or bracket without its end.
    FILTER_UNTERMINATED = 2202;
    /// A token where the filter pattern's grammar wants another.
    FILTER_TOKEN = 2203;
    /// A filter pattern that ends too early.
    FILTER_END = 2204;
    /// A selector that cannot be read.
    FILTER_SELECTOR = 2205;
    /// Something that a value cannot be compared with in this way.
    FILTER_OPERAND = 2206;
    /// A regular expression that cannot be compiled.
    FILTER_REGEX = 2207;
    /// A filter pattern that is nested too deeply or is too long.
    FILTER_TOO_COMPLEX = 2208;
    /// A filter pattern with nothing in it.
    FILTER_EMPTY = 2209;
    /// `$.detail`: `$` is the record already.
    FILTER_DETAIL = 2210, silenceable;
    /// A bare `true` or `false`, which is compared as text.
    FILTER_BOOLEAN = 2211, silenceable;
    /// A network in CIDR form, which is compared as text.
    FILTER_NETWORK = 2212, silenceable;
    /// A comparison that no value fits.
    FILTER_NEVER = 2213, silenceable;

    /// An event pattern that is not JSON.
    PATTERN_SYNTAX = 2300;
    /// An object, array or value where EventBridge wants another, or an empty one.
    PATTERN_SHAPE = 2301;
    /// A test with an unknown operator, or with none or several.
    PATTERN_OPERATOR = 2302;
    /// An operand that the operator does not take.
    PATTERN_OPERAND = 2303;
    /// An `$or` that is none, or a name in it that EventBridge keeps for itself.
    PATTERN_OR = 2304;
    /// A path that is tested twice, of which EventBridge would forget one.
    PATTERN_REPEATED_PATH = 2305;
    /// A pattern with too many characters, wildcards or combinations.
    PATTERN_TOO_LARGE = 2306;

    /// An event source that the catalogue does not know.
    UNKNOWN_EVENT_SOURCE = 2400, silenceable;
    /// An event name that the catalogue does not know.
    UNKNOWN_EVENT_NAME = 2401, silenceable;
    /// The name of an API that CloudTrail writes otherwise.
    RENAMED_EVENT = 2402, silenceable;
    /// An event name that none of the sources has.
    NAME_OF_OTHER_SOURCE = 2403, silenceable;
    /// A read-only event in a trigger whose rules leave such events out.
    READ_ONLY_EVENT = 2404, silenceable;
    /// A data event, which is recorded only where a trail's selectors ask for it.
    DATA_EVENT = 2405, silenceable;
    /// An event that never reaches EventBridge.
    UNRECORDED_EVENT = 2406, silenceable;
    /// An event of a global service, in a scope without the region that records it.
    HOME_REGION = 2407, silenceable_beside_others;
    /// A bus with nearly as many rules as it takes.
    BUS_NEARLY_FULL = 2420, silenceable_beside_others;
    /// A bus with more rules than it takes, unless AWS has raised its quota.
    BUS_FULL = 2421, silenceable_beside_others;
    /// A bus with more rules with wildcards than it takes.
    WILDCARD_RULES = 2422;
    /// Two triggers that tell one destination of the same events.
    SAME_EVENTS = 2423, silenceable_beside_others;
    /// A forwarder that does not carry every event of a trigger that relies on it.
    NOT_FORWARDED = 2424;
    /// A forwarder of every event, read-only ones included.
    EVERY_EVENT = 2425, silenceable;

    /// Something in a search stands where something else should.
    SEARCH_SYNTAX = 2500;
    /// A quoted text or parenthesis of a search without its end.
    SEARCH_UNTERMINATED = 2501;
    /// A field of a search that no record is known to have.
    SEARCH_FIELD = 2502;
    /// A value that a field of a search can not be compared with.
    SEARCH_VALUE = 2503;
    /// A search that is nested too deeply or is too long.
    SEARCH_TOO_COMPLEX = 2504;
    /// A word of a search that looks like an operator.
    SEARCH_WORD = 2505;

    /// An AWS call that failed.
    AWS_CALL = 4000;
    /// Credentials that are missing, expired or not accepted.
    AWS_CREDENTIALS = 4001;
    /// An endpoint that cannot be reached.
    AWS_UNREACHABLE = 4002;
    /// A region that is not enabled in the account.
    REGION_NOT_ENABLED = 4003;
    /// Cells in which something failed.
    CELLS_FAILED = 4004;
    /// A name that another state or another apply holds.
    NAME_TAKEN = 4005;
    /// Something that is gone or cannot be found in AWS.
    NOT_FOUND = 4006;
    /// Something that is still in use.
    IN_USE = 4007;
    /// Work that was interrupted.
    INTERRUPTED = 4008;
    /// A caller in another account or region than the state was made by.
    WRONG_ACCOUNT = 4009;
    /// A member account that cannot be entered.
    ACCOUNT_UNREACHABLE = 4010;
    /// A cell from which AWS sends no events, as no trail logs there.
    NO_TRAIL = 4011;
    /// Trails that could not be looked at.
    TRAILS_UNSEEN = 4012;

    /// A bug in the provider: a handler that panicked.
    PROVIDER_BUG = 5000;
    /// A message from Terraform that cannot be read.
    WIRE = 5001;
    /// Something this version of Terraform cannot do.
    TERRAFORM_TOO_OLD = 5002;
    /// An import id that is not one.
    BAD_IMPORT_ID = 5003;
    /// A provider that is used before it was configured.
    NOT_CONFIGURED = 5004;

    /// A document that was refused; the last good one stays in force.
    DOCUMENT_REFUSED = 6001;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_ascending() {
        for pair in Code::ALL.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{} stands before {}", pair[0].0, pair[1].0);
        }
        assert_eq!(Code::UNKNOWN_FUNCTION.to_string(), "TW2101");
    }

    #[test]
    fn read_as_they_are_printed() {
        for (code, _) in Code::ALL {
            assert_eq!(Code::parse(&code.to_string()), Some(*code));
        }
        for text in ["", "TW", "2101", "tw2101", "TW9999", "TW02101", "TW+101", "TW210é"] {
            assert_eq!(Code::parse(text), None, "{text}");
        }
    }

    #[test]
    fn some_can_be_silenced() {
        assert!(Code::READ_ONLY_EVENT.is_silenceable() && Code::READ_ONLY_EVENT.is_told_alone());
        assert!(Code::HOME_REGION.is_silenceable() && !Code::HOME_REGION.is_told_alone());
        assert!(!Code::UNKNOWN_FUNCTION.is_silenceable());
    }
}
