//! The record of the changes that the pipeline made to a document, with their reasons.

use serde::Serialize;

/// One change.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Repair {
    /// The rule that made the change: `stray-key`, `operation-id`, `path-guard`, ...
    pub rule: &'static str,
    /// The JSON pointer of the changed node, or an overlay action's target.
    pub pointer: String,
    /// A description of the change and its reason.
    pub note: String,
    /// True if callers get less than the document promises: a raw body in place of a type, or an argument that cannot be
    /// given. The documentation of the method or type says so too.
    pub narrowed: bool,
}

/// All changes to one document, in the order in which they were made.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Repairs(Vec<Repair>);

impl Repairs {
    /// Returns every change.
    pub fn iter(&self) -> impl Iterator<Item = &Repair> {
        self.0.iter()
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&Repair) -> bool) {
        self.0.retain(keep);
    }

    pub(crate) fn push(&mut self, repair: Repair) {
        self.0.push(repair);
    }

    pub(crate) fn note(&mut self, rule: &'static str, pointer: &str, note: impl Into<String>) {
        self.push(Repair { rule, pointer: pointer.to_owned(), note: note.into(), narrowed: false });
    }

    /// Records a change that leaves callers with less than the document promises.
    pub(crate) fn narrow(&mut self, rule: &'static str, pointer: &str, note: impl Into<String>) {
        self.push(Repair { rule, pointer: pointer.to_owned(), note: note.into(), narrowed: true });
    }
}
