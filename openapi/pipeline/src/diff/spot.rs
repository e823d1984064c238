//! The names of values in the Rust client. Names are made only for findings.

use std::rc::Rc;

use heck::ToSnakeCase as _;

use super::types::Types;
use crate::generate::Patched;
use crate::name;

/// The name of a value in the Rust client: the type of its schema, and the item that holds it.
#[derive(Clone, Debug)]
pub(super) struct Spot<'a> {
    step: Rc<Step<'a>>,
    depth: usize,
    /// The text that replaces names if the client has no type for it.
    pub(super) untyped: Option<&'static str>,
}

/// The maximum number of steps of a name; a deeper value has the name of its container.
const DEEPEST: usize = 16;

#[derive(Debug)]
enum Step<'a> {
    /// A component of a request.
    Component(&'a str, Rc<Types<'a>>),
    /// A component of a response; it has another name if requests use it too.
    Answered(&'a str, Rc<Types<'a>>),
    Argument {
        operation: String,
        name: &'a str,
    },
    Body(String, Patched),
    Answer(String),
    Refusal,
    Header,
    Member {
        parent: Spot<'a>,
        name: &'a str,
        /// True if it is optional before and after.
        is_optional: bool,
    },
    Element(Spot<'a>),
    Value(Spot<'a>),
    /// A value that is held in one place and has the type of another.
    Held(Spot<'a>, Spot<'a>),
}

impl<'a> Spot<'a> {
    /// Returns the spot of a component that is held here.
    pub(super) fn component(&self, name: &'a str, is_answered: bool, types: Rc<Types<'a>>) -> Self {
        let component =
            Self::root(if is_answered { Step::Answered(name, types) } else { Step::Component(name, types) });
        Self { untyped: self.untyped, ..component }
    }

    /// Returns the spot of a parameter of an operation.
    pub(super) fn argument(operation: &str, name: &'a str) -> Self {
        Self::root(Step::Argument { operation: operation.to_owned(), name })
    }

    /// Returns the spot of a request body.
    pub(super) fn body(operation: &str, patched: Patched) -> Self {
        Self::root(Step::Body(operation.to_owned(), patched))
    }

    /// Returns the spot of the body of a success.
    pub(super) fn answer(operation: &str) -> Self {
        Self::root(Step::Answer(operation.to_owned()))
    }

    /// Returns the spot of an error body, which the error type keeps undecoded.
    pub(super) fn refusal() -> Self {
        Self::root(Step::Refusal).without_type("no change: an error keeps its body as it came")
    }

    /// Returns the spot of a response header.
    pub(super) fn header() -> Self {
        Self::root(Step::Header).without_type("no change: headers are read as text")
    }

    /// Returns the same spot without a type in the client.
    pub(super) fn without_type(self, untyped: &'static str) -> Self {
        Self { untyped: Some(untyped), ..self }
    }

    /// Returns the spot of the component that it is made of, in its place.
    pub(super) fn made_of(&self, component: Self) -> Self {
        self.below(|place| Step::Held(place, component))
    }

    /// Returns the spot of a member.
    pub(super) fn member(&self, name: &'a str, is_optional: bool) -> Self {
        self.below(|parent| Step::Member { parent, name, is_optional })
    }

    /// Returns the spot of an element.
    pub(super) fn element(&self) -> Self {
        self.below(Step::Element)
    }

    /// Returns the spot of a member that is not described.
    pub(super) fn value(&self) -> Self {
        self.below(Step::Value)
    }

    fn root(step: Step<'a>) -> Self {
        Self { step: Rc::new(step), depth: 0, untyped: None }
    }

    fn below(&self, step: impl FnOnce(Self) -> Step<'a>) -> Self {
        if self.depth == DEEPEST {
            return self.clone();
        }
        Self { step: Rc::new(step(self.clone())), depth: self.depth + 1, untyped: self.untyped }
    }

    /// Returns the effect on the client: `typed`, or the fixed text if it has no type for the value.
    pub(super) fn rust(&self, typed: impl FnOnce() -> String) -> String {
        self.untyped.map_or_else(typed, str::to_owned)
    }

    /// Returns the type: `Pet`.
    pub(super) fn name(&self) -> String {
        match &*self.step {
            Step::Component(name, _) => name::of_type(name),
            Step::Answered(name, types) => types.of_answer(name),
            Step::Argument { operation, name } => name::of_type(&format!("{operation}-{name}")),
            Step::Body(operation, _) => name::of_type(&format!("{operation}-body")),
            Step::Answer(operation) => name::of_type(&format!("{operation}-response")),
            Step::Refusal => "Error".to_owned(),
            Step::Header => "HeaderValue".to_owned(),
            Step::Member { parent, name, .. } => parent.name() + &name::of_type(name),
            Step::Element(parent) => parent.name() + "Item",
            Step::Value(parent) => parent.name() + "Value",
            Step::Held(_, component) => component.name(),
        }
    }

    /// Returns the item that holds it: "`Pet::name`", "the argument `tag`".
    pub(super) fn holder(&self) -> String {
        match &*self.step {
            Step::Component(..) | Step::Answered(..) => format!("`{}`", self.name()),
            Step::Argument { name, .. } => format!("the argument `{}`", name::of_argument(name)),
            Step::Body(operation, _) => format!("the body of `{}`", operation.to_snake_case()),
            Step::Answer(operation) => format!("the answer of `{}`", operation.to_snake_case()),
            Step::Refusal => "the body of the error".to_owned(),
            Step::Header => "the header".to_owned(),
            Step::Member { parent, name, .. } => format!("`{}`", parent.field(name)),
            Step::Element(parent) => format!("an element of {}", parent.holder()),
            Step::Value(parent) => format!("a value of {}", parent.holder()),
            Step::Held(place, _) => place.holder(),
        }
    }

    /// Returns a field of the type: `Pet::name`.
    pub(super) fn field(&self, name: &str) -> String {
        format!("{}::{}", self.name(), name::of_argument(name))
    }

    /// Returns the effect on a listed value, by its variant.
    pub(super) fn listed(&self, variant: &str, what: &str) -> String {
        match &*self.step {
            // The generator decides whether it is still made of the component.
            Step::Held(place, _) => format!("a known value of {} {what}", place.holder()),
            _ => format!("the variant `{}::{variant}` {what}", self.name()),
        }
    }

    /// Returns the members whose type is `Patch`; values in a list or a map are replaced as a whole.
    pub(super) fn patched(&self) -> Patched {
        match &*self.step {
            Step::Component(name, types) => types.patched(name),
            Step::Body(_, patched) => *patched,
            Step::Member { parent, .. } => parent.patched(),
            Step::Held(_, component) => component.patched(),
            _ => Patched::None,
        }
    }

    /// Returns the effect if it can be null, or no longer can.
    pub(super) fn nullable(&self, is_nullable: bool, is_answered_list: bool) -> String {
        let holder = self.holder();
        match &*self.step {
            Step::Held(place, _) => place.nullable(is_nullable, is_answered_list),
            Step::Member { parent, is_optional: true, .. } if parent.patched() == Patched::All => {
                format!("no change: {holder} is a `Patch` anyway")
            }
            Step::Member { parent, is_optional: true, .. } if parent.patched() == Patched::Nullable => {
                let (is, was) = if is_nullable { ("a `Patch`", "an `Option`") } else { ("an `Option`", "a `Patch`") };
                format!("{holder} is {is}, no longer {was}")
            }
            // An absent list in a response is an empty one.
            Step::Member { is_optional: true, .. } if !is_answered_list => {
                format!("no change: {holder} is an `Option` anyway")
            }
            Step::Member { .. } | Step::Element(_) | Step::Value(_) if is_nullable => {
                format!("{holder} becomes an `Option`")
            }
            Step::Member { .. } | Step::Element(_) | Step::Value(_) => format!("{holder} is no longer an `Option`"),
            _ => format!("{holder} may have another type"),
        }
    }
}
