//! One attribute and what may be said of it.

use trailwire_engine::diagnostic::Code;

use crate::schema::Type;
use crate::value::Dynamic;

/// Who gives an attribute its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The configuration must.
    Required,
    /// The configuration may; else it is null, or the default.
    Optional,
    /// The configuration may; else the provider does, and the value stays when it is omitted again.
    OptionalComputed,
    /// Only the provider does.
    Computed,
}

/// A check of a known, non-null value, done in validation and again while planning.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// Neither `""` nor `[]` nor `{}`: omission (or null) is how to leave it out.
    NotEmpty,
    /// One of these strings; for collections of strings every element.
    OneOf(&'static [&'static str]),
    /// Anything else: its code, and a function whose error is one lower-case sentence without a full stop and without the value of a sensitive attribute.
    Check(Code, fn(&Dynamic) -> Result<(), String>),
}

/// An attribute of a block. The constructors make it optional.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its name, in snake case.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// Who gives the value.
    pub presence: Presence,
    /// Markdown, one or a few sentences.
    pub description: &'static str,
    /// Terraform shows `(sensitive value)` in its place. It is still in the state.
    pub sensitive: bool,
    /// Never in plan or state: it is in `config` only. Needs Terraform 1.11.
    pub write_only: bool,
    /// A change makes Terraform destroy and create.
    pub force_new: bool,
    /// Computed, and unknown in every plan that has work to do (per-cell results), not only in the plan of a create.
    pub volatile: bool,
    /// What it is when the configuration does not give it.
    pub default: Option<Dynamic>,
    /// Checks of known values.
    pub rules: Vec<Rule>,
    /// What to use in its place.
    pub deprecated: Option<&'static str>,
}

impl Attribute {
    /// An optional attribute of any type.
    pub fn new(name: &'static str, kind: Type) -> Attribute {
        Attribute {
            name,
            kind,
            presence: Presence::Optional,
            description: "",
            sensitive: false,
            write_only: false,
            force_new: false,
            volatile: false,
            default: None,
            rules: Vec::new(),
            deprecated: None,
        }
    }

    /// An optional string.
    pub fn string(name: &'static str) -> Attribute {
        Attribute::new(name, Type::String)
    }

    /// An optional boolean.
    pub fn bool(name: &'static str) -> Attribute {
        Attribute::new(name, Type::Bool)
    }

    /// An optional number.
    pub fn number(name: &'static str) -> Attribute {
        Attribute::new(name, Type::Number)
    }

    /// An optional list.
    pub fn list(name: &'static str, element: Type) -> Attribute {
        Attribute::new(name, Type::list(element))
    }

    /// An optional set.
    pub fn set(name: &'static str, element: Type) -> Attribute {
        Attribute::new(name, Type::set(element))
    }

    /// An optional map.
    pub fn map(name: &'static str, element: Type) -> Attribute {
        Attribute::new(name, Type::map(element))
    }

    /// The configuration must give it.
    #[must_use]
    pub fn required(self) -> Attribute {
        Attribute { presence: Presence::Required, ..self }
    }

    /// The configuration may give it. This is what the constructors make.
    #[must_use]
    pub fn optional(self) -> Attribute {
        Attribute { presence: Presence::Optional, ..self }
    }

    /// Only the provider gives it; unknown in the plan of a create, kept afterwards.
    #[must_use]
    pub fn computed(self) -> Attribute {
        Attribute { presence: Presence::Computed, ..self }
    }

    /// The configuration may give it, else the provider does.
    #[must_use]
    pub fn optional_computed(self) -> Attribute {
        Attribute { presence: Presence::OptionalComputed, ..self }
    }

    /// What it is when the configuration omits it. Comes from the configuration alone: omitting it again brings the default back.
    #[must_use]
    pub fn default_to(self, value: impl Into<Dynamic>) -> Attribute {
        Attribute { presence: Presence::Optional, default: Some(value.into()), ..self }
    }

    /// Hidden in Terraform's output.
    #[must_use]
    pub fn sensitive(self) -> Attribute {
        Attribute { sensitive: true, ..self }
    }

    /// Given by the configuration, never stored. Implies sensitive.
    #[must_use]
    pub fn write_only(self) -> Attribute {
        Attribute { write_only: true, sensitive: true, ..self }
    }

    /// A change replaces the resource.
    #[must_use]
    pub fn force_new(self) -> Attribute {
        Attribute { force_new: true, ..self }
    }

    /// Computed, and unknown in every plan with work to do.
    #[must_use]
    pub fn volatile(self) -> Attribute {
        Attribute { presence: Presence::Computed, volatile: true, ..self }
    }

    /// `""`, `[]` and `{}` are errors.
    #[must_use]
    pub fn not_empty(self) -> Attribute {
        self.rule(Rule::NotEmpty)
    }

    /// Only these strings.
    #[must_use]
    pub fn one_of(self, values: &'static [&'static str]) -> Attribute {
        self.rule(Rule::OneOf(values))
    }

    /// A check of its own, see [`Rule::Check`].
    #[must_use]
    pub fn check(self, code: Code, check: fn(&Dynamic) -> Result<(), String>) -> Attribute {
        self.rule(Rule::Check(code, check))
    }

    /// Documentation, Markdown.
    #[must_use]
    pub fn describe(self, description: &'static str) -> Attribute {
        Attribute { description, ..self }
    }

    /// Marks it as on its way out; `hint` says what to use.
    #[must_use]
    pub fn deprecated(self, hint: &'static str) -> Attribute {
        Attribute { deprecated: Some(hint), ..self }
    }

    fn rule(mut self, rule: Rule) -> Attribute {
        self.rules.push(rule);
        self
    }

    /// Whether the provider may give the value when the configuration does not: computed, or with a default.
    pub fn is_computed(&self) -> bool {
        self.default.is_some() || matches!(self.presence, Presence::Computed | Presence::OptionalComputed)
    }

    /// Whether the configuration may give it but need not.
    pub fn is_optional(&self) -> bool {
        matches!(self.presence, Presence::Optional | Presence::OptionalComputed)
    }
}
