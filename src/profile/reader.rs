//! Reading of tables: the line of a value, types, and names that are near.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::place::{At, Place};
use crate::error::Error;

/// A file that is read.
pub(super) struct Reader<'t> {
    pub(super) path: &'t Arc<Path>,
    pub(super) text: &'t str,
}

impl Reader<'_> {
    pub(super) fn place(&self, at: Range<usize>) -> Place {
        let before = self.text.as_bytes().get(..at.start).unwrap_or_default();
        Place { path: Arc::clone(self.path), line: before.split(|byte| *byte == b'\n').count() }
    }

    pub(super) fn text(&self, key: &str, value: &Spanned<DeValue<'_>>, help: &str) -> Result<At<String>, Error> {
        let place = self.place(value.span());
        match value.get_ref().as_str() {
            Some(text) => Ok(At { place, value: text.to_owned() }),
            None => Err(place.fault(format!("`{key}` is {}", article(value.get_ref().type_str())), help)),
        }
    }

    pub(super) fn table<'a, 't>(&self, key: &str, value: &'a Spanned<DeValue<'t>>) -> Result<&'a DeTable<'t>, Error> {
        value.get_ref().as_table().ok_or_else(|| {
            let problem = format!("`{key}` is {}", article(value.get_ref().type_str()));
            self.place(value.span()).fault(problem, "it is the name of a table: settings stand below it")
        })
    }

    /// The error of a key that means nothing where it stands. One that is like no name is repeated all the same: it is a key.
    pub(super) fn unknown<'n>(
        &self,
        key: &Spanned<Cow<'_, str>>,
        problem: &str,
        names: impl IntoIterator<Item = &'n str>,
        otherwise: &str,
    ) -> Error {
        let mut names: Vec<&str> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        let near = near(key.get_ref(), &names);
        let help = match (near, otherwise) {
            (Some(name), _) => format!("did you mean `{name}`?"),
            (None, "") => format!("there are {}", names.join(", ")),
            (None, otherwise) => otherwise.to_owned(),
        };
        self.place(key.span()).fault(format!("{problem} `{}`", key.get_ref()), help)
    }
}

/// The similarity from which one name may be a misspelling of another.
const LIKENESS: f64 = 0.8;

/// The name that is most like the one that was typed.
pub(super) fn near<'n>(typed: &str, names: &[&'n str]) -> Option<&'n str> {
    let likeness = |name: &&str| strsim::jaro_winkler(&typed.to_lowercase(), name);
    let alike = names.iter().copied().filter(|name| likeness(name) > LIKENESS);
    alike.max_by(|one, other| likeness(one).total_cmp(&likeness(other)))
}

/// The name of a type of TOML in a sentence.
pub(super) fn article(type_name: &str) -> String {
    match type_name {
        "integer" | "array" => format!("an {type_name}"),
        _ => format!("a {type_name}"),
    }
}
