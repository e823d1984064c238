//! The names of values in the Rust client. Names are made only for findings.

use std::rc::Rc;

use heck::ToSnakeCase as _;

use super::types::Types;
use crate::generate::Patched;
use crate::name;

/// The name of a value in the Rust client: the type of its schema, and the item that holds it.
#[derive(Clone, Debug)]
pub(super) struct RustItem<'a> {
    step: Rc<ItemStep<'a>>,
    depth: usize,
    /// The text that replaces names if the client has no type for it.
    pub(super) untyped: Option<&'static str>,
}

/// The maximum number of steps of a name; a deeper value has the name of its container.
const MAX_DEPTH: usize = 16;

#[derive(Debug)]
enum ItemStep<'a> {
    /// A component of a request.
    Component(&'a str, Rc<Types<'a>>),
    /// A component of a response; it has another name if requests use it too.
    ResponseComponent(&'a str, Rc<Types<'a>>),
    Argument {
        operation: String,
        name: &'a str,
    },
    RequestBody(String, Patched),
    ResponseBody(String),
    ErrorBody,
    Header,
    Member {
        parent: RustItem<'a>,
        name: &'a str,
        /// True if it is optional before and after.
        is_optional: bool,
    },
    Element(RustItem<'a>),
    Value(RustItem<'a>),
    /// A value that is held in one place and has the type of another.
    Placed(RustItem<'a>, RustItem<'a>),
}

impl<'a> RustItem<'a> {
    /// Returns the spot of a component that is held here.
    pub(super) fn component(&self, name: &'a str, is_answered: bool, types: Rc<Types<'a>>) -> Self {
        let component = Self::root(if is_answered {
            ItemStep::ResponseComponent(name, types)
        } else {
            ItemStep::Component(name, types)
        });
        Self { untyped: self.untyped, ..component }
    }

    /// Returns the spot of a parameter of an operation.
    pub(super) fn argument(operation: &str, name: &'a str) -> Self {
        Self::root(ItemStep::Argument { operation: operation.to_owned(), name })
    }

    /// Returns the spot of a request body.
    pub(super) fn body(operation: &str, patched: Patched) -> Self {
        Self::root(ItemStep::RequestBody(operation.to_owned(), patched))
    }

    /// Returns the spot of the body of a success.
    pub(super) fn response_body(operation: &str) -> Self {
        Self::root(ItemStep::ResponseBody(operation.to_owned()))
    }

    /// Returns the spot of an error body, which the error type keeps undecoded.
    pub(super) fn error_body() -> Self {
        Self::root(ItemStep::ErrorBody).without_type("no change: an error keeps its body as it came")
    }

    /// Returns the spot of a response header.
    pub(super) fn header() -> Self {
        Self::root(ItemStep::Header).without_type("no change: headers are read as text")
    }

    /// Returns the same spot without a type in the client.
    pub(super) fn without_type(self, untyped: &'static str) -> Self {
        Self { untyped: Some(untyped), ..self }
    }

    /// Returns the spot of the component that it is made of, in its place.
    pub(super) fn with_component(&self, component: Self) -> Self {
        self.with_step(|place| ItemStep::Placed(place, component))
    }

    /// Returns the spot of a member.
    pub(super) fn member(&self, name: &'a str, is_optional: bool) -> Self {
        self.with_step(|parent| ItemStep::Member { parent, name, is_optional })
    }

    /// Returns the spot of an element.
    pub(super) fn element(&self) -> Self {
        self.with_step(ItemStep::Element)
    }

    /// Returns the spot of a member that is not described.
    pub(super) fn value(&self) -> Self {
        self.with_step(ItemStep::Value)
    }

    fn root(step: ItemStep<'a>) -> Self {
        Self { step: Rc::new(step), depth: 0, untyped: None }
    }

    fn with_step(&self, step: impl FnOnce(Self) -> ItemStep<'a>) -> Self {
        if self.depth == MAX_DEPTH {
            return self.clone();
        }
        Self { step: Rc::new(step(self.clone())), depth: self.depth + 1, untyped: self.untyped }
    }

    /// Returns the effect on the client: `typed`, or the fixed text if it has no type for the value.
    pub(super) fn effect(&self, typed: impl FnOnce() -> String) -> String {
        self.untyped.map_or_else(typed, str::to_owned)
    }

    /// Returns the type: `Pet`.
    pub(super) fn type_name(&self) -> String {
        match &*self.step {
            ItemStep::Component(name, _) => name::of_type(name),
            ItemStep::ResponseComponent(name, types) => types.of_answer(name),
            ItemStep::Argument { operation, name } => name::of_type(&format!("{operation}-{name}")),
            ItemStep::RequestBody(operation, _) => name::of_type(&format!("{operation}-body")),
            ItemStep::ResponseBody(operation) => name::of_type(&format!("{operation}-response")),
            ItemStep::ErrorBody => "Error".to_owned(),
            ItemStep::Header => "HeaderValue".to_owned(),
            ItemStep::Member { parent, name, .. } => parent.type_name() + &name::of_type(name),
            ItemStep::Element(parent) => parent.type_name() + "Item",
            ItemStep::Value(parent) => parent.type_name() + "Value",
            ItemStep::Placed(_, component) => component.type_name(),
        }
    }

    /// Returns the item that holds it: "`Pet::name`", "the argument `tag`".
    pub(super) fn holder(&self) -> String {
        match &*self.step {
            ItemStep::Component(..) | ItemStep::ResponseComponent(..) => format!("`{}`", self.type_name()),
            ItemStep::Argument { name, .. } => format!("the argument `{}`", name::of_argument(name)),
            ItemStep::RequestBody(operation, _) => format!("the body of `{}`", operation.to_snake_case()),
            ItemStep::ResponseBody(operation) => format!("the answer of `{}`", operation.to_snake_case()),
            ItemStep::ErrorBody => "the body of the error".to_owned(),
            ItemStep::Header => "the header".to_owned(),
            ItemStep::Member { parent, name, .. } => format!("`{}`", parent.field(name)),
            ItemStep::Element(parent) => format!("an element of {}", parent.holder()),
            ItemStep::Value(parent) => format!("a value of {}", parent.holder()),
            ItemStep::Placed(place, _) => place.holder(),
        }
    }

    /// Returns a field of the type: `Pet::name`.
    pub(super) fn field(&self, name: &str) -> String {
        format!("{}::{}", self.type_name(), name::of_argument(name))
    }

    /// Returns the effect on a listed value, by its variant.
    pub(super) fn variant_effect(&self, variant: &str, what: &str) -> String {
        match &*self.step {
            // The generator decides whether it is still made of the component.
            ItemStep::Placed(place, _) => format!("a known value of {} {what}", place.holder()),
            _ => format!("the variant `{}::{variant}` {what}", self.type_name()),
        }
    }

    /// Returns the members whose type is `Patch`; values in a list or a map are replaced as a whole.
    pub(super) fn patched(&self) -> Patched {
        match &*self.step {
            ItemStep::Component(name, types) => types.patched(name),
            ItemStep::RequestBody(_, patched) => *patched,
            ItemStep::Member { parent, .. } => parent.patched(),
            ItemStep::Placed(_, component) => component.patched(),
            _ => Patched::None,
        }
    }

    /// Returns the effect if it can be null, or no longer can.
    pub(super) fn nullable_effect(&self, is_nullable: bool, is_answered_list: bool) -> String {
        let holder = self.holder();
        match &*self.step {
            ItemStep::Placed(place, _) => place.nullable_effect(is_nullable, is_answered_list),
            ItemStep::Member { parent, is_optional: true, .. } if parent.patched() == Patched::All => {
                format!("no change: {holder} is a `Patch` anyway")
            }
            ItemStep::Member { parent, is_optional: true, .. } if parent.patched() == Patched::Nullable => {
                let (is, was) = if is_nullable { ("a `Patch`", "an `Option`") } else { ("an `Option`", "a `Patch`") };
                format!("{holder} is {is}, no longer {was}")
            }
            // An absent list in a response is an empty one.
            ItemStep::Member { is_optional: true, .. } if !is_answered_list => {
                format!("no change: {holder} is an `Option` anyway")
            }
            ItemStep::Member { .. } | ItemStep::Element(_) | ItemStep::Value(_) if is_nullable => {
                format!("{holder} becomes an `Option`")
            }
            ItemStep::Member { .. } | ItemStep::Element(_) | ItemStep::Value(_) => {
                format!("{holder} is no longer an `Option`")
            }
            _ => format!("{holder} may have another type"),
        }
    }
}
