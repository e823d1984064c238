//! What a value is called in the Rust client. Names are made only where something is reported.

use std::rc::Rc;

use heck::ToSnakeCase as _;

use crate::name;

/// What a value is called in the Rust client: the type that is made of its schema, and what holds it.
#[derive(Clone, Debug)]
pub(super) struct Spot<'a> {
    step: Rc<Step<'a>>,
    depth: usize,
}

/// How many steps a name is made of; what is deeper has the name of what it is in.
const DEEPEST: usize = 16;

#[derive(Debug)]
enum Step<'a> {
    Component(&'a str),
    Argument {
        operation: String,
        name: &'a str,
    },
    Body(String),
    Answer(String),
    /// Refusals have no types of their own: they arrive as values in the one error.
    Refusal,
    Header(&'a str),
    Member(Spot<'a>, &'a str),
    Element(Spot<'a>),
    Value(Spot<'a>),
}

impl<'a> Spot<'a> {
    /// A component of this name.
    pub(super) fn component(name: &'a str) -> Self {
        Self::root(Step::Component(name))
    }

    /// A parameter of an operation.
    pub(super) fn argument(operation: &str, name: &'a str) -> Self {
        Self::root(Step::Argument { operation: operation.to_owned(), name })
    }

    /// The body that is sent.
    pub(super) fn body(operation: &str) -> Self {
        Self::root(Step::Body(operation.to_owned()))
    }

    /// The body of a success.
    pub(super) fn answer(operation: &str) -> Self {
        Self::root(Step::Answer(operation.to_owned()))
    }

    /// The body of a refusal.
    pub(super) fn refusal() -> Self {
        Self::root(Step::Refusal)
    }

    /// A header of an answer.
    pub(super) fn header(name: &'a str) -> Self {
        Self::root(Step::Header(name))
    }

    /// A member of it.
    pub(super) fn member(&self, name: &'a str) -> Self {
        self.below(|parent| Step::Member(parent, name))
    }

    /// An element of it.
    pub(super) fn element(&self) -> Self {
        self.below(Step::Element)
    }

    /// A member of it that is not described.
    pub(super) fn value(&self) -> Self {
        self.below(Step::Value)
    }

    fn root(step: Step<'a>) -> Self {
        Self { step: Rc::new(step), depth: 0 }
    }

    fn below(&self, step: impl FnOnce(Self) -> Step<'a>) -> Self {
        if self.depth == DEEPEST {
            return self.clone();
        }
        Self { step: Rc::new(step(self.clone())), depth: self.depth + 1 }
    }

    /// The type: `Pet`.
    pub(super) fn name(&self) -> String {
        match &*self.step {
            Step::Component(name) => name::of_type(name),
            Step::Argument { operation, name } => name::of_type(&format!("{operation}-{name}")),
            Step::Body(operation) => name::of_type(&format!("{operation}-body")),
            Step::Answer(operation) => name::of_type(&format!("{operation}-response")),
            Step::Refusal => "Error".to_owned(),
            Step::Header(_) => "HeaderValue".to_owned(),
            Step::Member(parent, name) => parent.name() + &name::of_type(name),
            Step::Element(parent) => parent.name() + "Item",
            Step::Value(parent) => parent.name() + "Value",
        }
    }

    /// What holds it: "`Pet::name`", "the argument `tag`".
    pub(super) fn holder(&self) -> String {
        match &*self.step {
            Step::Component(name) => format!("`{}`", name::of_type(name)),
            Step::Argument { name, .. } => format!("the argument `{}`", name::of_argument(name)),
            Step::Body(operation) => format!("the body of `{}`", operation.to_snake_case()),
            Step::Answer(operation) => format!("the answer of `{}`", operation.to_snake_case()),
            Step::Refusal => "the body of the error".to_owned(),
            Step::Header(name) => format!("the header `{name}`, which is read as text,"),
            Step::Member(parent, name) => format!("`{}`", parent.field(name)),
            Step::Element(parent) => format!("an element of {}", parent.holder()),
            Step::Value(parent) => format!("a value of {}", parent.holder()),
        }
    }

    /// A field of the type: `Pet::name`.
    pub(super) fn field(&self, name: &str) -> String {
        format!("{}::{}", self.name(), name::of_argument(name))
    }
}
