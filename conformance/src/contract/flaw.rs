//! The flaws of requests that violate the document in one place.

use keyfit_openapi::violation::Constraint;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is wrong with a request: one thing that the document says of its parameters or its body, or one that no document says.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// A parameter or a member that is required is not there; the first member of the body belongs to `missing-field`.
    Required,
    /// A value of another type: letters for a number, an object for a text.
    Type,
    /// A number outside of its bounds, or not a multiple.
    Bounds,
    /// A text that is too short or too long.
    Length,
    /// A value that is none of the listed ones.
    Enum,
    /// A text that does not match its pattern.
    Pattern,
    /// A list that is too short, too long, or has an item twice.
    Items,
    /// A member that the document excludes.
    Additional,
    /// What the document allows and programs stumble over: numbers that fit into no machine word, negative ones, long texts, the
    /// character NUL.
    Extreme,
    /// What no document speaks of: a parameter that nobody knows or that stands twice, `readOnly` members, a member twice, another
    /// charset, bytes that are no UTF-8, lists in lists, a long body.
    Odd,
}

impl Flaw {
    /// All flaws, those of the document first.
    pub const ALL: [Self; 10] = [
        Self::Required,
        Self::Type,
        Self::Bounds,
        Self::Length,
        Self::Enum,
        Self::Pattern,
        Self::Items,
        Self::Additional,
        Self::Extreme,
        Self::Odd,
    ];

    /// Returns the violated constraint of the document; `None` if there is none, and a server only must not fail.
    pub fn constraint(self) -> Option<Constraint> {
        Some(match self {
            Self::Required => Constraint::Required,
            Self::Type => Constraint::Type,
            Self::Bounds => Constraint::Bounds,
            Self::Length => Constraint::Length,
            Self::Enum => Constraint::Enum,
            Self::Pattern => Constraint::Pattern,
            Self::Items => Constraint::Items,
            Self::Additional => Constraint::Additional,
            Self::Extreme | Self::Odd => return None,
        })
    }
}

impl From<Option<Constraint>> for Flaw {
    /// Returns the flaw for a constraint; an extreme if there is none.
    fn from(constraint: Option<Constraint>) -> Self {
        Self::ALL.into_iter().find(|flaw| flaw.constraint() == constraint).unwrap_or(Self::Extreme)
    }
}
