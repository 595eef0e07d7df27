//! From the tree to conditions.
//!
//! `&&` and `||` return operands, and the verdict's truth is not the truth inside: `{} && false` is `{}`, which is a match. So a
//! conjunct only counts if those before it cannot be an empty array or object. Where errors count as matches, the conjuncts after
//! one that can err do not count either.

use std::sync::Arc;

use super::condition::{Condition, FieldTests, Kind as What};
use super::tests_for::{Place, tests_for};
use super::{Asked, Errors, Mode};
use crate::expr::{Expr, Kind};
use crate::pattern::Pattern;
use crate::shape::{Atom, Kinds, Known, Operand, Schema, Set, Walk, atom, conjuncts};
use crate::value::{is_true_inside, is_true_verdict};

/// What is wanted of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// That it is true inside.
    Truth,
    /// That it is not.
    Falsehood,
    /// That it is true as a verdict.
    Verdict,
    /// That it is true in one way or the other.
    Either,
}

const CONTAINERS: Kinds = Kinds::ARRAY.with(Kinds::OBJECT);

pub(super) struct Compiler {
    schema: Schema,
    mode: Mode,
    errors: Errors,
}

impl Compiler {
    pub(super) fn new(asked: Asked<'_>) -> Self {
        Self { schema: asked.schema, mode: asked.mode, errors: asked.errors }
    }

    /// A condition for each conjunct of the whole expression.
    pub(super) fn verdict(&self, expr: &Expr) -> Vec<Condition> {
        self.operands(&conjuncts(expr), Goal::Verdict, &Known::new(self.schema))
    }

    fn condition<'e>(&self, expr: &'e Expr, goal: Goal, known: &Known<'e>) -> Condition {
        if let Some(atom) = atom(expr) {
            return self.atom(&atom, goal, known);
        }
        match (&expr.kind, goal) {
            (Kind::And(_), Goal::Falsehood) => self.any(&conjuncts(expr), goal, known),
            (Kind::And(_), _) => Condition::all(self.operands(&conjuncts(expr), goal, known)),
            (Kind::Or(operands), Goal::Falsehood) => Condition::all(self.operands(&operands.iter().collect::<Vec<_>>(), goal, known)),
            (Kind::Or(operands), _) => self.any(&operands.iter().collect::<Vec<_>>(), goal, known),
            (Kind::Not(operand), Goal::Falsehood) => self.condition(operand, Goal::Truth, known),
            (Kind::Not(operand), _) => self.condition(operand, Goal::Falsehood, known),
            (Kind::Literal(value), _) => {
                let holds = match goal {
                    Goal::Truth => is_true_inside(value),
                    Goal::Falsehood => !is_true_inside(value),
                    Goal::Verdict => is_true_verdict(value),
                    Goal::Either => is_true_inside(value) || is_true_verdict(value),
                };
                if holds { Condition::always() } else { Condition::never() }
            }
            (Kind::Pattern(pattern), Goal::Truth | Goal::Verdict | Goal::Either) => self.whole(pattern),
            _ => Condition::unsaid(unsayable(expr)),
        }
    }

    /// Operands that are reached one after the other, while each comes out as wanted. (Falsehood: those of a `||`.)
    fn operands<'e>(&self, operands: &[&'e Expr], goal: Goal, known: &Known<'e>) -> Vec<Condition> {
        let mut conditions = Vec::new();
        let mut ended: Option<&str> = None;
        let mut known = known.clone();
        for (index, operand) in operands.iter().enumerate() {
            if let Some(why) = ended {
                conditions.push(Condition::unsaid(why));
                continue;
            }
            let is_last = index + 1 == operands.len();
            let is_verdict = matches!(goal, Goal::Verdict | Goal::Either);
            let may_end_here = is_verdict && !is_last && known.kinds(operand).has(CONTAINERS);
            let wanted = match goal {
                Goal::Verdict | Goal::Either if is_last => goal,
                Goal::Verdict | Goal::Either if may_end_here => Goal::Either,
                Goal::Verdict | Goal::Either => Goal::Truth,
                Goal::Truth | Goal::Falsehood => goal,
            };
            conditions.push(self.condition(operand, wanted, &known));
            if may_end_here {
                ended = Some("a conjunct before it can be an empty array or object, which ends the evaluation with a match");
            } else if self.errors == Errors::Match && known.can_err(operand) {
                ended = Some("a conjunct before it can err, which is a match with `on_error = \"match\"`");
            }
            if goal != Goal::Falsehood {
                known.learn(operand);
            }
        }
        conditions
    }

    /// Operands of which the first that comes out as wanted decides. Those before it came out the other way, so the operands of
    /// a `&&` that is not true were true up to there.
    fn any<'e>(&self, operands: &[&'e Expr], goal: Goal, known: &Known<'e>) -> Condition {
        let mut known = known.clone();
        let mut conditions = Vec::new();
        let mut before_can_err = false;
        let mut differs = false;
        // A number can be 0, an array or object empty: then the two truths differ.
        let plain = Kinds::NULL.with(Kinds::BOOLEAN).with(Kinds::STRING);
        for (index, operand) in operands.iter().enumerate() {
            conditions.push(self.condition(operand, goal, &known));
            before_can_err |= index + 1 < operands.len() && known.can_err(operand);
            differs |= matches!(goal, Goal::Verdict | Goal::Either) && !known.kinds(operand).within(plain);
            if goal == Goal::Falsehood {
                known.learn(operand);
            }
        }
        let any = Condition::any(conditions);
        if self.errors == Errors::NoMatch && before_can_err {
            any.inexact("an alternative can err")
        } else if differs {
            any.inexact("an alternative can be true inside and false as a verdict")
        } else {
            any
        }
    }

    fn whole(&self, pattern: &Arc<Pattern>) -> Condition {
        match self.errors {
            Errors::NoMatch => Condition { kind: What::Whole(Arc::clone(pattern)), exact: true, why: None },
            Errors::Match => {
                Condition::unsaid("an event pattern errs on events that take too much work, which is a match with `on_error = \"match\"`")
            }
        }
    }

    fn atom(&self, atom: &Atom<'_>, goal: Goal, known: &Known<'_>) -> Condition {
        let outcomes = atom.outcomes();
        let mut wanted = match goal {
            Goal::Truth => outcomes.truth,
            Goal::Falsehood => outcomes.falsehood,
            Goal::Verdict => outcomes.verdict,
            Goal::Either => Set { exact: false, ..outcomes.verdict.with(outcomes.truth) },
        };
        if self.errors == Errors::Match {
            wanted = wanted.with(outcomes.error);
        }
        self.values(&atom.operand, &wanted, known)
    }

    /// That the value of a field is in a set.
    fn values(&self, operand: &Operand<'_>, set: &Set, known: &Known<'_>) -> Condition {
        let place = match operand.walk {
            Walk::Objects => Place { kinds: known.kinds_at(&operand.path), tells_absence: self.schema.tells_absence(&operand.path) },
            Walk::Element => Place { kinds: Kinds::ANY, tells_absence: false },
            Walk::Projection => Place { kinds: Kinds::ARRAY.with(Kinds::NULL), tells_absence: false },
        };
        match tests_for(&operand.path, set, place, self.mode) {
            Err(why) => Condition::unsaid(why),
            Ok(found) if found.tests.is_empty() => Condition::never(),
            Ok(found) => {
                let path = operand.path.iter().map(|name| (*name).to_owned()).collect();
                let in_array = operand.walk != Walk::Objects;
                let field = FieldTests { path, tests: found.tests, single: found.single && !in_array, own: false, in_array };
                Condition::field(field, found.exact && !in_array)
            }
        }
    }
}

fn unsayable(expr: &Expr) -> &'static str {
    match &expr.kind {
        Kind::Comparison(..) => "a pattern compares a field with constants only",
        Kind::Call(_) => "a pattern has no such function of a single field",
        Kind::Projection { .. } | Kind::Flatten(_) | Kind::Slice(_) | Kind::Index(_) => {
            "a pattern cannot tell the elements of an array apart"
        }
        Kind::Pattern(_) => "a pattern cannot be turned round",
        Kind::Sub(..) | Kind::Pipe(..) => "the path is not one of object members alone",
        _ => "a pattern cannot say it",
    }
}
