//! The lines of generated code, by what they are.

use std::fmt;

/// The lines of a client, by what they are.
#[derive(Clone, Copy, Default)]
pub(crate) struct Lines {
    pub(crate) all: usize,
    /// Documentation, wherever it stands.
    docs: usize,
    /// Attributes, such as what serde is told.
    attributes: usize,
    /// Types with their builders, the values of enums, the builders of calls, and the calls by id.
    types: usize,
    values: usize,
    calls: usize,
    by_id: usize,
}

impl Lines {
    pub(crate) fn of(code: &str) -> Self {
        let mut lines = Self::default();
        let (mut module, mut is_by_id) = (String::new(), false);
        for line in code.lines() {
            let text = line.trim_start();
            // Two modules around: the one of all the code, and one of these.
            if let Some(name) = line.strip_prefix("    pub mod ").and_then(|rest| rest.strip_suffix(" {")) {
                name.clone_into(&mut module);
            } else if line == "    }" {
                module.clear();
                is_by_id = false;
            } else if line.starts_with("    async fn dispatch(") {
                is_by_id = true;
            }
            lines.all += 1;
            match (text, module.as_str()) {
                _ if text.starts_with("//") => lines.docs += 1,
                _ if text.starts_with('#') => lines.attributes += 1,
                (_, "types") => lines.types += 1,
                (_, "values") => lines.values += 1,
                (_, "builder") => lines.calls += 1,
                _ if is_by_id => lines.by_id += 1,
                _ => {}
            }
        }
        lines
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { all, docs, attributes, types, values, calls, by_id } = self;
        write!(
            f,
            "{all} docs {docs}, attributes {attributes}, types {types}, values {values}, calls {calls}, by id {by_id}"
        )
    }
}
